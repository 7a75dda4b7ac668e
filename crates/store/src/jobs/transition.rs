//! What happens to a job that a Runner has, and how a person ends one.
//!
//! Each takes the job's row first, so that what it decides holds until the transaction commits; the old status stands in
//! the condition of the update all the same.

use alethia_domain::{
    event::{EventChange, Failure},
    ids::{JobId, SpecId},
    lifecycle::{FailureReason, JobEvent, JobStatus, JobType, SpecEvent},
    orphan::OrphanReason,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Fence, Job, NewJob};
use crate::{
    Conflict, Reader, Result, StoreError, Tx,
    db::{Query, Row, for_update, found, json, values},
    doorbell::Bell,
    events::{self, NewEvent},
    specs, states,
};

/// How a job ended, as its Runner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Well.
    Success,
    /// With an error.
    Failed(Failure),
    /// As it was asked to.
    Cancelled,
}

/// Work that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the job does.
    pub job_type: JobType,
    /// Spec it works on.
    pub spec_id: SpecId,
}

/// Answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Until when the attempt is now valid.
    pub lease_expires_at: DateTime<Utc>,
    /// Whether the Runner is to end the work.
    pub cancel_requested: bool,
    /// Whether it is to end it at once, whatever that leaves behind.
    pub kill_requested: bool,
}

/// Where a job is, as far as transitions need it.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) id: JobId,
    pub(crate) spec_id: SpecId,
    pub(crate) job_type: JobType,
    pub(crate) status: JobStatus,
    pub(crate) attempt: u32,
    pub(crate) cancel_requested: bool,
    pub(crate) kill_requested: bool,
    pub(crate) lease_expires_at: Option<DateTime<Utc>>,
}

/// Columns that a [`Current`] is read from.
const CURRENT: &str =
    "id, spec_id, job_type, status, attempt, cancel_requested, kill_requested, lease_expires_at";

/// Makes sure that an attempt is not over, and that it can't end before the transaction does.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn guard(tx: &Tx, fence: Fence) -> Result<()> {
    if !tx.store().checks_fences() {
        return Ok(());
    }
    fenced(tx, fence).await.map(|_| ())
}

/// The Runner begins: from here on the usual lease counts, not the longer first one. `None` when it had begun before;
/// then nothing changes.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn start(tx: &Tx, fence: Fence, lease: TimeDelta, now: DateTime<Utc>) -> Result<Option<Begun>> {
    let (from, to) = (JobStatus::Claimed, JobStatus::Claimed.next(&JobEvent::Start)?);
    let sql = format!(
        "UPDATE provision_jobs SET status = $4, started_at = $5, lease_expires_at = $6 \
         WHERE id = $1 AND attempt = $2 AND status = $3 RETURNING {CURRENT}"
    );
    let values = values![fence.job_id, fence.attempt, from, to, now, now + lease];
    let Some(row) = tx.optional(&sql, values).await? else {
        fenced(tx, fence).await?;
        return Ok(None);
    };
    let job = Current::from_row(&row)?;
    announce(tx, &job, None, now);
    Ok(Some(Begun { job_type: job.job_type, spec_id: job.spec_id }))
}

/// The Runner is done. The attempt is over, and so is its token.
///
/// # Errors
/// [`StoreError::LeaseLost`]; [`StoreError::Illegal`] when it had not begun.
pub async fn finish(tx: &Tx, fence: Fence, end: &End, now: DateTime<Utc>) -> Result<()> {
    let (event, failure) = match end {
        End::Success => (JobEvent::Succeed, None),
        End::Failed(failure) => (JobEvent::Fail, Some(failure)),
        End::Cancelled => (JobEvent::AcknowledgeCancel, None),
    };
    let (from, to) = (JobStatus::Processing, JobStatus::Processing.next(&event)?);
    if over(tx, fence, from, to, failure, now).await? {
        return Ok(());
    }
    // On PostgreSQL the start may have been committed in between.
    let job = fenced(tx, fence).await?;
    let status = job.status.next(&event)?;
    conclude(tx, &job, status, failure, now).await
}

/// A person ends a job: at once when no Runner works on it, else by a request that goes out with the next heartbeat.
/// Tells the job's status.
///
/// # Errors
/// [`StoreError::Illegal`] when it is over.
pub async fn cancel(tx: &Tx, id: JobId, now: DateTime<Utc>) -> Result<JobStatus> {
    let job = locked(tx, id).await?;
    let status = job.status.next(&JobEvent::Cancel)?;
    if status.is_final() {
        conclude(tx, &job, status, None, now).await?;
    } else if !job.cancel_requested {
        let sql = "UPDATE provision_jobs SET cancel_requested = TRUE WHERE id = $1 AND status = $2";
        tx.execute(sql, values![job.id, job.status]).await?;
        announce(tx, &Current { cancel_requested: true, ..job }, None, now);
    }
    Ok(status)
}

