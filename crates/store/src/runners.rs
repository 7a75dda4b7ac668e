//! Runners. A removed one keeps its row, so that its jobs still say who had them; its token is refused.

use std::collections::BTreeMap;

use alethia_domain::ids::{JobId, RunnerId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::Value;

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, for_update, found, json, values},
    jobs::Fence,
};

/// A Runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Id.
    pub id: RunnerId,
    /// Name, unique among those that are not removed.
    pub name: String,
    /// Labels.
    pub labels: Vec<String>,
    /// Its version, as it said last.
    pub version: Option<String>,
    /// Its Terraform, as it said last.
    pub tool: Option<String>,
    /// When it last asked for work.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Jobs it has now.
    pub jobs: Vec<JobId>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A Runner to be registered.
#[derive(Clone, Debug)]
pub struct NewRunner {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: Vec<String>,
    /// SHA-256 of its token, as lowercase hexadecimal.
    pub token_hash: String,
}

/// How long a sign of life of a Runner is not noted again.
pub const NOTED_FOR: TimeDelta = TimeDelta::seconds(10);

const SELECT: &str = "SELECT id, name, labels, version, tool, last_seen_at, created_at FROM runners";

/// Registers a Runner.
///
/// # Errors
/// [`Conflict::NameTaken`].
pub async fn insert(tx: &Tx, new: &NewRunner, now: DateTime<Utc>) -> Result<Runner> {
    let id = RunnerId::generate();
    let sql = "INSERT INTO runners (id, name, labels, token_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
    let inserted = tx.execute(sql, values![id, new.name, json(&new.labels), new.token_hash, now]).await;
    inserted
        .map_err(|error| error.or_taken(Conflict::NameTaken { noun: "runner", name: new.name.clone() }))?;
    get(tx, id).await
}

/// A Runner by its id, removed ones too.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, id: RunnerId) -> Result<Runner> {
    let row = reader.optional(&format!("{SELECT} WHERE id = $1"), values![id]).await?;
    with_jobs(reader, runner(&found(row, "runner", id)?)?).await
}

/// A Runner by its name.
///
/// # Errors
/// When there is none.
pub async fn by_name(reader: &impl Reader, name: &str) -> Result<Runner> {
    let sql = format!("{SELECT} WHERE name = $1 AND removed_at IS NULL");
    let row = reader.optional(&sql, values![name]).await?;
    with_jobs(reader, runner(&found(row, "runner", name)?)?).await
}

/// The Runner whose token has this hash. Its `jobs` are left empty: this is asked at every claim.
///
/// # Errors
/// When the database is not available.
pub async fn by_token_hash(reader: &impl Reader, token_hash: &str) -> Result<Option<Runner>> {
    let sql = format!("{SELECT} WHERE token_hash = $1 AND removed_at IS NULL");
    reader.optional(&sql, values![token_hash]).await?.as_ref().map(runner).transpose()
}

/// Runners, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, page: PageRequest) -> Result<Page<Runner>> {
    let sql = format!("{SELECT} WHERE id < $1 AND removed_at IS NULL ORDER BY id DESC LIMIT $2");
    let runners = found_with_jobs(reader, &sql, values![page.before(), page.fetch()]).await?;
    Ok(page.page(runners, |runner| runner.id.0))
}

/// All Runners, the newest first: as many as people have registered.
///
/// # Errors
/// When the database is not available.
pub async fn all(reader: &impl Reader) -> Result<Vec<Runner>> {
    found_with_jobs(reader, &format!("{SELECT} WHERE removed_at IS NULL ORDER BY id DESC"), values![]).await
}

/// Notes that a Runner asked for work, and what it said about itself.
///
/// # Errors
/// When the database is not available.
pub async fn seen(tx: &Tx, id: RunnerId, version: &str, tool: &str, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE runners SET version = $2, tool = $3, last_seen_at = $4 WHERE id = $1";
    tx.execute(sql, values![id, version, tool, now]).await?;
    Ok(())
}

