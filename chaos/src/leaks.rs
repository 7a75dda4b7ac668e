//! What is in the cloud and in no state, and whose fault it is not.
//!
//! A Terraform that was killed outright could not write down what it had made. One whose Runner was lost could, but its state
//! came after somebody had gone on without it: nobody can know that it will come. The next apply finds the name taken, so a
//! person removes it by hand, as here. Nothing else is ever touched or excused.

use std::collections::BTreeSet;

use alethia_api::{
    client::Client,
    jobs::{Job, JobQuery},
    specs::Spec,
};
use alethia_domain::lifecycle::FailureReason;
use alethia_sandbox::cloud::Resource;
use anyhow::Result;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::{journal::Run, world::World};

/// Type and id of a resource.
pub(crate) type Key = (String, String);

/// Whether an apply failed because of them.
pub(crate) fn stand_in_the_way(spec: &Spec) -> bool {
    spec.status_reason.as_ref().is_some_and(|reason| reason.contains("AlreadyExists"))
}

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
    let query = JobQuery { spec_id: Some(spec.id), limit: Some(200), ..JobQuery::default() };
    let (runs, jobs, mut removed) = (world.journal.runs()?, client.jobs(&query).await?.items, 0);
    for resource in world.cloud.list()? {
        if !known.contains(&key(&resource)) && is_leak(&runs, &jobs, spec, &resource) {
            world
                .chronicle
                .note(&format!("{} {} was left behind and is removed by hand", resource.kind, resource.id));
            world.cloud.remove(&resource.kind, &resource.id)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether an apply may have made it for this Spec that was killed, or whose Runner was lost.
pub(crate) fn is_leak(runs: &[Run], jobs: &[Job], spec: &Spec, resource: &Resource) -> bool {
    let is_its = resource.id.contains(&format!("{}-", spec.name));
    let mut applies = runs.iter().filter(|run| run.command == "apply" && run.spec == spec.id.to_string());
    is_its
        && applies.any(|run| {
            let made_it =
                resource.created >= run.begun && run.ended.is_none_or(|ended| resource.created <= ended);
            made_it && (run.ended.is_none() || jobs.iter().any(|job| is_lost(job, run)))
        })
}

/// Whether the run was one of this job, whose Runner was lost.
fn is_lost(job: &Job, run: &Run) -> bool {
    let lost = job.failure.as_ref().is_some_and(|failure| failure.reason == FailureReason::RunnerLost);
    let within = job.started_at.is_some_and(|started| run.begun >= started)
        && job.finished_at.is_some_and(|finished| run.begun <= finished);
    lost && within && job.spec_id.to_string() == run.spec
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
