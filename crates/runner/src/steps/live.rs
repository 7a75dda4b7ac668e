//! Components while an apply runs: their events, and how many of their resources are done.
//!
//! The tracker knows the events and the count of the whole plan; the count of each component is kept here, and told again
//! whenever it grows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use alethia_api::runner::{ComponentOutputs, ComponentReport};
use alethia_domain::{
    component::ComponentRef,
    lifecycle::{Change, ComponentEvent},
    plan::PlanSummary,
};
use alethia_terraform::{
    event_json::{Line, TerraformEvent},
    progress::{ComponentUpdate, Tracker},
};
use serde_json::Value;

use crate::{progress::Progress, redact::Redactor};

/// Components while an apply runs.
pub(super) struct Live {
    tracker: Tracker,
    components: BTreeMap<ComponentRef, Part>,
    /// Completions that are left, and the component, by address.
    left: HashMap<String, (u8, ComponentRef)>,
    progress: Progress,
    redactor: Arc<Redactor>,
}

struct Part {
    goes: bool,
    done: u32,
    total: u32,
    last: Option<ComponentReport>,
}

impl Live {
    /// Before the first line.
    pub(super) fn new(
        plan: &PlanSummary,
        destroy: bool,
        progress: Progress,
        redactor: Arc<Redactor>,
    ) -> Self {
        let components = plan.components.iter().map(|component| {
            let part = Part {
                goes: destroy || component.change == Change::Destroy,
                done: 0,
                total: u32::try_from(component.resources.len()).unwrap_or(u32::MAX),
                last: None,
            };
            (component.component.clone(), part)
        });
        let left = plan.components.iter().flat_map(|component| {
            component.resources.iter().map(|resource| {
                // A replacement is told as a removal and a creation.
                let completions = if resource.change == Change::Replace { 2 } else { 1 };
                (resource.address.clone(), (completions, component.component.clone()))
            })
        });
        let live = Self {
            tracker: Tracker::new(plan, destroy),
            components: components.collect(),
            left: left.collect(),
            progress,
            redactor,
        };
        live.progress.count(live.tracker.progress());
        live
    }

    /// Takes one line.
    pub(super) fn observe(&mut self, line: &Line) {
        let grown = self.count(line);
        let updates = self.tracker.observe(line);
        if let Some(component) = grown.filter(|grown| updates.iter().all(|update| update.component != *grown))
        {
            self.tell_again(&component);
        }
        for update in updates {
            self.tell(update);
        }
        if matches!(line.event, Some(TerraformEvent::ApplyComplete(_))) {
            self.progress.count(self.tracker.progress());
        }
    }

    /// The last word on every component, and its outputs, after an apply that went well.
    pub(super) fn succeeded(self) -> (Vec<ComponentReport>, Vec<ComponentOutputs>) {
        let outputs = self.tracker.outputs().iter().map(|(component, outputs)| {
            let mut outputs = Value::Object(outputs.clone());
            self.redactor.json(&mut outputs);
            let outputs = outputs.as_object().cloned().unwrap_or_default();
            ComponentOutputs { component: component.clone(), outputs }
        });
        let outputs = outputs.collect();
        let word = |(component, part): (ComponentRef, Part)| ComponentReport {
            component,
            event: if part.goes { ComponentEvent::Vanish } else { ComponentEvent::Settle },
            reason: None,
            done: part.total,
            total: part.total,
        };
        (self.components.into_iter().map(word).collect(), outputs)
    }

    /// The last word on the components that an apply got to before it ended.
    pub(super) fn failed(mut self) -> Vec<ComponentReport> {
        for update in self.tracker.finish() {
            self.tell(update);
        }
        self.components.into_values().filter_map(|part| part.last).collect()
    }

    /// Counts a completed resource; says which component has come further.
    fn count(&mut self, line: &Line) -> Option<ComponentRef> {
        let Some(TerraformEvent::ApplyComplete(resource)) = &line.event else { return None };
        let (left, component) = self.left.get_mut(&resource.address)?;
        *left = left.checked_sub(1)?;
        if *left > 0 {
            return None;
        }
        let component = component.clone();
        self.components.get_mut(&component)?.done += 1;
        Some(component)
    }

    fn tell(&mut self, update: ComponentUpdate) {
        let Some(part) = self.components.get_mut(&update.component) else { return };
        let report = ComponentReport {
            component: update.component,
            event: update.event,
            reason: update.reason.map(|reason| self.redactor.text(&reason)),
            done: part.done,
            total: part.total,
        };
        part.last = Some(report.clone());
        self.progress.component(report);
    }

    fn tell_again(&mut self, component: &ComponentRef) {
        let Some(part) = self.components.get_mut(component) else { return };
        let (done, total) = (part.done, part.total);
        let Some(report) = part.last.as_mut().filter(|report| is_underway(report.event)) else { return };
        (report.done, report.total) = (done, total);
        self.progress.component(report.clone());
    }
}

fn is_underway(event: ComponentEvent) -> bool {
    match event {
        ComponentEvent::Build | ComponentEvent::Remove => true,
        ComponentEvent::Settle | ComponentEvent::Vanish | ComponentEvent::Fail => false,
    }
}
