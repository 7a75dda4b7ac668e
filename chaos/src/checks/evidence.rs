//! Everything that the checks look at, gathered when all is at rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use alethia_api::{
    client::Client,
    jobs::Job,
    logs::{LogChunk, LogQuery},
    specs::SpecDetail,
};
use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
};
use alethia_sandbox::cloud::Resource;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    history::{Followed, History, Made},
    journal::{Journal, Run, Snapshot},
    settle,
    world::World,
};

/// Everything that the checks look at.
#[derive(Default)]
pub(crate) struct Evidence {
    pub(super) made: Vec<Made>,
    pub(super) followed: Vec<Followed>,
    pub(super) jobs: Vec<Job>,
    pub(super) specs: Vec<SpecDetail>,
    /// Content of the newest state, by Spec.
    pub(super) states: BTreeMap<SpecId, Value>,
    pub(super) logs: BTreeMap<JobId, Vec<LogChunk>>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) versions: Vec<Version>,
    /// Serials that people had taken over from an attempt after its end.
    pub(super) adopted: Vec<Adopted>,
    /// When the first state came that an attempt at a job delivered after its end.
    pub(super) arrivals: BTreeMap<JobId, DateTime<Utc>>,
    /// States that Terraform left behind and the Console refused for good.
    pub(super) refused: BTreeSet<Snapshot>,
    /// Jobs of which their Runners said how they ended; others were given up with their Runner.
    pub(super) finished: BTreeSet<JobId>,
    pub(super) events: Vec<Event>,
    pub(super) resources: Vec<Resource>,
    pub(super) runs: Vec<Run>,
    pub(super) journal: Journal,
    /// Texts in which no secret may be, by name.
    pub(super) texts: Vec<(String, String)>,
    pub(super) secrets: BTreeSet<String>,
}

/// An attempt as the database has it.
#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    pub(super) job_id: JobId,
    pub(super) attempt: u32,
    pub(super) token_hash: String,
    pub(super) claimed_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
}

/// A version of a state as the database has it.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) spec_id: SpecId,
    pub(super) serial: u64,
    pub(super) lineage: String,
    pub(super) job_id: Option<JobId>,
    pub(super) created_at: DateTime<Utc>,
}

/// A rescued state that a person made a version.
#[derive(Debug, Deserialize)]
pub(super) struct Adopted {
    pub(super) spec_id: SpecId,
    pub(super) serial: u64,
}

/// A state that came after the end of its attempt.
#[derive(Debug, Deserialize)]
struct Arrival {
    job_id: JobId,
    at: DateTime<Utc>,
}

/// A job whose Runner said how it ended.
#[derive(Debug, Deserialize)]
struct Finished {
    job_id: JobId,
}

/// An event as the database has it, oldest first.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) spec_id: Option<SpecId>,
    pub(super) job_id: Option<JobId>,
    pub(super) change: EventChange,
}

impl Evidence {
    /// # Errors
    /// When the Console, the database or the disk does not answer.
    pub(crate) async fn gather(world: &World, history: &History, client: &Client) -> Result<Self> {
        let jobs = settle::jobs(client).await?;
        let specs = settle::specs(client).await?;
        let mut logs = BTreeMap::new();
        for job in &jobs {
            logs.insert(job.id, log(client, job.id).await?);
        }
        let mut states = BTreeMap::new();
        for spec in &specs {
            if let Some(current) = client.state(spec.spec.id).await?.current {
                states.insert(spec.spec.id, client.state_content(spec.spec.id, current.serial).await?);
            }
        }
        let attempts = rows(world, "SELECT * FROM job_attempts ORDER BY claimed_at")?;
        let versions = rows(world, "SELECT * FROM state_versions ORDER BY id")?;
        let adopted = rows(
            world,
            "SELECT subject AS spec_id, (detail->>'serial')::bigint AS serial FROM audit_log \
            WHERE action = 'state.adopt'",
        )?;
        let arrivals: Vec<Arrival> = rows(
            world,
            "SELECT detail->>'job' AS job_id, min(at) AS at FROM audit_log WHERE action = 'state.rescue' \
            GROUP BY detail->>'job'",
        )?;
        let finished: Vec<Finished> =
            rows(world, "SELECT subject AS job_id FROM audit_log WHERE action = 'job.finish'")?;
        let events = rows(world, "SELECT * FROM events ORDER BY id")?;
        Ok(Self {
            made: history.all(),
            followed: history.all_followed(),
            jobs,
            specs,
            states,
            logs,
            attempts,
            versions,
            adopted,
            arrivals: arrivals.into_iter().map(|arrival| (arrival.job_id, arrival.at)).collect(),
            finished: finished.into_iter().map(|finished| finished.job_id).collect(),
            refused: refused(world),
            events,
            resources: world.cloud.list()?,
            runs: world.journal.runs()?,
            journal: world.journal.clone(),
            texts: texts(world)?,
            secrets: secrets(world)?,
        })
    }

