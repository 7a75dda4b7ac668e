//! The queue: the table of jobs itself.
//!
//! Jobs of one Spec run in order, one at a time, whatever their priority. Among the heads of those lines the higher
//! priority goes first, then Zones take turns, then age decides. A claim is one statement; unique partial indexes stand
//! behind it. (Ids are times: the clock of another Console may put a new job before one that runs, which is why a claim
//! looks for both.) `LIMIT 1 OFFSET 0` keeps PostgreSQL from joining where it should probe. In these statements a status
//! is a literal, never bound: otherwise PostgreSQL plans without the partial indexes.
//!
//! A Zone may have a limit. A claim passes over the jobs of Zones that are full; on PostgreSQL, where others claim at the
//! same time, it then takes the row of a limited Zone and counts again. Zones without a limit pay for neither.
//!
//! Waiting is the caller's: listen for [`crate::doorbell::Bell::Queue`], claim, then wait, no longer than until
//! [`next_due`].

use alethia_domain::{
    event::Failure,
    ids::{JobId, RunnerId, SpecId, ZoneId},
    lifecycle::{JobEvent, JobStatus, JobType, Lost},
};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbBackend;

use crate::{
    Conflict, Reader, Result, Tx,
    db::{Query, Row, ToValue, for_update, found, json, values},
    doorbell::Bell,
    jobs::{self, Current, Fence},
    states,
};

/// Who claims.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// The Runner.
    pub runner_id: RunnerId,
    /// Its labels.
    pub labels: &'a [String],
}

/// A job that a Runner now has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The attempt.
    pub fence: Fence,
    /// What the job does.
    pub job_type: JobType,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Until when the attempt is valid without a heartbeat.
    pub lease_expires_at: DateTime<Utc>,
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
    },
    /// A person decides.
    Abandon {
        /// What the job says about it.
        failure: Failure,
    },
}

/// The next job that the Runner $1 with the labels $2 may have at the time $3.
const NEXT_POSTGRES: &str = "SELECT j.id FROM provision_jobs j WHERE j.status = 'QUEUED' \
    AND EXISTS (SELECT 1 FROM runners r WHERE r.id = $1 AND r.removed_at IS NULL) \
    AND (j.assigned_runner_id IS NULL OR j.assigned_runner_id = $1) \
    AND j.required_labels <@ $2 \
    AND (j.not_before IS NULL OR j.not_before <= $3) \
    AND (NOT EXISTS (SELECT 1 FROM zones WHERE max_jobs IS NOT NULL) OR j.zone_id NOT IN ( \
        SELECT x.zone_id FROM (SELECT o.zone_id FROM provision_jobs o \
            WHERE o.status IN ('CLAIMED', 'PROCESSING') OFFSET 0) x \
        JOIN zones z ON z.id = x.zone_id WHERE z.max_jobs IS NOT NULL \
        GROUP BY x.zone_id, z.max_jobs HAVING count(*) >= z.max_jobs)) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs a WHERE a.spec_id = j.spec_id \
        AND a.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') AND a.id < j.id LIMIT 1 OFFSET 0) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs b WHERE b.spec_id = j.spec_id \
        AND b.status IN ('CLAIMED', 'PROCESSING') LIMIT 1 OFFSET 0) \
    ORDER BY j.priority DESC, j.turn, j.id LIMIT 1";

/// The same. Without `INDEXED BY`, SQLite reads all jobs that a Spec ever had.
const NEXT_SQLITE: &str = "SELECT j.id FROM provision_jobs j INDEXED BY provision_jobs_line WHERE j.status = 'QUEUED' \
    AND EXISTS (SELECT 1 FROM runners r WHERE r.id = $1 AND r.removed_at IS NULL) \
    AND (j.assigned_runner_id IS NULL OR j.assigned_runner_id = $1) \
    AND NOT EXISTS (SELECT 1 FROM json_each(j.required_labels) need \
        WHERE need.value NOT IN (SELECT has.value FROM json_each($2) has)) \
    AND (j.not_before IS NULL OR j.not_before <= $3) \
    AND (NOT EXISTS (SELECT 1 FROM zones WHERE max_jobs IS NOT NULL) OR j.zone_id NOT IN ( \
        SELECT o.zone_id FROM provision_jobs o INDEXED BY provision_jobs_one_active \
        JOIN zones z ON z.id = o.zone_id WHERE o.status IN ('CLAIMED', 'PROCESSING') AND z.max_jobs IS NOT NULL \
        GROUP BY o.zone_id, z.max_jobs HAVING count(*) >= z.max_jobs)) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs a INDEXED BY provision_jobs_of_spec WHERE a.spec_id = j.spec_id \
        AND a.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') AND a.id < j.id) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs b INDEXED BY provision_jobs_one_active WHERE b.spec_id = j.spec_id \
        AND b.status IN ('CLAIMED', 'PROCESSING')) \
    ORDER BY j.priority DESC, j.turn, j.id LIMIT 1";

const ATTEMPT: &str =
    "INSERT INTO job_attempts (job_id, attempt, runner_id, token_hash, last_sequence, claimed_at)";

