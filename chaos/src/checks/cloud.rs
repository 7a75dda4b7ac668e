//! What is in the cloud is what the states say, and what the components of the Specs say.
//!
//! A Terraform that was killed outright could not write down what it had just made. Such a resource is in the cloud and in
//! no state; it is no fault of the platform, which is why only those that were made by a killed one are passed over.

use std::collections::BTreeSet;

use alethia_api::specs::SpecDetail;
use alethia_domain::lifecycle::{ComponentStatus, SpecStatus};
use alethia_sandbox::cloud::Resource;
use serde_json::Value;

use super::Evidence;

type Key = (String, String);

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

fn key(resource: &Resource) -> Key {
    (resource.kind.clone(), resource.id.clone())
}

/// Resources of the cloud that a state tells of.
fn in_state(state: &Value) -> Vec<Key> {
    let resources = state["resources"].as_array().into_iter().flatten();
    let managed = resources.filter(|resource| {
        resource["mode"] == "managed"
            && resource["type"].as_str().is_some_and(|kind| kind.starts_with("aws_"))
    });
    let instances = managed.flat_map(|resource| {
        let kind = resource["type"].as_str().unwrap_or_default();
        let instances = resource["instances"].as_array().into_iter().flatten();
        instances.map(move |instance| {
            let id = instance["attributes"]["id"].as_str().unwrap_or_default();
            (kind.to_owned(), id.to_owned())
        })
    });
    instances.collect()
}

/// Whether a Terraform that was killed may have made it.
fn is_excused(evidence: &Evidence, resource: &Resource) -> bool {
    let killed = evidence.runs.iter().filter(|run| run.command == "apply" && run.ended.is_none());
    killed.into_iter().any(|run| {
        let spec = evidence.specs.iter().find(|spec| spec.spec.id.to_string() == run.spec);
        let is_its = spec.is_some_and(|spec| resource.id.contains(&format!("{}-", spec.spec.name)));
        is_its && resource.created >= run.begun
    })
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
            (SpecStatus::Draft, ComponentStatus::Pending) => {}
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