/// A DEPLOY that ended before it began gives the Spec its former status back; `reason` is what the Spec says then.
///
/// # Errors
/// [`StoreError::Illegal`] when the Spec does not wait for a DEPLOY.
pub async fn withdraw(tx: &Tx, job: &Job, reason: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    if let (JobType::Deploy, Some(former)) = (job.job_type, job.former_status) {
        specs::transition(tx, job.spec_id, &SpecEvent::WithdrawDeploy(former), reason, now).await?;
    }
    Ok(())
}

/// A person wants what a job runs killed, whatever that leaves behind. Where no Runner works on it, it ends at once.
/// Tells the job's status.
///
/// # Errors
/// [`StoreError::Illegal`] when it is over; [`Conflict::NotAsked`] when it was not asked to end before.
pub async fn kill(tx: &Tx, id: JobId, now: DateTime<Utc>) -> Result<JobStatus> {
    let job = locked(tx, id).await?;
    let status = job.status.next(&JobEvent::Cancel)?;
    if status.is_final() {
        conclude(tx, &job, status, None, now).await?;
    } else if !job.cancel_requested {
        return Err(Conflict::NotAsked.into());
    } else if !job.kill_requested {
        let sql = "UPDATE provision_jobs SET kill_requested = TRUE WHERE id = $1 AND status = $2";
        tx.execute(sql, values![job.id, job.status]).await?;
        announce(tx, &Current { kill_requested: true, ..job }, None, now);
    }
    Ok(status)
}

/// The Runner still works on it. What is left of a longer first lease stays until the work begins.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn heartbeat(
    tx: &Tx,
    fence: Fence,
    step: Option<&str>,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Heartbeat> {
    let sql = "UPDATE provision_jobs SET step = COALESCE($4, step), lease_expires_at = \
            CASE WHEN status = 'CLAIMED' AND lease_expires_at > $3 THEN lease_expires_at ELSE $3 END \
        WHERE id = $1 AND attempt = $2 AND status IN ('CLAIMED', 'PROCESSING') \
        RETURNING lease_expires_at, cancel_requested, kill_requested";
    let row = tx.optional(sql, values![fence.job_id, fence.attempt, now + lease, step]).await?;
    told(&row.ok_or(lost(fence))?)
}

/// What the last heartbeat of an attempt would be answered now. Changes nothing.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn alive(reader: &impl Reader, fence: Fence) -> Result<Heartbeat> {
    let sql = "SELECT lease_expires_at, cancel_requested, kill_requested FROM provision_jobs \
        WHERE id = $1 AND attempt = $2 AND status IN ('CLAIMED', 'PROCESSING')";
    let row = reader.optional(sql, values![fence.job_id, fence.attempt]).await?;
    told(&row.ok_or(lost(fence))?)
}

/// The Runner tells how far it is.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn progress(
    tx: &Tx,
    fence: Fence,
    step: &str,
    done: u32,
    total: u32,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE provision_jobs SET step = $3, done = $4, total = $5 \
        WHERE id = $1 AND attempt = $2 AND status IN ('CLAIMED', 'PROCESSING') RETURNING spec_id";
    let row = tx.optional(sql, values![fence.job_id, fence.attempt, step, done, total]).await?;
    let spec_id = row.ok_or(lost(fence))?.id("spec_id")?;
    let change = EventChange::JobProgressed { step: step.to_owned(), done, total };
    events::append(tx, NewEvent { at: now, spec_id: Some(spec_id), job_id: Some(fence.job_id), change });
    Ok(())
}

impl Current {
    pub(crate) fn queued(id: JobId, new: &NewJob) -> Self {
        Self {
            id,
            spec_id: new.spec_id,
            job_type: new.job_type,
            status: JobStatus::Queued,
            attempt: 0,
            cancel_requested: false,
            kill_requested: false,
            lease_expires_at: None,
        }
    }

    pub(crate) fn fence(&self) -> Fence {
        Fence { job_id: self.id, attempt: self.attempt }
    }

    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.id("id")?,
            spec_id: row.id("spec_id")?,
            job_type: row.word("job_type")?,
            status: row.word("status")?,
            attempt: row.number("attempt")?,
            cancel_requested: row.get("cancel_requested")?,
            kill_requested: row.get("kill_requested")?,
            lease_expires_at: row.get("lease_expires_at")?,
        })
    }
}

