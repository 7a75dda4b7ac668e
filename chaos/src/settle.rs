//! The end of a run: no more faults, everything runs, every job ends, and every Spec is brought to rest as a person would.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use alethia_api::{
    client::Client,
    jobs::{Job, JobQuery, NewJob},
    problem::Code,
    specs::{SpecDetail, SpecQuery},
};
use alethia_domain::{
    ids::JobId,
    lifecycle::{JobStatus, JobType, SpecStatus},
};
use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

use crate::{leaks, world::World};

/// How long everything may take to end.
const PATIENCE: Duration = Duration::from_secs(240);
const LOOK: Duration = Duration::from_millis(500);
/// How often a Spec is tried to be brought to rest.
const TRIES: usize = 5;

/// Waits until no job is under way any more; says which do not end, and which wait and can't say what for.
///
/// # Errors
/// When the Console does not answer.
pub(crate) async fn wait_for_jobs(client: &Client) -> Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    let (mut silent, mut wrong) = (Silent::default(), Vec::new());
    loop {
        let open: Vec<Job> = jobs(client).await?.into_iter().filter(|job| !job.status.is_final()).collect();
        wrong.extend(open.iter().filter_map(|job| silent.look(job)));
        if open.is_empty() || Instant::now() > deadline {
            wrong.extend(open.into_iter().map(still_open));
            return Ok(wrong);
        }
        sleep(LOOK).await;
    }
}

fn still_open(job: Job) -> String {
    let waits = job.waiting.map(|waiting| format!(" and waits for {}", waiting.detail)).unwrap_or_default();
    format!("the job {} ({}) of {} is still {}{waits}", job.id, job.job_type, job.spec, job.status)
}

/// Jobs that did not say why they wait. Once is no fault: a job may be claimed between its row and the reason.
#[derive(Debug, Default)]
pub(crate) struct Silent(BTreeMap<JobId, usize>);

impl Silent {
    /// Looks at a job; tells when it did not say it twice running.
    pub(crate) fn look(&mut self, job: &Job) -> Option<String> {
        if job.status != JobStatus::Queued || job.waiting.is_some() {
            self.0.remove(&job.id);
            return None;
        }
        let times = self.0.entry(job.id).or_default();
        *times += 1;
        (*times == 2).then(|| format!("the job {} is QUEUED and does not say what it waits for", job.id))
    }
}

/// Waits until every state that was left behind is delivered or refused; says which are not.
pub(crate) async fn wait_for_states(world: &World) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let kept: Vec<PathBuf> = world.runners.iter().flat_map(|runner| kept(&runner.works_in)).collect();
        if kept.is_empty() || Instant::now() > deadline {
            let tell = |place: &PathBuf| format!("the state in {} is not delivered", place.display());
            return kept.iter().map(tell).collect();
        }
        sleep(LOOK).await;
    }
}

/// Where a Runner keeps states together with what it takes to deliver them.
fn kept(works_in: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(works_in.join("rescued")).into_iter().flatten().flatten();
    folders.map(|folder| folder.path()).filter(|folder| folder.join("ticket.json").exists()).collect()
}

/// Brings every Spec to ACTIVE, DESTROYED or DRAFT; says which ones can't be.
///
/// # Errors
/// When the Console does not answer.
pub(crate) async fn bring_to_rest(world: &World, client: &Client) -> Result<Vec<String>> {
    let mut restless = Vec::new();
    for spec in specs(client).await? {
        if let Err(error) = rest(world, client, spec).await {
            restless.push(format!("{error:#}"));
        }
    }
    Ok(restless)
}

