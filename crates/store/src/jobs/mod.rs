//! Jobs: how they are made, looked at, worked on and ended. How a Runner gets one, or loses it, is in [`crate::queue`].
//! Whatever changes a status checks the old one, asks the lifecycle, and leaves an event.
//!
//! Whatever a Runner writes carries a [`Fence`]: it changes nothing once that attempt is over.

mod list;
mod row;
mod transition;
mod waiting;

use alethia_domain::{
    event::Failure,
    ids::{CloudIdentityId, JobId, RunnerId, SpecId, ZoneId},
    lifecycle::{JobStatus, JobType, SpecStatus},
    plan::PlanDigest,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

pub use list::{JobFilter, list, list_sql};
pub use transition::{
    Begun, End, Heartbeat, alive, cancel, finish, guard, heartbeat, kill, progress, start, withdraw,
};
pub(crate) use transition::{Current, announce, conclude, end_attempt, fenced};
pub use waiting::{LINE_WALKED, LimitedZone, Waiting, active_sql, waiting};

use crate::{
    Conflict, Reader, Result, Tx,
    db::{Query, found, json, text, values},
    doorbell::Bell,
};

/// Place in the line of the priority $4 for a job of the Spec `s`: after its Zone's own waiting jobs, and not before where
/// the line is now. (`turn >= 0` is the word for the index `provision_jobs_turns`.)
const TURN: &str = "SELECT MAX(x.turn) FROM (SELECT COALESCE((SELECT l.turn FROM provision_jobs l \
        WHERE l.status = 'QUEUED' AND l.priority = $4 ORDER BY l.turn LIMIT 1), 0) AS turn \
    UNION ALL SELECT COALESCE((SELECT o.turn + 1 FROM provision_jobs o WHERE o.status = 'QUEUED' AND o.turn >= 0 \
        AND o.zone_id = s.zone_id AND o.priority = $4 ORDER BY o.turn DESC LIMIT 1), 0)) x";

/// One attempt at a job: what every write of a Runner is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The job.
    pub job_id: JobId,
    /// The attempt.
    pub attempt: u32,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// What it does.
    pub job_type: JobType,
    /// Where it is.
    pub status: JobStatus,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Name of the Spec.
    pub spec: String,
    /// Id of the Spec's Zone.
    pub zone_id: ZoneId,
    /// Name of the Spec's Zone.
    pub zone: String,
    /// Revision it works from.
    pub revision: u32,
    /// SHA-256 of its snapshot.
    pub snapshot_hash: String,
    /// Cloud Identity it uses.
    pub identity_id: CloudIdentityId,
    /// Plan it applies.
    pub plan_job_id: Option<JobId>,
    /// Job that it tries again.
    pub retry_of: Option<JobId>,
    /// Whether a PLAN looks at the removal of everything.
    pub destroy: bool,
    /// Labels that a Runner must have.
    pub required_labels: Vec<String>,
    /// The only Runner that may have it.
    pub assigned_runner_id: Option<RunnerId>,
    /// Status that the Spec had before a DEPLOY was queued; it gets it back when the job ends before it started.
    pub former_status: Option<SpecStatus>,
    /// Try that is the current one; 0 before the first.
    pub attempt: u32,
    /// Until when the current attempt is valid without a heartbeat.
    pub lease_expires_at: Option<DateTime<Utc>>,
    /// Whether a person asked to end it.
    pub cancel_requested: bool,
    /// Whether a person then asked to kill what it runs.
    pub kill_requested: bool,
    /// Runner that has or had it.
    pub runner_id: Option<RunnerId>,
    /// Name of that Runner.
    pub runner: Option<String>,
    /// Step that runs.
    pub step: Option<String>,
    /// Resources that are done.
    pub done: u32,
    /// Resources in all; 0 before it is known.
    pub total: u32,
    /// Why it FAILED, or is CANCELLED without a word of its Runner.
    pub failure: Option<Failure>,
    /// Whether its plan changes anything; only of a PLAN with success.
    pub has_changes: Option<bool>,
    /// Digest of its plan; only of a PLAN with success.
    pub plan_digest: Option<PlanDigest>,
    /// Who asked for it.
    pub author: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a Runner started it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A job to be made.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it does.
    pub job_type: JobType,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Revision it works from.
    pub revision: u32,
    /// Resolved document, frozen.
    pub snapshot: Value,
    /// SHA-256 of the canonical snapshot.
    pub snapshot_hash: String,
    /// Cloud Identity it uses.
    pub identity_id: CloudIdentityId,
    /// Plan it applies.
    pub plan_job_id: Option<JobId>,
    /// Job that it tries again.
    pub retry_of: Option<JobId>,
    /// For a PLAN: of the removal of everything.
    pub destroy: bool,
    /// Labels that a Runner must have.
    pub required_labels: Vec<String>,
    /// The only Runner that may have it.
    pub assigned_runner_id: Option<RunnerId>,
    /// Status that the Spec had before.
    pub former_status: Option<SpecStatus>,
    /// Who asks for it.
    pub author: String,
}

