//! What a Terraform that was killed outright had made and could not write down: it is in the cloud and in no state.
//!
//! That is no fault of the platform: nobody can write down what a dead process knew. The next apply finds the name taken, so
//! a person removes it by hand, as here. Only what a killed Terraform can have made is ever touched or excused.

use std::collections::BTreeSet;

use alethia_api::{client::Client, specs::Spec};
use alethia_sandbox::cloud::Resource;
use anyhow::Result;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::{journal::Run, world::World};

/// Type and id of a resource.
pub(crate) type Key = (String, String);

/// Removes them, unless a Terraform is still at work on the Spec. Tells how many there were.
///
/// # Errors
/// When the Console or the disk does not answer.
pub(crate) async fn remove(world: &World, client: &Client, spec: &Spec) -> Result<usize> {
    let lock = world.journal.lock_file(&spec.id.to_string())?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(0);
    }
    let known: BTreeSet<Key> = match client.state(spec.id).await?.current {
        Some(current) => {
            in_state(&client.state_content(spec.id, current.serial).await?).into_iter().collect()
        }
        None => BTreeSet::new(),
    };
    let (runs, mut removed) = (world.journal.runs()?, 0);
    for resource in world.cloud.list()? {
        if !known.contains(&key(&resource)) && is_leak(&runs, spec, &resource) {
            world
                .chronicle
                .note(&format!("{} {} was left by a killed Terraform", resource.kind, resource.id));
            world.cloud.remove(&resource.kind, &resource.id)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a Terraform that was killed may have made it for this Spec.
pub(crate) fn is_leak(runs: &[Run], spec: &Spec, resource: &Resource) -> bool {
    let is_its = resource.id.contains(&format!("{}-", spec.name));
    let mut killed = runs.iter().filter(|run| run.command == "apply" && run.ended.is_none());
    is_its && killed.any(|run| run.spec == spec.id.to_string() && resource.created >= run.begun)
}

pub(crate) fn key(resource: &Resource) -> Key {
    (resource.kind.clone(), resource.id.clone())
}

/// Resources of the cloud that a state tells of.
pub(crate) fn in_state(state: &Value) -> Vec<Key> {
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
