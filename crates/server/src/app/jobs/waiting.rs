//! Why a job waits, what it waits for and its place in line: computed when a job is read, for a whole page at once.
//!
//! The reasons are asked in the order in which a claim asks them; the first that holds is told.

use std::collections::BTreeSet;

use alethia_api::jobs::{Job, WaitReason, Waiting};
use alethia_domain::lifecycle::JobStatus;
use alethia_store::{
    Page, Reader,
    jobs::{self, LINE_WALKED},
    runners::{self, Runner},
};
use chrono::{DateTime, Utc};

use super::view;
use crate::{app::runners::is_online, error::Result};

/// Jobs as clients see them, those that wait with why.
pub(super) async fn told(reader: &impl Reader, jobs: Vec<jobs::Job>, now: DateTime<Utc>) -> Result<Vec<Job>> {
    let queued: Vec<_> =
        jobs.iter().filter(|job| job.status == JobStatus::Queued).map(|job| job.id).collect();
    if queued.is_empty() {
        return Ok(jobs.into_iter().map(view::job).collect());
    }
    let mut waiting = jobs::waiting(reader, &queued).await?;
    let runners = runners::all(reader).await?;
    let told = jobs.into_iter().map(|job| {
        let why = waiting.remove(&job.id).map(|facts| why(&job, &facts, &runners, now));
        Job { waiting: why, ..view::job(job) }
    });
    Ok(told.collect())
}

/// A page of them.
pub(super) async fn page(
    reader: &impl Reader,
    page: Page<jobs::Job>,
    now: DateTime<Utc>,
) -> Result<alethia_api::page::Page<Job>> {
    let next = page.next.map(|next| next.to_string());
    Ok(alethia_api::page::Page { items: told(reader, page.items, now).await?, next })
}

fn why(job: &jobs::Job, facts: &jobs::Waiting, runners: &[Runner], now: DateTime<Utc>) -> Waiting {
    let (reason, detail) = first_reason(job, facts, runners, now);
    let ahead = facts.place.map_or(LINE_WALKED, |place| place - 1);
    Waiting { reason, detail, place: facts.place, ahead }
}

fn first_reason(
    job: &jobs::Job,
    facts: &jobs::Waiting,
    runners: &[Runner],
    now: DateTime<Utc>,
) -> (WaitReason, String) {
    if let Some(other) = facts.behind {
        return (WaitReason::JobOfSpec, format!("job {other} of its Spec"));
    }
    if let Some(zone) = facts.limited.filter(|zone| zone.active >= zone.max_jobs) {
        let detail = format!(
            "a place in the Zone {}, which runs {} of at most {} jobs",
            job.zone, zone.active, zone.max_jobs
        );
        return (WaitReason::ZoneFull, detail);
    }
    if let Some(until) = facts.not_before.filter(|until| *until > now) {
        let detail = format!("{} UTC, because an attempt was lost", until.format("%H:%M:%S"));
        return (WaitReason::HeldBack, detail);
    }
    of_runners(job, runners, now)
}

/// What the Runners that may have it have to do with it.
fn of_runners(job: &jobs::Job, runners: &[Runner], now: DateTime<Utc>) -> (WaitReason, String) {
    let assigned = |runner: &&Runner| job.assigned_runner_id.is_none_or(|id| id == runner.id);
    let able: Vec<&Runner> =
        runners.iter().filter(assigned).filter(|runner| has_labels(runner, job)).collect();
    let online: Vec<&Runner> = able.iter().copied().filter(|runner| is_online(runner, now)).collect();
    match (job.assigned_runner_id, online.as_slice()) {
        (Some(_), []) => (WaitReason::RunnerOffline, assigned_offline(job, runners)),
        (None, []) => (WaitReason::NoRunner, none_online(job, runners, &able)),
        (_, some) if some.iter().all(|runner| !runner.jobs.is_empty()) => {
            (WaitReason::RunnersBusy, busy(some))
        }
        (_, _) => (WaitReason::Turn, "its turn".to_owned()),
    }
}

fn has_labels(runner: &Runner, job: &jobs::Job) -> bool {
    job.required_labels.iter().all(|label| runner.labels.contains(label))
}

fn assigned_offline(job: &jobs::Job, runners: &[Runner]) -> String {
    let assigned = runners.iter().find(|runner| Some(runner.id) == job.assigned_runner_id);
    match assigned {
        Some(runner) if !has_labels(runner, job) => {
            format!("the Runner {}, which lacks {}", runner.name, labels(missing(job, &[runner])))
        }
        Some(runner) => format!("the Runner {}, which is offline", runner.name),
        None => "a Runner that is gone".to_owned(),
    }
}

/// Why nobody is there: nobody has the labels, or those who have are offline.
fn none_online(job: &jobs::Job, runners: &[Runner], able: &[&Runner]) -> String {
    if let [first, ..] = able {
        return format!("a Runner; {} is offline", names(first, able.len()));
    }
    if runners.is_empty() {
        return "a Runner; none is registered".to_owned();
    }
    let all: Vec<&Runner> = runners.iter().collect();
    match missing(job, &all).as_slice() {
        [] => format!("a Runner with all of {}; none has", labels(job.required_labels.iter().collect())),
        some => format!("a Runner with {}; none has", labels(some.to_vec())),
    }
}

/// Required labels that none of these has.
fn missing<'a>(job: &'a jobs::Job, runners: &[&Runner]) -> Vec<&'a String> {
    let known: BTreeSet<&String> = runners.iter().flat_map(|runner| &runner.labels).collect();
    job.required_labels.iter().filter(|label| !known.contains(label)).collect()
}

fn labels(labels: Vec<&String>) -> String {
    let noun = if labels.len() == 1 { "label" } else { "labels" };
    let labels: Vec<&str> = labels.into_iter().map(String::as_str).collect();
    format!("the {noun} {}", labels.join(", "))
}

fn names(first: &Runner, count: usize) -> String {
    match count {
        1 => first.name.clone(),
        more => format!("each of {more} that fit, {} among them,", first.name),
    }
}

fn busy(runners: &[&Runner]) -> String {
    match runners {
        [one] => format!("a free Runner; {} has work", one.name),
        more => format!("a free Runner; all {} that fit have work", more.len()),
    }
}
