//! Component events and progress out of the lines of a running `apply -json` or `destroy -json`.
//!
//! Built from the summary of the plan that is being applied, so it knows how many steps each component takes. A
//! component starts with the first step of it, ends with the last, and fails with the first error, at once. What Terraform
//! never got to is left alone; what it left half done has failed.

use std::collections::{BTreeMap, BTreeSet};

use alethia_domain::{
    component::ComponentRef,
    lifecycle::{Change, ComponentEvent},
    plan::{ComponentPlan, PlanSummary},
};
use serde_json::{Map, Value};

use crate::{
    address::component_of,
    event_json::{Action, Diagnostic, Line, Output, ResourceAction, Severity, TerraformEvent},
};

/// What happened to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentUpdate {
    /// Which.
    pub component: ComponentRef,
    /// What.
    pub event: ComponentEvent,
    /// Resources of the whole plan that are done.
    pub done: u32,
    /// Resources of the whole plan that change.
    pub total: u32,
    /// Why, when it failed.
    pub reason: Option<String>,
}

/// Folds lines into component events, progress, outputs and diagnostics.
#[derive(Clone, Debug)]
pub struct Tracker {
    components: BTreeMap<ComponentRef, Part>,
    steps_left: BTreeMap<String, u8>,
    done: u32,
    total: u32,
    outputs: BTreeMap<ComponentRef, Map<String, Value>>,
    diagnostics: Vec<Diagnostic>,
}