    /// What else is worth to be told.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let told: usize = self.followed.iter().map(|followed| followed.chunks.len()).sum();
        let killed = self.runs.iter().filter(|run| run.ended.is_none()).count();
        let applies = self.runs.iter().filter(|run| run.command == "apply").count();
        let lost = self.attempts.len().saturating_sub(self.jobs.len());
        vec![
            format!(
                "Terraform ran {} times, {applies} of them to change something; {killed} were killed",
                self.runs.len()
            ),
            format!("{} jobs had {} attempts: {lost} more than jobs", self.jobs.len(), self.attempts.len()),
            format!("{} jobs were followed, and told {} chunks", self.followed.len(), told),
            format!("{} versions of {} states", self.versions.len(), self.states.len()),
        ]
    }

    /// The attempt that a process of Terraform worked for.
    pub(super) fn attempt(&self, run: &Run) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.token_hash == run.token_hash)
    }
}

async fn log(client: &Client, job: JobId) -> Result<Vec<LogChunk>> {
    let (mut chunks, mut cursor) = (Vec::new(), None);
    loop {
        let page = client.logs(job, &LogQuery { cursor, limit: Some(200), search: None }).await?;
        chunks.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(chunks);
        }
    }
}

/// What is still on the shelf of a Runner, with the Console's answer beside it.
fn refused(world: &World) -> BTreeSet<Snapshot> {
    let shelves = world.runners.iter().map(|runner| runner.works_in.join("rescued"));
    let kept = shelves.flat_map(|shelf| fs::read_dir(shelf).into_iter().flatten().flatten());
    let refused = kept.map(|kept| kept.path()).filter(|kept| kept.join("refused.txt").exists());
    refused
        .filter_map(|kept| serde_json::from_slice(&fs::read(kept.join("errored.tfstate")).ok()?).ok())
        .collect()
}

fn rows<T: DeserializeOwned>(world: &World, query: &str) -> Result<Vec<T>> {
    let text = world.postgres.rows(&world.database, query)?;
    serde_json::from_str(&text).with_context(|| format!("what {query} gives can't be read"))
}

/// What the processes said, and the whole database.
fn texts(world: &World) -> Result<Vec<(String, String)>> {
    let folder = &world.settings.folder;
    let dump = world.postgres.dump(&world.database)?;
    fs::write(folder.join("database.sql"), &dump)?;
    let mut texts = vec![("the database".to_owned(), String::from_utf8_lossy(&dump).into_owned())];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            texts.push((path.display().to_string(), text));
        }
    }
    Ok(texts)
}

fn secrets(world: &World) -> Result<BTreeSet<String>> {
    let mut secrets = BTreeSet::from([world.token.clone(), crate::world::PLANTED.to_owned()]);
    for runner in &world.runners {
        secrets.insert(token(&world.settings.folder.join("runners").join(runner.name).join("token"))?);
    }
    Ok(secrets)
}

fn token(file: &Path) -> Result<String> {
    Ok(fs::read_to_string(file)?.trim().to_owned())
}
