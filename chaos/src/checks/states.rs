//! No version of a state was taken from an attempt that was over, serials only grow, and what Terraform left behind came.

use std::collections::BTreeMap;

use super::{
    Evidence, TOLERANCE,
    evidence::{Attempt, Version},
};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    [stale(evidence), serials(evidence), lost(evidence)].concat()
}

fn stale(evidence: &Evidence) -> Vec<String> {
    let written = evidence.versions.iter().filter_map(|version| Some((version, version.job_id?)));
    let wrong = written.filter_map(|(version, job)| {
        let mut attempts = evidence.attempts.iter().filter(|attempt| attempt.job_id == job);
        let within = attempts.any(|attempt| lies_within(version, attempt));
        let adopted = || {
            let mut adopted = evidence.adopted.iter();
            adopted.any(|adopted| adopted.spec_id == version.spec_id && adopted.serial == version.serial)
        };
        (!within && !adopted()).then(|| {
            format!(
                "the serial {} of the state of {} was taken at {} from the job {job}, which had no attempt then",
                version.serial, version.spec_id, version.created_at
            )
        })
    });
    wrong.collect()
}

fn lies_within(version: &Version, attempt: &Attempt) -> bool {
    let at = version.created_at;
    at >= attempt.claimed_at - TOLERANCE && attempt.ended_at.is_none_or(|ended| at <= ended + TOLERANCE)
}

fn serials(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut highest = BTreeMap::new();
    for version in &evidence.versions {
        let last = highest.insert((version.spec_id, &version.lineage), version.serial);
        if let Some(last) = last.filter(|last| *last >= version.serial) {
            let Version { spec_id, serial, .. } = version;
            wrong.push(format!("the state of {spec_id} went from the serial {last} to {serial}"));
        }
    }
    wrong
}

/// Each state that Terraform left behind became a version of its job, came after the end of the attempt, or was refused.
fn lost(evidence: &Evidence) -> Vec<String> {
    let left = evidence.runs.iter().filter_map(|run| Some((run, run.left_state.as_ref()?)));
    let wrong = left.filter_map(|(run, left)| {
        let was_written = evidence.versions.iter().any(|version| {
            version.job_id == Some(run.job)
                && (&version.lineage, version.serial) == (&left.lineage, left.serial)
        });
        let has_arrived = evidence.arrivals.contains_key(&run.job);
        (!was_written && !has_arrived && !evidence.refused.contains(left)).then(|| {
            format!(
                "the state of {} with the serial {} was left behind by the job {} and never came",
                run.spec, left.serial, run.job
            )
        })
    });
    wrong.collect()
}
