//! The live lines on a terminal: one for the job, one for each component that something happens to.

use std::{collections::BTreeMap, time::Duration};

use alethia_domain::component::ComponentRef;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);

/// The live lines.
pub(super) struct Live {
    all: MultiProgress,
    head: ProgressBar,
    components: BTreeMap<ComponentRef, ProgressBar>,
}

impl Live {
    /// Draws the job's line.
    pub(super) fn start() -> Self {
        let all = MultiProgress::new();
        let head = all.add(ProgressBar::new_spinner().with_style(style("{spinner} {msg} ({elapsed})")));
        head.set_message("waiting for a Runner");
        head.enable_steady_tick(TICK);
        Self { all, head, components: BTreeMap::new() }
    }

    /// What the job's line says.
    pub(super) fn head(&self, text: &str) {
        self.head.set_message(text.to_owned());
    }

    /// What a component's line says; a settled one moves above the live lines.
    pub(super) fn component(&mut self, component: &ComponentRef, settled: bool, line: String) {
        if settled {
            if let Some(bar) = self.components.remove(component) {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
            self.print(&line);
            return;
        }
        let bar = self
            .components
            .entry(component.clone())
            .or_insert_with(|| self.all.add(ProgressBar::new_spinner().with_style(style("{msg}"))));
        bar.set_message(line);
    }

    /// Writes a line above the live ones.
    pub(super) fn print(&self, text: &str) {
        if self.all.println(text).is_err() {
            eprintln!("{text}");
        }
    }

    /// Removes the live lines.
    pub(super) fn stop(self) {
        self.head.finish_and_clear();
        for bar in self.components.into_values() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is part of the program")
}