/// What a job works from.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Resolved document, frozen.
    pub document: Value,
    /// SHA-256 of its canonical form.
    pub hash: String,
}

/// What a job token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCredential {
    /// The attempt it is good for.
    pub fence: Fence,
    /// What the job does.
    pub job_type: JobType,
    /// Spec of the job.
    pub spec_id: SpecId,
    /// Whether that attempt is the current one and not over.
    pub alive: bool,
}

/// Makes a job; it waits in the queue.
///
/// # Errors
/// [`Conflict::MutatingJobPending`] when it changes the cloud and the Spec has such a job already.
pub async fn insert(tx: &Tx, new: &NewJob, now: DateTime<Utc>) -> Result<JobId> {
    let (id, priority) = (JobId::generate(), new.job_type.priority());
    let sql = format!(
        "INSERT INTO provision_jobs (id, zone_id, spec_id, job_type, status, priority, turn, revision, snapshot, \
         snapshot_hash, identity_id, plan_job_id, retry_of, destroy, required_labels, assigned_runner_id, \
         former_status, attempt, cancel_requested, done, total, author, created_at) SELECT $1, s.zone_id, s.id, $3, \
         'QUEUED', $4, ({TURN}), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, FALSE, 0, 0, $15, $16 \
         FROM specs s WHERE s.id = $2"
    );
    #[rustfmt::skip]
    let values = values![
        id, new.spec_id, new.job_type, priority, new.revision, text(&new.snapshot),
        new.snapshot_hash, new.identity_id, new.plan_job_id, new.retry_of, new.destroy,
        json(&new.required_labels), new.assigned_runner_id, new.former_status, new.author, now,
    ];
    let made = tx.execute(&sql, values).await;
    found(
        Some(made.map_err(|error| error.or_taken(Conflict::MutatingJobPending))?).filter(|rows| *rows > 0),
        "spec",
        new.spec_id,
    )?;
    announce(tx, &Current::queued(id, new), None, now);
    tx.ring(Bell::Queue);
    Ok(id)
}

/// A job by its id.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, id: JobId) -> Result<Job> {
    let row = reader.optional(&format!("{} WHERE j.id = $1", row::SELECT), values![id]).await?;
    row::job(&found(row, "job", id)?)
}

/// Whether a job has ended; cheaper than all of it.
///
/// # Errors
/// When there is none.
pub async fn is_over(reader: &impl Reader, id: JobId) -> Result<bool> {
    let row = reader.optional("SELECT status FROM provision_jobs WHERE id = $1", values![id]).await?;
    let status: JobStatus = found(row, "job", id)?.word("status")?;
    Ok(status.is_final())
}

/// What a job works from.
///
/// # Errors
/// When there is no such job.
pub async fn snapshot(reader: &impl Reader, id: JobId) -> Result<Snapshot> {
    let sql = "SELECT snapshot, snapshot_hash FROM provision_jobs WHERE id = $1";
    let row = found(reader.optional(sql, values![id]).await?, "job", id)?;
    Ok(Snapshot { document: row.document("snapshot")?, hash: row.get("snapshot_hash")? })
}

/// Revision of the last DEPLOY of a Spec that began, however it ended.
///
/// # Errors
/// When the database is not available.
pub async fn last_deploy_begun(reader: &impl Reader, spec_id: SpecId) -> Result<Option<u32>> {
    let sql = "SELECT revision FROM provision_jobs WHERE spec_id = $1 AND job_type = 'DEPLOY' \
        AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1";
    let row = reader.optional(sql, values![spec_id]).await?;
    row.map(|row| row.number("revision")).transpose()
}

/// The last DEPLOY or DESTROY of a Spec that began, however it ended.
///
/// # Errors
/// When the database is not available.
pub async fn last_change_begun(reader: &impl Reader, spec_id: SpecId) -> Result<Option<JobId>> {
    let sql = "SELECT id FROM provision_jobs WHERE spec_id = $1 AND job_type IN ('DEPLOY', 'DESTROY') \
        AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1";
    let row = reader.optional(sql, values![spec_id]).await?;
    row.map(|row| row.id("id")).transpose()
}

/// What the job token with this hash stands for; `None` when it never was one.
///
/// # Errors
/// When the database is not available.
pub async fn authenticate(reader: &impl Reader, token_hash: &str) -> Result<Option<JobCredential>> {
    let sql = "SELECT a.job_id, a.attempt, a.ended_at IS NULL AS alive, j.job_type, j.spec_id \
        FROM job_attempts a JOIN provision_jobs j ON j.id = a.job_id WHERE a.token_hash = $1";
    reader.optional(sql, values![token_hash]).await?.as_ref().map(row::credential).transpose()
}