/// The statement that claims; on PostgreSQL it also makes the attempt. Public for the test that pins its plan.
#[doc(hidden)]
pub fn claim_sql(backend: DbBackend) -> String {
    let next = match backend {
        DbBackend::Postgres => format!("{NEXT_POSTGRES} FOR UPDATE OF j SKIP LOCKED"),
        _ => NEXT_SQLITE.to_owned(),
    };
    let claim = format!(
        "UPDATE provision_jobs SET status = 'CLAIMED', runner_id = $1, attempt = attempt + 1, \
            lease_expires_at = $4, not_before = NULL, step = NULL, done = 0, total = 0 \
            WHERE id = ({next}) RETURNING id, attempt, job_type, spec_id, lease_expires_at, zone_id, \
            (SELECT z.max_jobs FROM zones z WHERE z.id = provision_jobs.zone_id) AS max_jobs"
    );
    match backend {
        DbBackend::Postgres => format!(
            "WITH claimed AS ({claim}), attempt AS ({ATTEMPT} SELECT id, attempt, $1, $5, 0, $3 FROM claimed) \
             SELECT * FROM claimed"
        ),
        _ => claim,
    }
}

/// How a connection plans that claims, on PostgreSQL. Public for the same test.
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

/// Takes the next job that this Runner may have, if there is one. `token_hash` is the SHA-256 of the job token that is
/// good for the new attempt.
///
/// # Errors
/// [`Conflict::ClaimedMeanwhile`] when others took another job of the Spec, or the last places of the job's Zone: roll
/// back, then claim again.
pub async fn claim(
    tx: &Tx,
    claimant: Claimant<'_>,
    token_hash: &str,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<Claimed>> {
    let sql = claim_sql(tx.connection().backend());
    let mut values = values![claimant.runner_id, json(&claimant.labels), now, now + lease];
    if tx.is_postgres() {
        values.push(token_hash.to_value());
    }
    let row = tx.optional(&sql, values).await;
    let row = row.map_err(|error| error.or_taken(Conflict::ClaimedMeanwhile))?;
    let Some(row) = row else { return Ok(None) };
    if row.optional_number::<u32>("max_jobs")?.is_some() && tx.is_postgres() {
        must_have_room(tx, row.id("zone_id")?).await?;
    }
    let claimed = claimed(&row)?;
    if !tx.is_postgres() {
        let Fence { job_id, attempt } = claimed.fence;
        let insert = format!("{ATTEMPT} VALUES ($1, $2, $3, $4, 0, $5)");
        tx.execute(&insert, values![job_id, attempt, claimant.runner_id, token_hash, now]).await?;
    }
    jobs::announce(tx, &claimed.current(), None, now);
    Ok(Some(claimed))
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
/// A job that was to be cancelled is not run again: it is CANCELLED.
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
    let (lost, failure) = match loss {
        Loss::Retry { .. } => (Lost::Retry, None),
        Loss::Abandon { failure } => (Lost::Abandon, Some(failure)),
    };
    let mut status = job.status.next(&JobEvent::LoseLease(lost))?;
    if status == JobStatus::Queued && job.cancel_requested {
        status = status.next(&JobEvent::Cancel)?;
    }
    if status.is_final() {
        jobs::conclude(tx, &job, status, failure, now).await?;
    } else {
        requeue(tx, &job, status, loss, now).await?;
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
    requeue(tx, &job, status, &Loss::Retry { not_before: now }, now).await
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

impl Claimed {
    fn current(&self) -> Current {
        Current {
            id: self.fence.job_id,
            spec_id: self.spec_id,
            job_type: self.job_type,
            status: JobStatus::Claimed,
            attempt: self.fence.attempt,
            cancel_requested: false,
            kill_requested: false,
            lease_expires_at: Some(self.lease_expires_at),
        }
    }
}

/// Claims in one limited Zone go one after the other from here to their commit, so that each counts those before it.
async fn must_have_room(tx: &Tx, zone_id: ZoneId) -> Result<()> {
    let sql = format!("SELECT max_jobs FROM zones WHERE id = $1{}", for_update(tx));
    let zone = found(tx.optional(&sql, values![zone_id]).await?, "zone", zone_id)?;
    let sql = "SELECT count(*) AS jobs FROM \
        (SELECT zone_id FROM provision_jobs WHERE status IN ('CLAIMED', 'PROCESSING') OFFSET 0) x WHERE x.zone_id = $1";
    let jobs: u32 = tx.one(sql, values![zone_id]).await?.number("jobs")?;
    match zone.optional_number::<u32>("max_jobs")? {
        Some(most) if jobs > most => Err(Conflict::ClaimedMeanwhile.into()),
        Some(_) | None => Ok(()),
    }
}

async fn requeue(tx: &Tx, job: &Current, status: JobStatus, loss: &Loss, now: DateTime<Utc>) -> Result<()> {
    let not_before = match loss {
        Loss::Retry { not_before } => Some(*not_before),
        Loss::Abandon { .. } => None,
    };
    let sql = "UPDATE provision_jobs SET status = $3, runner_id = NULL, lease_expires_at = NULL, not_before = $4, \
        started_at = NULL WHERE id = $1 AND status = $2";
    tx.execute(sql, values![job.id, job.status, status, not_before]).await?;
    jobs::end_attempt(tx, job, now).await?;
    states::leave_behind(tx, job.spec_id, job.fence(), None, now).await?;
    jobs::announce(tx, &Current { status, ..job.clone() }, None, now);
    tx.ring(Bell::Queue);
    Ok(())
}

fn claimed(row: &Row) -> Result<Claimed> {
    Ok(Claimed {
        fence: fence(row)?,
        job_type: row.word("job_type")?,
        spec_id: row.id("spec_id")?,
        lease_expires_at: row.get("lease_expires_at")?,
    })
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
