//! The queue: the table of jobs itself.
//!
//! Jobs of one Spec run in order, one at a time, whatever their priority. Among the heads of those lines the higher
//! priority goes first, then Zones take turns, then age decides (`heads`). Claims that come together are one transaction
//! ([`claim()`]); unique partial indexes stand behind it. (Ids are times: the clock of another Console may put a new job
//! before one that runs, which is why a claim looks for both.)
//!
//! A Zone may have a limit. A claim passes over the jobs of Zones that are full; on PostgreSQL, where others claim at the
//! same time, it then takes the row of a limited Zone and counts again. Zones without a limit pay for neither.
//!
//! Waiting is the caller's: listen for [`crate::doorbell::Bell::Queue`], claim, then wait, no longer than until
//! [`next_due`].

mod assignment;
mod claim;
mod heads;

use alethia_domain::{
    event::Failure,
    ids::{JobId, RunnerId, SpecId},
    lifecycle::{JobEvent, JobStatus, JobType, Lost},
};
use chrono::{DateTime, Utc};

pub use assignment::Assignment;
pub use claim::{Claims, claim, take_sql};
pub use heads::heads_sql;

use crate::{
    Reader, Result, Tx,
    db::{Query, Row, values},
    doorbell::Bell,
    jobs::{self, Current, Fence},
    states,
};

/// Who claims.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// The Runner.
    pub runner_id: RunnerId,
    /// Its name, for the audit log.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// SHA-256 of the job token that is good for the new attempt.
    pub token_hash: String,
}

/// What a claim gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// This job.
    Job(Box<Claimed>),
    /// There is none for this Runner now.
    Nothing,
    /// The Runner was removed; there will be none.
    Removed,
}

/// A job that a Runner now has.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The attempt.
    pub fence: Fence,
    /// What the job does.
    pub job_type: JobType,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Until when the attempt is valid without a heartbeat.
    pub lease_expires_at: DateTime<Utc>,
    /// What its Runner is told.
    pub assignment: Assignment,
}

/// An attempt whose lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The attempt.
    pub fence: Fence,
    /// What the job does.
    pub job_type: JobType,
    /// Where the job is: CLAIMED or PROCESSING.
    pub status: JobStatus,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Runner that had it.
    pub runner_id: RunnerId,
}

/// What becomes of a job whose lease ended. One that was only claimed goes back to the queue in any case.
#[derive(Clone, Debug)]
pub enum Loss {
    /// It may run again, from this time on.
    Retry {
        /// When at the earliest.
        not_before: DateTime<Utc>,
        /// What the job says that was asked to end, and does not run again.
        failure: Failure,
    },
    /// A person decides.
    Abandon {
        /// What the job says about it.
        failure: Failure,
    },
}

/// How a connection plans that claims, on PostgreSQL. Public for the test that pins its plans.
#[doc(hidden)]
pub const CLAIM_SETTINGS: &str = crate::db::WRITER_SETTINGS;

/// When the next job that is held back may be claimed, if there is one. Nothing rings then.
///
/// # Errors
/// When the database is not available.
pub async fn next_due(reader: &impl Reader, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT not_before FROM provision_jobs WHERE status = 'QUEUED' AND not_before > $1 \
        ORDER BY not_before LIMIT 1";
    let row = reader.optional(sql, values![now]).await?;
    row.map(|row| row.get("not_before")).transpose()
}

/// Runners that jobs wait for which nobody else may have, some of them held back or behind others.
///
/// # Errors
/// When the database is not available.
pub async fn assigned(reader: &impl Reader) -> Result<Vec<RunnerId>> {
    let sql = "SELECT DISTINCT assigned_runner_id AS id FROM provision_jobs \
        WHERE status = 'QUEUED' AND assigned_runner_id IS NOT NULL LIMIT 1000";
    reader.all(sql, values![]).await?.iter().map(|row| row.id("id")).collect()
}

/// Keeps a job that waits from being claimed until then.
///
/// # Errors
/// When the database is not available.
pub async fn hold_back(tx: &Tx, job_id: JobId, until: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE provision_jobs SET not_before = $2 WHERE id = $1 AND status = 'QUEUED'";
    tx.execute(sql, values![job_id, until]).await?;
    tx.ring(Bell::Queue);
    Ok(())
}

