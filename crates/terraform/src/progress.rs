//! Where each component is, out of the lines of a running `apply -json` or `destroy -json`.
//!
//! Built from the summary of the plan that is being applied, so it knows how many resources of each component change. A
//! component starts with the first step of one, is told of again with each that is done, ends with the last, and fails with
//! the first error, at once. What Terraform never got to is left alone; what it left half done has failed.

use std::collections::BTreeMap;

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

/// Where a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentUpdate {
    /// Which.
    pub component: ComponentRef,
    /// What happened to it last.
    pub event: ComponentEvent,
    /// How many of its resources are done.
    pub done: u32,
    /// How many of its resources change.
    pub total: u32,
    /// Why, when it failed.
    pub reason: Option<String>,
}

/// Folds lines into where each component is, and what it gave out.
#[derive(Clone, Debug)]
pub struct Tracker {
    components: BTreeMap<ComponentRef, Part>,
    outputs: BTreeMap<ComponentRef, Map<String, Value>>,
}

/// One component in this run.
#[derive(Clone, Debug)]
struct Part {
    goes: bool,
    /// Steps that are left of each resource that is not done.
    unfinished: BTreeMap<String, u8>,
    total: usize,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Working,
    Ended,
    Failed(String),
}

impl Tracker {
    /// A tracker for the apply of a plan; `destroy` when the plan removes the whole Spec.
    pub fn new(plan: &PlanSummary, destroy: bool) -> Self {
        let part = |plan: &ComponentPlan| (plan.component.clone(), Part::new(plan, destroy));
        Self { components: plan.components.iter().map(part).collect(), outputs: BTreeMap::new() }
    }

    /// Takes one line and says where the component is that it moved.
    pub fn observe(&mut self, line: &Line) -> Option<ComponentUpdate> {
        match line.event.as_ref()? {
            TerraformEvent::ApplyStart(resource) => self.moved(resource, |part, _| part.start()),
            TerraformEvent::ApplyComplete(resource) => self.moved(resource, Part::complete),
            TerraformEvent::ApplyErrored(ResourceAction { address, .. }) => {
                self.failed(address, format!("{address} failed"))
            }
            TerraformEvent::Diagnostic(diagnostic) => self.diagnosed(diagnostic),
            TerraformEvent::Outputs(outputs) => {
                self.keep_outputs(outputs);
                None
            }
            TerraformEvent::Version { .. }
            | TerraformEvent::PlannedChange(_)
            | TerraformEvent::ResourceDrift(_)
            | TerraformEvent::ChangeSummary(_)
            | TerraformEvent::ApplyProgress(_)
            | TerraformEvent::RefreshStart { .. }
            | TerraformEvent::RefreshComplete { .. }
            | TerraformEvent::Provision { .. }
            | TerraformEvent::Log => None,
        }
    }

    /// The last word on every component, when all went well.
    pub fn succeeded(&self) -> Vec<ComponentUpdate> {
        let word = |(component, part): (&ComponentRef, &Part)| {
            let total = count(part.total);
            ComponentUpdate {
                component: component.clone(),
                event: part.end(),
                done: total,
                total,
                reason: None,
            }
        };
        self.components.iter().map(word).collect()
    }

    /// The last word on what an apply got to before it broke off: what had nothing to do has settled, what was cut off has
    /// failed.
    pub fn finish(&mut self) -> Vec<ComponentUpdate> {
        self.components.values_mut().for_each(Part::close);
        self.components.iter().filter_map(|(component, part)| part.update(component)).collect()
    }

    /// Resources done, and resources to do in the whole plan.
    pub fn progress(&self) -> (u32, u32) {
        let sum = |of: fn(&Part) -> usize| count(self.components.values().map(of).sum());
        (sum(Part::done), sum(|part| part.total))
    }

    /// What each component gave out, without anything sensitive; empty until the outputs were printed.
    pub fn outputs(&self) -> &BTreeMap<ComponentRef, Map<String, Value>> {
        &self.outputs
    }

