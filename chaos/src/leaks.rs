//! What is in the cloud and in no state, and whose fault it is not.
//!
//! A Terraform that was killed outright could not write down what it had made. One that ended and left its state behind
//! could, but that state came after somebody had begun to go on without it: nobody can know that it will come. The next apply
//! finds the name taken, so a person removes it by hand, as here. Nothing else is ever touched or excused.

use std::collections::{BTreeMap, BTreeSet};

use alethia_api::{
    client::Client,
    jobs::{Job, JobQuery},
    specs::Spec,
};
use alethia_domain::ids::JobId;
use alethia_sandbox::cloud::Resource;
use anyhow::Result;
use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::{checks::TOLERANCE, journal::Run, world::World};

/// Type and id of a resource.
pub(crate) type Key = (String, String);

/// What there is that tells whose fault a resource is.
pub(crate) struct Traces<'a> {
    pub(crate) runs: &'a [Run],
    pub(crate) jobs: &'a [Job],
    /// When the states came that attempts at these jobs delivered after their end.
    pub(crate) arrivals: &'a BTreeMap<JobId, DateTime<Utc>>,
}

/// Whether an apply failed because of them.
pub(crate) fn stand_in_the_way(spec: &Spec) -> bool {
    spec.status_reason.as_ref().is_some_and(|reason| reason.contains("AlreadyExists"))
}

/// Removes them, unless a Terraform is still at work on the Spec. Tells how many there were.
///
/// # Errors
/// When the Console or the disk does not answer.
pub(crate) async fn remove(world: &World, client: &Client, spec: &Spec) -> Result<usize> {
    let lock = world.journal.lock_file(spec.id)?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(0);
    }
    let state = client.state(spec.id).await?;
    let known: BTreeSet<Key> = match &state.current {
        Some(current) => {
            in_state(&client.state_content(spec.id, current.serial).await?).into_iter().collect()
        }
        None => BTreeSet::new(),
    };
    let query = JobQuery { spec_id: Some(spec.id), limit: Some(200), ..JobQuery::default() };
    let (runs, jobs, mut removed) = (world.journal.runs()?, client.jobs(&query).await?.items, 0);
    // What has not come by now comes too late.
    let yet_to_come = runs.iter().filter(|run| run.left_state.is_some()).map(|run| (run.job, Utc::now()));
    let come = state.rescued.iter().map(|late| (late.job_id, late.created_at));
    let arrivals = earliest(yet_to_come.chain(come));
    let traces = Traces { runs: &runs, jobs: &jobs, arrivals: &arrivals };
    for resource in world.cloud.list()? {
        if !known.contains(&key(&resource)) && is_leak(&traces, spec, &resource) {
            world
                .chronicle
                .note(&format!("{} {} was left behind and is removed by hand", resource.kind, resource.id));
            world.cloud.remove(&resource.kind, &resource.id)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether an apply made it for this Spec that could not write it down, or not in time.
pub(crate) fn is_leak(traces: &Traces<'_>, spec: &Spec, resource: &Resource) -> bool {
    let applies: Vec<&Run> =
        traces.runs.iter().filter(|run| run.command == "apply" && run.spec == spec.id).collect();
    let followed = applies.iter().zip(applies.iter().skip(1).map(Some).chain([None]));
    resource.id.contains(&format!("{}-", spec.name))
        && followed.into_iter().any(|(run, next)| {
            let until = run.ended.or(next.map(|next| next.begun));
            let made_it =
                resource.created >= run.begun && until.is_none_or(|until| resource.created <= until);
            made_it && (run.ended.is_none() || next.is_some_and(|next| went_on_without(traces, run, next)))
        })
}

/// Whether the job of the second run was made before the state came that the first one left behind.
fn went_on_without(traces: &Traces<'_>, run: &Run, next: &Run) -> bool {
    let made = traces.jobs.iter().find(|job| job.id == next.job).map_or(next.begun, |job| job.created_at);
    let came = traces.arrivals.get(&run.job).filter(|_| run.left_state.is_some());
    came.is_some_and(|came| *came + TOLERANCE >= made)
}

/// When the first state of each job came.
fn earliest(arrivals: impl Iterator<Item = (JobId, DateTime<Utc>)>) -> BTreeMap<JobId, DateTime<Utc>> {
    let mut earliest = BTreeMap::new();
    for (job, came) in arrivals {
        earliest.entry(job).and_modify(|first: &mut DateTime<Utc>| *first = came.min(*first)).or_insert(came);
    }
    earliest
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

#[cfg(test)]
mod tests {
    use alethia_domain::ids::{SpecId, ZoneId};
    use serde_json::json;

    use super::*;
    use crate::journal::Snapshot;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn apply(spec: SpecId, begun: i64, ended: Option<i64>, left_state: bool) -> Run {
        Run {
            id: begun.to_string(),
            command: "apply".to_owned(),
            spec,
            job: JobId::generate(),
            token_hash: String::new(),
            begun: at(begun),
            ended: ended.map(at),
            overlaps: false,
            left_state: left_state.then(|| Snapshot { lineage: "line".to_owned(), serial: 2 }),
        }
    }

    /// Whether what was made at 15 is excused when the first of two applies ended like that and its state came then.
    fn is_excused(ended: Option<i64>, left_state: bool, came: Option<i64>) -> bool {
        let id = SpecId::generate();
        let spec: Spec = serde_json::from_value(json!({
            "id": id, "zone_id": ZoneId::generate(), "zone": "default", "name": "shop", "stage": "development",
            "provider": "aws", "region": "eu-west-1", "identity": "sandbox", "status": "FAILED", "revision": 1,
            "created_at": at(0), "updated_at": at(0),
        }))
        .unwrap();
        let made: Resource = serde_json::from_value(json!({
            "type": "aws_sqs_queue", "id": "shop-development-a", "name": "a", "region": "eu-west-1",
            "created": at(15), "updated": at(15), "attributes": {},
        }))
        .unwrap();
        let runs = [apply(id, 10, ended, left_state), apply(id, 100, Some(120), false)];
        let arrivals = came.map(|came| (runs[0].job, at(came))).into_iter().collect();
        is_leak(&Traces { runs: &runs, jobs: &[], arrivals: &arrivals }, &spec, &made)
    }

    #[test]
    fn only_what_could_not_be_told_in_time_is_excused() {
        assert!(is_excused(None, false, None), "it was killed");
        assert!(is_excused(Some(20), true, Some(110)), "somebody had gone on");
        assert!(!is_excused(Some(20), true, Some(60)), "it was there in time");
        assert!(!is_excused(Some(20), true, None), "it never came");
        assert!(!is_excused(Some(20), false, None), "its state was taken");
        assert!(!is_excused(Some(14), true, Some(110)), "another one made it");
    }

    #[test]
    fn the_first_state_of_a_job_counts_in_whatever_order_they_are_told() {
        let job = JobId::generate();
        for order in [[30, 10, 20], [10, 20, 30], [20, 30, 10]] {
            assert_eq!(earliest(order.map(|came| (job, at(came))).into_iter()), [(job, at(10))].into());
        }
    }
}