/// Attempts whose lease ended, the longest ago first.
///
/// # Errors
/// When the database is not available.
pub async fn expired(reader: &impl Reader, now: DateTime<Utc>, limit: u16) -> Result<Vec<Expired>> {
    let sql = "SELECT id, attempt, job_type, status, spec_id, runner_id FROM provision_jobs \
        WHERE lease_expires_at < $1 ORDER BY lease_expires_at LIMIT $2";
    reader.all(sql, values![now, limit]).await?.iter().map(expiry).collect()
}

/// When the next lease ends, if any job is with a Runner.
///
/// # Errors
/// When the database is not available.
pub async fn next_expiry(reader: &impl Reader) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT lease_expires_at FROM provision_jobs WHERE lease_expires_at IS NOT NULL \
        ORDER BY lease_expires_at LIMIT 1";
    let row = reader.optional(sql, values![]).await?;
    row.map(|row| row.get("lease_expires_at")).transpose()
}

/// Ends an attempt whose lease ended; tells where the job is now. `None` when it is not as it was seen any more: the
/// lease was renewed, the work began, or the attempt ended. What becomes of the job was decided by what was seen.
///
/// A job that was to be cancelled is not run again: it is CANCELLED, and says why its Runner did not say so.
///
/// # Errors
/// When the database is not available.
pub async fn lose_lease(
    tx: &Tx,
    seen: &Expired,
    loss: &Loss,
    now: DateTime<Utc>,
) -> Result<Option<JobStatus>> {
    let job = match jobs::fenced(tx, seen.fence).await {
        Ok(job) => job,
        Err(crate::StoreError::LeaseLost { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    if job.status != seen.status || job.lease_expires_at.is_none_or(|end| end >= now) {
        return Ok(None);
    }
    let (lost, not_before, failure) = match loss {
        Loss::Retry { not_before, failure } => (Lost::Retry, Some(*not_before), failure),
        Loss::Abandon { failure } => (Lost::Abandon, None, failure),
    };
    let mut status = job.status.next(&JobEvent::LoseLease(lost))?;
    if status == JobStatus::Queued && job.cancel_requested {
        status = status.next(&JobEvent::Cancel)?;
    }
    if status.is_final() {
        jobs::conclude(tx, &job, status, Some(failure), now).await?;
    } else {
        requeue(tx, &job, status, not_before, now).await?;
    }
    Ok(Some(status))
}

/// A Runner that ends gives back what it claimed and did not begin: it waits again, as if nobody had
/// had it.
///
/// # Errors
/// [`crate::StoreError::LeaseLost`]; [`crate::StoreError::Illegal`] when it had begun.
pub async fn release(tx: &Tx, fence: Fence, now: DateTime<Utc>) -> Result<()> {
    let job = jobs::fenced(tx, fence).await?;
    let status = job.status.next(&JobEvent::Release)?;
    requeue(tx, &job, status, Some(now), now).await
}

/// How many jobs there are, by status; for metrics.
///
/// # Errors
/// When the database is not available.
pub async fn depth(reader: &impl Reader) -> Result<Vec<(JobStatus, u64)>> {
    let sql = "SELECT status, count(*) AS jobs FROM provision_jobs \
        WHERE status IN ('QUEUED', 'CLAIMED', 'PROCESSING') GROUP BY status ORDER BY status";
    let rows = reader.all(sql, values![]).await?;
    rows.iter().map(|row| Ok((row.word("status")?, row.number("jobs")?))).collect()
}

impl Answer {
    /// The job, if there is one.
    pub fn job(self) -> Option<Claimed> {
        match self {
            Self::Job(claimed) => Some(*claimed),
            Self::Nothing | Self::Removed => None,
        }
    }
}

async fn requeue(
    tx: &Tx,
    job: &Current,
    status: JobStatus,
    not_before: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE provision_jobs SET status = $3, runner_id = NULL, lease_expires_at = NULL, not_before = $4, \
        started_at = NULL WHERE id = $1 AND status = $2";
    tx.execute(sql, values![job.id, job.status, status, not_before]).await?;
    jobs::end_attempt(tx, job, now).await?;
    states::leave_behind(tx, job.spec_id, job.fence(), None, now).await?;
    jobs::announce(tx, &Current { status, ..job.clone() }, None, now);
    tx.ring(Bell::Queue);
    Ok(())
}

fn expiry(row: &Row) -> Result<Expired> {
    Ok(Expired {
        fence: fence(row)?,
        job_type: row.word("job_type")?,
        status: row.word("status")?,
        spec_id: row.id("spec_id")?,
        runner_id: row.id("runner_id")?,
    })
}

fn fence(row: &Row) -> Result<Fence> {
    Ok(Fence { job_id: row.id::<JobId>("id")?, attempt: row.number("attempt")? })
}