/// Where one component is in this run.
#[derive(Clone, Debug)]
struct Part {
    goes: bool,
    unfinished: BTreeSet<String>,
    planned: usize,
    stage: PartStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartStage {
    Waiting,
    Working,
    Ended,
    Failed,
}

impl Tracker {
    /// A tracker for the apply of a plan; `destroy` when the plan removes the whole Spec.
    pub fn new(plan: &PlanSummary, destroy: bool) -> Self {
        let changes = || plan.components.iter().flat_map(|component| &component.resources);
        Self {
            components: plan
                .components
                .iter()
                .map(|plan| (plan.component.clone(), Part::new(plan, destroy)))
                .collect(),
            steps_left: changes()
                .map(|resource| (resource.address.clone(), steps(resource.change)))
                .collect(),
            done: 0,
            total: u32::try_from(changes().count()).unwrap_or(u32::MAX),
            outputs: BTreeMap::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Takes one line and says what it did to components.
    pub fn observe(&mut self, line: &Line) -> Vec<ComponentUpdate> {
        match &line.event {
            Some(TerraformEvent::ApplyStart(resource)) => self.started(resource),
            Some(TerraformEvent::ApplyComplete(resource)) => self.completed(resource),
            Some(TerraformEvent::ApplyErrored(resource)) => {
                self.failed(&resource.address, format!("{} failed", resource.address))
            }
            Some(TerraformEvent::Diagnostic(diagnostic)) => self.diagnosed(diagnostic),
            Some(TerraformEvent::Outputs(outputs)) => {
                self.keep_outputs(outputs);
                Vec::new()
            }
            Some(
                TerraformEvent::Version { .. }
                | TerraformEvent::PlannedChange(_)
                | TerraformEvent::ResourceDrift(_)
                | TerraformEvent::ChangeSummary(_)
                | TerraformEvent::ApplyProgress(_)
                | TerraformEvent::RefreshStart { .. }
                | TerraformEvent::RefreshComplete { .. }
                | TerraformEvent::Provision { .. }
                | TerraformEvent::Log,
            )
            | None => Vec::new(),
        }
    }

    /// Ends the run: what had nothing to do has settled, what was cut off has failed.
    pub fn finish(&mut self) -> Vec<ComponentUpdate> {
        let components: Vec<ComponentRef> = self.components.keys().cloned().collect();
        components.into_iter().filter_map(|component| self.close(component)).collect()
    }

    /// Resources done, and resources to do in the whole plan.
    pub fn progress(&self) -> (u32, u32) {
        (self.done, self.total)
    }

    /// What each component gave out, without anything sensitive; empty until the outputs were printed.
    pub fn outputs(&self) -> &BTreeMap<ComponentRef, Map<String, Value>> {
        &self.outputs
    }

    /// The warnings and errors so far.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn started(&mut self, resource: &ResourceAction) -> Vec<ComponentUpdate> {
        let Some((component, part)) = self.part_of(resource) else { return Vec::new() };
        if part.stage != PartStage::Waiting {
            return Vec::new();
        }
        part.stage = PartStage::Working;
        let event = if part.goes { ComponentEvent::Remove } else { ComponentEvent::Build };
        vec![self.update(component, event, None)]
    }

    fn completed(&mut self, resource: &ResourceAction) -> Vec<ComponentUpdate> {
        let Some((component, _)) = self.part_of(resource) else { return Vec::new() };
        let Some(steps) = self.steps_left.get_mut(&resource.address).filter(|steps| **steps > 0) else {
            return Vec::new();
        };
        *steps -= 1;
        if *steps > 0 {
            return Vec::new();
        }
        self.done += 1;
        self.settle(component, &resource.address)
    }

    fn settle(&mut self, component: ComponentRef, address: &str) -> Vec<ComponentUpdate> {
        let Some(part) = self.components.get_mut(&component) else { return Vec::new() };
        part.unfinished.remove(address);
        if part.stage != PartStage::Working || !part.unfinished.is_empty() {
            return Vec::new();
        }
        part.stage = PartStage::Ended;
        let event = part.end();
        vec![self.update(component, event, None)]
    }

    fn failed(&mut self, address: &str, reason: String) -> Vec<ComponentUpdate> {
        let Some(component) = component_of(address) else { return Vec::new() };
        let Some(part) = self.components.get_mut(&component) else { return Vec::new() };
        part.stage = PartStage::Failed;
        vec![self.update(component, ComponentEvent::Fail, Some(reason))]
    }

    fn diagnosed(&mut self, diagnostic: &Diagnostic) -> Vec<ComponentUpdate> {
        self.diagnostics.push(diagnostic.clone());
        match (&diagnostic.severity, &diagnostic.address) {
            (Severity::Error, Some(address)) => self.failed(address, diagnostic.reason()),
            (Severity::Error, None) | (Severity::Warning, _) => Vec::new(),
        }
    }

    fn keep_outputs(&mut self, outputs: &BTreeMap<String, Output>) {
        let Some(output) = outputs.get("components").filter(|output| !output.sensitive) else { return };
        self.outputs = crate::outputs::by_component(&output.value);
    }

    fn close(&mut self, component: ComponentRef) -> Option<ComponentUpdate> {
        let part = self.components.get_mut(&component)?;
        match part.stage {
            PartStage::Waiting if part.planned == 0 => {
                part.stage = PartStage::Ended;
                let event = part.end();
                Some(self.update(component, event, None))
            }
            PartStage::Working => {
                part.stage = PartStage::Failed;
                let reason = part.cut_off();
                Some(self.update(component, ComponentEvent::Fail, Some(reason)))
            }
            PartStage::Waiting | PartStage::Ended | PartStage::Failed => None,
        }
    }

    fn part_of(&mut self, resource: &ResourceAction) -> Option<(ComponentRef, &mut Part)> {
        if resource.action == Action::Read {
            return None;
        }
        let component = component_of(&resource.address)?;
        let part = self.components.get_mut(&component)?;
        Some((component, part))
    }

    fn update(
        &self,
        component: ComponentRef,
        event: ComponentEvent,
        reason: Option<String>,
    ) -> ComponentUpdate {
        ComponentUpdate { component, event, done: self.done, total: self.total, reason }
    }
}

impl Part {
    fn new(plan: &ComponentPlan, destroy: bool) -> Self {
        Self {
            goes: destroy || plan.change == Change::Destroy,
            unfinished: plan.resources.iter().map(|resource| resource.address.clone()).collect(),
            planned: plan.resources.len(),
            stage: PartStage::Waiting,
        }
    }

    fn end(&self) -> ComponentEvent {
        if self.goes { ComponentEvent::Vanish } else { ComponentEvent::Settle }
    }

    fn cut_off(&self) -> String {
        let done = self.planned - self.unfinished.len();
        format!("stopped after {done} of {} resources", self.planned)
    }
}

/// How often Terraform reports the end of work on a resource: a replacement is a removal and a creation.
fn steps(change: Change) -> u8 {
    match change {
        Change::None => 0,
        Change::Create | Change::Update | Change::Destroy => 1,
        Change::Replace => 2,
    }
}

#[cfg(test)]
mod tests;