async fn rest(world: &World, client: &Client, mut spec: SpecDetail) -> Result<()> {
    let mut last = None;
    for number in 0..TRIES {
        if matches!(spec.spec.status, SpecStatus::Active | SpecStatus::Destroyed | SpecStatus::Draft) {
            return Ok(());
        }
        let (name, status) = (&spec.spec.name, spec.spec.status);
        world.chronicle.note(&format!("{name} is {status}; it is brought to rest"));
        if leaks::stand_in_the_way(&spec.spec) {
            leaks::remove(world, client, &spec.spec).await?;
        }
        let ended = bring(client, &spec, number).await?;
        last = ended.failure.map(|failure| failure.message);
        spec = client.spec(spec.spec.id).await?;
    }
    bail!("{} can't be brought to rest: {}", spec.spec.name, last.unwrap_or_default())
}

/// As the Spec says that it is to be done. Tells how the last job of it ended.
async fn bring(client: &Client, spec: &SpecDetail, number: usize) -> Result<Job> {
    let id = spec.spec.id;
    let key = |what: &str| format!("rest-{what}-{id}-{number}");
    let (job_type, plan_job_id) = match client.recover(id, &key("recover")).await {
        Ok(recovery) => {
            let plan = end(client, recovery.plan.id).await?;
            if plan.status != JobStatus::Success {
                return Ok(plan);
            }
            (recovery.lost.job_type, Some(plan.id))
        }
        Err(error) if error.code() == Some(Code::Conflict) => (JobType::Deploy, None),
        Err(error) => return Err(error.into()),
    };
    let confirm = Some(spec.spec.name.clone());
    let new = NewJob { plan_job_id, confirm, ..NewJob::new(job_type) };
    let job = client.create_job(id, &new, &key("job")).await?;
    end(client, job.id).await
}

async fn end(client: &Client, job: JobId) -> Result<Job> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = client.job(job).await?;
        if seen.status.is_final() {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            bail!("the job {job} does not end: it is {}", seen.status);
        }
        sleep(LOOK).await;
    }
}

/// How many jobs ended how.
pub(crate) fn tally(jobs: &[Job]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for job in jobs {
        let why = job.failure.as_ref().filter(|_| job.status == JobStatus::Failed);
        let why = why.map(|failure| format!(" {:?}", failure.reason)).unwrap_or_default();
        *tally.entry(format!("{} {}{why}", job.job_type, job.status)).or_default() += 1;
    }
    tally
}

/// Every job.
///
/// # Errors
/// When the Console does not answer.
pub(crate) async fn jobs(client: &Client) -> Result<Vec<Job>> {
    let (mut jobs, mut cursor) = (Vec::new(), None);
    loop {
        let query = JobQuery { limit: Some(200), cursor, ..JobQuery::default() };
        let page = client.jobs(&query).await?;
        jobs.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(jobs);
        }
    }
}

/// Every Spec.
///
/// # Errors
/// When the Console does not answer.
pub(crate) async fn specs(client: &Client) -> Result<Vec<SpecDetail>> {
    let mut specs = Vec::new();
    for spec in client.specs(&SpecQuery { limit: Some(200), ..SpecQuery::default() }).await?.items {
        specs.push(client.spec(spec.id).await?);
    }
    Ok(specs)
}

#[cfg(test)]
mod tests {
    use alethia_domain::ids::SpecId;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_that_does_not_say_twice_why_it_waits_is_told_once() {
        let at = "2026-11-24T10:00:00Z";
        let mut job: Job = serde_json::from_value(json!({
            "id": JobId::generate(), "type": "PLAN", "status": "QUEUED", "spec_id": SpecId::generate(), "spec": "a",
            "zone": "default", "revision": 1, "destroy": false, "attempt": 0, "cancel_requested": false,
            "author": "owner", "progress": { "done": 0, "total": 0 }, "created_at": at,
        }))
        .unwrap();
        let mut silent = Silent::default();
        assert_eq!([1, 2, 3].map(|_| silent.look(&job).is_some()), [false, true, false]);
        job.waiting =
            serde_json::from_value(json!({ "reason": "turn", "detail": "its turn", "ahead": 0 })).unwrap();
        assert_eq!(silent.look(&job), None);
        job.waiting = None;
        assert_eq!(silent.look(&job), None, "it is counted anew");
    }
}
