//! Nothing lost, nothing doubled: every job that somebody was told of is there and has ended, one attempt at a time.

use std::collections::{BTreeMap, BTreeSet};

use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
    lifecycle::JobStatus,
};

use super::Evidence;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    [lost(evidence), attempts(evidence), active(evidence)].concat()
}

fn lost(evidence: &Evidence) -> Vec<String> {
    let there: BTreeMap<JobId, JobStatus> = evidence.jobs.iter().map(|job| (job.id, job.status)).collect();
    let wrong = evidence.made.iter().filter_map(|made| match there.get(&made.job) {
        None => Some(format!("the job {} of {} was acknowledged and is lost", made.job, made.spec)),
        Some(status) if !status.is_final() => {
            let asked = if made.cancelled { ", though it was cancelled" } else { "" };
            Some(format!("the job {} has not ended{asked}: it is {status}", made.job))
        }
        Some(_) => None,
    });
    wrong.collect()
}

/// Attempts of a job follow each other, and all have ended.
fn attempts(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before: BTreeMap<JobId, &super::evidence::Attempt> = BTreeMap::new();
    for attempt in &evidence.attempts {
        let who = format!("the attempt {} of the job {}", attempt.attempt, attempt.job_id);
        if attempt.ended_at.is_none() {
            wrong.push(format!("{who} has not ended"));
        }
        if let Some(last) = before.insert(attempt.job_id, attempt) {
            if last.attempt >= attempt.attempt {
                wrong.push(format!("{who} came after the attempt {}", last.attempt));
            }
            if last.ended_at.is_none_or(|ended| ended > attempt.claimed_at) {
                wrong.push(format!("{who} began before the one before it had ended"));
            }
        }
    }
    wrong
}

/// One job of a Spec is active at a time, and one that changes things is under way at a time.
fn active(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut active, mut mutating) = (BTreeMap::new(), BTreeMap::new());
    for event in &evidence.events {
        let (Some(spec), Some(job), EventChange::JobChanged { job_type, status, .. }) =
            (event.spec_id, event.job_id, &event.change)
        else {
            continue;
        };
        let works = matches!(status, JobStatus::Claimed | JobStatus::Processing);
        wrong.extend(enter(&mut active, spec, job, works, "active"));
        if job_type.is_mutating() {
            wrong.extend(enter(&mut mutating, spec, job, !status.is_final(), "to change it"));
        }
    }
    wrong
}

fn enter(
    there: &mut BTreeMap<SpecId, BTreeSet<JobId>>,
    spec: SpecId,
    job: JobId,
    enters: bool,
    what: &str,
) -> Option<String> {
    let jobs = there.entry(spec).or_default();
    if enters {
        jobs.insert(job)
    } else {
        jobs.remove(&job)
    };
    (jobs.len() > 1).then(|| format!("the Spec {spec} had {} jobs {what} at a time: {jobs:?}", jobs.len()))
}
