//! What is in the cloud is what the states say, and what the components of the Specs say.
//!
//! Only what nobody could write down, or not in time, is passed over; see `leaks`.

use std::collections::BTreeSet;

use alethia_api::specs::SpecDetail;
use alethia_domain::lifecycle::{ComponentStatus, SpecStatus};
use alethia_sandbox::cloud::Resource;
use serde_json::Value;

use super::Evidence;
use crate::leaks::{self, Key, Traces, in_state, key};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let known: BTreeSet<Key> = evidence.states.values().flat_map(in_state).collect();
    let there: BTreeSet<Key> = evidence.resources.iter().map(key).collect();
    let missing =
        known.difference(&there).map(|(kind, id)| format!("{kind} {id} is in a state and not in the cloud"));
    let unknown =
        evidence.resources.iter().filter(|made| !known.contains(&key(made)) && !is_excused(evidence, made));
    let unknown = unknown.map(|made| format!("{} {} is in the cloud and in no state", made.kind, made.id));
    let rows = evidence.specs.iter().flat_map(|spec| components(spec, evidence.states.get(&spec.spec.id)));
    missing.chain(unknown).chain(rows).collect()
}

/// Whether it is nobody's fault.
fn is_excused(evidence: &Evidence, resource: &Resource) -> bool {
    let Evidence { runs, jobs, arrivals, .. } = evidence;
    let traces = Traces { runs, jobs, arrivals };
    evidence.specs.iter().any(|spec| leaks::is_leak(&traces, &spec.spec, resource))
}

/// ACTIVE: every component of the document is ACTIVE with its outputs; DESTROYED: nothing is left.
fn components(spec: &SpecDetail, state: Option<&Value>) -> Vec<String> {
    let name = &spec.spec.name;
    let left = state.map(|state| in_state(state).len()).unwrap_or_default();
    let mut wrong = Vec::new();
    for row in &spec.components {
        let who = format!("the component {} of {name}", row.component);
        match (spec.spec.status, row.status) {
            (SpecStatus::Active, ComponentStatus::Active) if row.outputs.is_empty() => {
                wrong.push(format!("{who} is ACTIVE and has no outputs"));
            }
            (SpecStatus::Active, ComponentStatus::Active | ComponentStatus::Destroyed) => {}
            // Written since the last deployment.
            (SpecStatus::Active, ComponentStatus::Pending)
                if spec.spec.deployed_revision != Some(spec.spec.revision) => {}
            (SpecStatus::Destroyed, ComponentStatus::Destroyed | ComponentStatus::Pending) => {}
            (SpecStatus::Draft, ComponentStatus::Pending | ComponentStatus::Destroyed) => {}
            (status, component) => wrong.push(format!("{who} is {component} and the Spec {status}")),
        }
    }
    match spec.spec.status {
        SpecStatus::Destroyed | SpecStatus::Draft if left > 0 => {
            wrong.push(format!("{name} is {} and {left} resources are in its state", spec.spec.status));
        }
        SpecStatus::Active if left == 0 => wrong.push(format!("{name} is ACTIVE and its state is empty")),
        _ => {}
    }
    wrong
}