    /// Something was done to a resource; what is only read moves nothing.
    fn moved(
        &mut self,
        resource: &ResourceAction,
        step: impl FnOnce(&mut Part, &str) -> bool,
    ) -> Option<ComponentUpdate> {
        if resource.action == Action::Read {
            return None;
        }
        let component = component_of(&resource.address)?;
        let part = self.components.get_mut(&component)?;
        step(part, &resource.address).then(|| part.update(&component)).flatten()
    }

    fn failed(&mut self, address: &str, reason: String) -> Option<ComponentUpdate> {
        let component = component_of(address)?;
        let part = self.components.get_mut(&component)?;
        part.stage = Stage::Failed(reason);
        part.update(&component)
    }

    fn diagnosed(&mut self, diagnostic: &Diagnostic) -> Option<ComponentUpdate> {
        match diagnostic.severity {
            Severity::Error => self.failed(diagnostic.address.as_ref()?, diagnostic.reason()),
            Severity::Warning => None,
        }
    }

    fn keep_outputs(&mut self, outputs: &BTreeMap<String, Output>) {
        let Some(output) = outputs.get("components").filter(|output| !output.sensitive) else { return };
        self.outputs = crate::outputs::by_component(&output.value);
    }
}

impl Part {
    fn new(plan: &ComponentPlan, destroy: bool) -> Self {
        let steps = plan.resources.iter().map(|resource| (resource.address.clone(), steps(resource.change)));
        let unfinished: BTreeMap<String, u8> = steps.collect();
        Self {
            goes: destroy || plan.change == Change::Destroy,
            total: unfinished.len(),
            unfinished,
            stage: Stage::Waiting,
        }
    }

    fn done(&self) -> usize {
        self.total - self.unfinished.len()
    }

    /// Work on a resource begins. Whether it is the first.
    fn start(&mut self) -> bool {
        let is_first = self.stage == Stage::Waiting;
        if is_first {
            self.stage = Stage::Working;
        }
        is_first
    }

    /// One step of a resource is done. Whether that was its last.
    fn complete(&mut self, address: &str) -> bool {
        match self.unfinished.get_mut(address) {
            None => return false,
            Some(steps) if *steps > 1 => {
                *steps -= 1;
                return false;
            }
            Some(_) => self.unfinished.remove(address),
        };
        if self.stage == Stage::Working && self.unfinished.is_empty() {
            self.stage = Stage::Ended;
        }
        true
    }

    fn close(&mut self) {
        match self.stage {
            Stage::Waiting if self.total == 0 => self.stage = Stage::Ended,
            Stage::Working => {
                let reason = format!("stopped after {} of {} resources", self.done(), self.total);
                self.stage = Stage::Failed(reason);
            }
            Stage::Waiting | Stage::Ended | Stage::Failed(_) => {}
        }
    }

    /// Where it is; `None` before its first step.
    fn update(&self, component: &ComponentRef) -> Option<ComponentUpdate> {
        let (event, reason) = match &self.stage {
            Stage::Waiting => return None,
            Stage::Working if self.goes => (ComponentEvent::Remove, None),
            Stage::Working => (ComponentEvent::Build, None),
            Stage::Ended => (self.end(), None),
            Stage::Failed(reason) => (ComponentEvent::Fail, Some(reason.clone())),
        };
        let (component, done, total) = (component.clone(), count(self.done()), count(self.total));
        Some(ComponentUpdate { component, event, done, total, reason })
    }

    fn end(&self) -> ComponentEvent {
        if self.goes { ComponentEvent::Vanish } else { ComponentEvent::Settle }
    }
}

/// How often Terraform reports the end of work on a resource: a replacement is a removal and a creation.
fn steps(change: Change) -> u8 {
    match change {
        Change::None | Change::Create | Change::Update | Change::Destroy => 1,
        Change::Replace => 2,
    }
}

fn count(resources: usize) -> u32 {
    u32::try_from(resources).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