/// The job of an attempt that is not over.
pub(crate) async fn fenced(tx: &Tx, fence: Fence) -> Result<Current> {
    let job = locked(tx, fence.job_id).await?;
    match job.status {
        JobStatus::Claimed | JobStatus::Processing if job.attempt == fence.attempt => Ok(job),
        JobStatus::Claimed
        | JobStatus::Processing
        | JobStatus::Queued
        | JobStatus::Success
        | JobStatus::Failed
        | JobStatus::Cancelled => Err(lost(fence)),
    }
}

/// Ends a job for good.
pub(crate) async fn conclude(
    tx: &Tx,
    job: &Current,
    status: JobStatus,
    failure: Option<&Failure>,
    now: DateTime<Utc>,
) -> Result<()> {
    over(tx, job.fence(), job.status, status, failure, now).await.map(drop)
}

/// Ends a job and its attempt if it is where it is thought to be; tells whether it was. On PostgreSQL that is one
/// statement.
async fn over(
    tx: &Tx,
    fence: Fence,
    from: JobStatus,
    to: JobStatus,
    failure: Option<&Failure>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut sql = format!(
        "UPDATE provision_jobs SET status = $4, failure = $5, finished_at = $6, lease_expires_at = NULL \
         WHERE id = $1 AND attempt = $2 AND status = $3 RETURNING {CURRENT}"
    );
    if tx.is_postgres() {
        sql = format!(
            "WITH job AS ({sql}), attempt AS (UPDATE job_attempts SET ended_at = $6 FROM job WHERE job_id = $1 \
             AND job_attempts.attempt = $2 AND ended_at IS NULL) SELECT * FROM job"
        );
    }
    let told = failure.map_or(sea_orm::Value::Json(None), json);
    let row = tx.optional(&sql, values![fence.job_id, fence.attempt, from, to, told, now]).await?;
    let Some(job) = row.map(|row| Current::from_row(&row)).transpose()? else { return Ok(false) };
    if !tx.is_postgres() {
        end_attempt(tx, &job, now).await?;
    }
    if to != JobStatus::Success {
        states::leave_behind(tx, job.spec_id, fence, left(&job, failure), now).await?;
    }
    announce(tx, &job, failure, now);
    tx.ring(Bell::Queue);
    Ok(true)
}

/// Why a lock that the job still holds is left behind; `None` for a job that only looks.
fn left(job: &Current, failure: Option<&Failure>) -> Option<OrphanReason> {
    if !job.job_type.is_mutating() {
        return None;
    }
    Some(match failure.map(|failure| failure.reason) {
        Some(FailureReason::RunnerLost) => OrphanReason::RunnerLost,
        Some(_) | None if job.kill_requested => OrphanReason::Killed,
        Some(_) | None => OrphanReason::LeftBehind,
    })
}

/// The token of the attempt is good for nothing any more.
pub(crate) async fn end_attempt(tx: &Tx, job: &Current, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE job_attempts SET ended_at = $3 WHERE job_id = $1 AND attempt = $2 AND ended_at IS NULL";
    tx.execute(sql, values![job.id, job.attempt, now]).await?;
    Ok(())
}

pub(crate) fn announce(tx: &Tx, job: &Current, failure: Option<&Failure>, now: DateTime<Utc>) {
    let change = EventChange::JobChanged {
        job_type: job.job_type,
        status: job.status,
        attempt: job.attempt,
        cancel_requested: job.cancel_requested,
        kill_requested: job.kill_requested,
        failure: failure.cloned(),
    };
    events::append(tx, NewEvent { at: now, spec_id: Some(job.spec_id), job_id: Some(job.id), change });
}

async fn locked(tx: &Tx, id: JobId) -> Result<Current> {
    let sql = format!("SELECT {CURRENT} FROM provision_jobs WHERE id = $1{}", for_update(tx));
    Current::from_row(&found(tx.optional(&sql, values![id]).await?, "job", id)?)
}

fn told(row: &Row) -> Result<Heartbeat> {
    Ok(Heartbeat {
        lease_expires_at: row.get("lease_expires_at")?,
        cancel_requested: row.get("cancel_requested")?,
        kill_requested: row.get("kill_requested")?,
    })
}

fn lost(fence: Fence) -> StoreError {
    StoreError::LeaseLost { job_id: fence.job_id, attempt: fence.attempt }
}
