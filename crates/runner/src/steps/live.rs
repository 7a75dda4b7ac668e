//! Components while an apply runs, on their way to the Console: nothing secret goes with them.

use std::sync::Arc;

use alethia_api::runner::{ComponentOutputs, ComponentReport};
use alethia_domain::plan::PlanSummary;
use alethia_terraform::{
    event_json::Line,
    progress::{ComponentUpdate, Tracker},
};
use serde_json::Value;

use crate::{progress::Progress, redact::Redactor};

/// Components while an apply runs.
pub(super) struct Live {
    tracker: Tracker,
    progress: Progress,
    redactor: Arc<Redactor>,
}

impl Live {
    /// Before the first line.
    pub(super) fn new(
        plan: &PlanSummary,
        destroy: bool,
        progress: Progress,
        redactor: Arc<Redactor>,
    ) -> Self {
        let tracker = Tracker::new(plan, destroy);
        progress.count(tracker.progress());
        Self { tracker, progress, redactor }
    }

    /// Takes one line.
    pub(super) fn observe(&mut self, line: &Line) {
        if let Some(update) = self.tracker.observe(line) {
            self.progress.count(self.tracker.progress());
            self.progress.component(self.report(update));
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
        (self.reports(self.tracker.succeeded()), outputs.collect())
    }

    /// The last word on the components that an apply got to before it ended.
    pub(super) fn failed(mut self) -> Vec<ComponentReport> {
        let words = self.tracker.finish();
        self.reports(words)
    }

    fn reports(&self, updates: Vec<ComponentUpdate>) -> Vec<ComponentReport> {
        updates.into_iter().map(|update| self.report(update)).collect()
    }

    fn report(&self, update: ComponentUpdate) -> ComponentReport {
        let ComponentUpdate { component, event, done, total, reason } = update;
        let reason = reason.map(|reason| self.redactor.text(&reason));
        ComponentReport { component, event, reason, done, total }
    }
}