/// Notes that the Runner of an attempt is there, unless that was noted a moment ago.
///
/// # Errors
/// When the database is not available.
pub async fn works(tx: &Tx, fence: Fence, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE runners SET last_seen_at = $3 WHERE last_seen_at < $4 \
        AND id = (SELECT runner_id FROM provision_jobs WHERE id = $1 AND attempt = $2)";
    tx.execute(sql, values![fence.job_id, fence.attempt, now, now - NOTED_FOR]).await?;
    Ok(())
}

/// Gives a Runner another token; tells whether there is one of that name. It stays the same Runner: jobs that are for it
/// alone go on waiting for it.
///
/// # Errors
/// When the database is not available.
pub async fn replace_token(tx: &Tx, name: &str, token_hash: &str) -> Result<bool> {
    let sql = "UPDATE runners SET token_hash = $2 WHERE name = $1 AND removed_at IS NULL";
    Ok(tx.execute(sql, values![name, token_hash]).await? > 0)
}

/// Whether there is a Runner that is not removed. It stays until the transaction ends.
///
/// # Errors
/// When the database is not available.
pub async fn is_registered(tx: &Tx, id: RunnerId) -> Result<bool> {
    let sql = format!("SELECT id FROM runners WHERE id = $1 AND removed_at IS NULL{}", for_update(tx));
    Ok(tx.optional(&sql, values![id]).await?.is_some())
}

/// Removes a Runner. It can claim nothing any more; jobs that it has go on until they end or their lease does.
///
/// # Errors
/// When there is none; [`Conflict::RunnerAwaited`] while a job that is not over is for it alone.
pub async fn remove(tx: &Tx, name: &str, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE runners SET removed_at = $2 WHERE name = $1 AND removed_at IS NULL RETURNING id";
    let removed: RunnerId = found(tx.optional(sql, values![name, now]).await?, "runner", name)?.id("id")?;
    // In no order: what writes on PostgreSQL would walk all jobs to find the first.
    let sql = "SELECT id FROM provision_jobs WHERE assigned_runner_id = $1 \
        AND status IN ('QUEUED', 'CLAIMED', 'PROCESSING') LIMIT 1";
    match tx.optional(sql, values![removed]).await? {
        Some(job) => Err(Conflict::RunnerAwaited { name: name.to_owned(), job_id: job.id("id")? }.into()),
        None => Ok(()),
    }
}

async fn with_jobs(reader: &impl Reader, mut runner: Runner) -> Result<Runner> {
    runner.jobs = active_jobs(reader).await?.remove(&runner.id).unwrap_or_default();
    Ok(runner)
}

async fn found_with_jobs(reader: &impl Reader, sql: &str, values: Vec<Value>) -> Result<Vec<Runner>> {
    let rows = reader.all(sql, values).await?;
    let mut runners = rows.iter().map(runner).collect::<Result<Vec<_>>>()?;
    let mut jobs = active_jobs(reader).await?;
    for runner in &mut runners {
        runner.jobs = jobs.remove(&runner.id).unwrap_or_default();
    }
    Ok(runners)
}

/// All jobs that some Runner has: no more than the Runners have slots. A job has a lease just as long.
async fn active_jobs(reader: &impl Reader) -> Result<BTreeMap<RunnerId, Vec<JobId>>> {
    let sql = "SELECT id, runner_id FROM provision_jobs WHERE lease_expires_at IS NOT NULL";
    let mut jobs: BTreeMap<RunnerId, Vec<JobId>> = BTreeMap::new();
    for row in reader.all(sql, values![]).await? {
        jobs.entry(row.id("runner_id")?).or_default().push(row.id("id")?);
    }
    jobs.values_mut().for_each(|jobs| jobs.sort());
    Ok(jobs)
}

fn runner(row: &Row) -> Result<Runner> {
    Ok(Runner {
        id: row.id("id")?,
        name: row.get("name")?,
        labels: row.json("labels")?,
        version: row.get("version")?,
        tool: row.get("tool")?,
        last_seen_at: row.get("last_seen_at")?,
        jobs: Vec::new(),
        created_at: row.get("created_at")?,
    })
}
