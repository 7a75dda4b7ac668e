//! Locks on states.

use alethia_domain::{
    ids::{JobId, SpecId},
    orphan::OrphanReason,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Orphaned, StateLock, content};
use crate::{
    Reader, Result, StateRefusal, Tx,
    db::{Query, Row, json, values},
    jobs::{self, Fence},
    specs,
};

/// Takes the lock for an attempt. `info` is what Terraform sent; its `ID` names the lock. Taking it again with the same
/// id is fine.
///
/// # Errors
/// [`StateRefusal::Locked`] when somebody else holds it; [`crate::StoreError::LeaseLost`].
pub async fn lock(tx: &Tx, spec_id: SpecId, fence: Fence, info: &Value, now: DateTime<Utc>) -> Result<()> {
    jobs::guard(tx, fence).await?;
    specs::lock(tx, spec_id).await?;
    let id = content::lock_id(info)?;
    if let Some(held) = held(tx, spec_id).await? {
        return if held.id == id { Ok(()) } else { Err(StateRefusal::Locked(Box::new(held)).into()) };
    }
    let sql = "INSERT INTO state_locks (spec_id, lock_id, info, job_id, attempt, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, values![spec_id, id, json(info), fence.job_id, fence.attempt, now]).await?;
    Ok(())
}

/// Releases the lock with this id, or whichever is held where there is no id: `terraform force-unlock` sends none. None
/// being held is fine: the answer to an earlier release may have been lost. Tells what was released.
///
/// # Errors
/// [`StateRefusal::WrongLock`] when another one is held; [`crate::StoreError::LeaseLost`].
pub async fn unlock(
    tx: &Tx,
    spec_id: SpecId,
    fence: Fence,
    lock_id: Option<&str>,
) -> Result<Option<StateLock>> {
    jobs::guard(tx, fence).await?;
    specs::lock(tx, spec_id).await?;
    let Some(held) = held(tx, spec_id).await? else { return Ok(None) };
    match lock_id {
        Some(other) if other != held.id => Err(StateRefusal::WrongLock(other.to_owned()).into()),
        Some(_) | None => release(tx, spec_id, &held.id).await.map(|()| Some(held)),
    }
}

/// Releases the lock with this id though its holder did not; tells what it was. A lock whose holder is alive needs
/// `force`.
///
/// # Errors
/// [`StateRefusal::WrongLock`] when no such lock is held; [`StateRefusal::Locked`] when its holder is alive.
pub async fn force_unlock(tx: &Tx, spec_id: SpecId, lock_id: &str, force: Force) -> Result<StateLock> {
    specs::lock(tx, spec_id).await?;
    let held = held(tx, spec_id).await?.filter(|held| held.id == lock_id);
    let held = held.ok_or_else(|| StateRefusal::WrongLock(lock_id.to_owned()))?;
    if held.holder_alive && force == Force::OnlyOrphaned {
        return Err(StateRefusal::Locked(Box::new(held)).into());
    }
    release(tx, spec_id, lock_id).await?;
    Ok(held)
}

/// Which locks may be released by force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Those whose holder is gone.
    OnlyOrphaned,
    /// Also those whose holder is alive.
    Always,
}

pub(super) async fn held(reader: &impl Reader, spec_id: SpecId) -> Result<Option<StateLock>> {
    let sql = "SELECT l.lock_id, l.info, l.job_id, l.attempt, l.created_at, l.orphaned_at, l.orphaned_by, \
        r.name AS runner, a.job_id AS attempted, a.ended_at FROM state_locks l \
        LEFT JOIN job_attempts a ON a.job_id = l.job_id AND a.attempt = l.attempt \
        LEFT JOIN runners r ON r.id = a.runner_id WHERE l.spec_id = $1";
    reader.optional(sql, values![spec_id]).await?.as_ref().map(state_lock).transpose()
}

/// The attempt that holds the lock is over. What only looked leaves no lock behind: it can't have written anything. Of
/// what may have changed something the lock stays, with why nobody releases it.
pub(crate) async fn leave_behind(
    tx: &Tx,
    spec_id: SpecId,
    fence: Fence,
    left: Option<OrphanReason>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(reason) = left else {
        let sql = "DELETE FROM state_locks WHERE spec_id = $1 AND job_id = $2 AND attempt = $3";
        tx.execute(sql, values![spec_id, fence.job_id, fence.attempt]).await?;
        return Ok(());
    };
    let sql = "UPDATE state_locks SET orphaned_at = $4, orphaned_by = $5 \
        WHERE spec_id = $1 AND job_id = $2 AND attempt = $3 AND orphaned_at IS NULL";
    tx.execute(sql, values![spec_id, fence.job_id, fence.attempt, now, reason]).await?;
    Ok(())
}

/// Refuses a change while the lock is held with another id.
pub(super) async fn require(tx: &Tx, spec_id: SpecId, lock_id: Option<&str>) -> Result<()> {
    match (held(tx, spec_id).await?, lock_id) {
        (None, None) => Ok(()),
        (Some(held), Some(lock_id)) if held.id == lock_id => Ok(()),
        (Some(held), _) => Err(StateRefusal::Locked(Box::new(held)).into()),
        (None, Some(lock_id)) => Err(StateRefusal::WrongLock(lock_id.to_owned()).into()),
    }
}

async fn release(tx: &Tx, spec_id: SpecId, lock_id: &str) -> Result<()> {
    let sql = "DELETE FROM state_locks WHERE spec_id = $1 AND lock_id = $2";
    tx.execute(sql, values![spec_id, lock_id]).await?;
    Ok(())
}

fn state_lock(row: &Row) -> Result<StateLock> {
    let info: Value = row.get("info")?;
    let word = |field: &str| info.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let orphaned = orphaned(row)?;
    Ok(StateLock {
        id: row.get("lock_id")?,
        operation: word("Operation"),
        who: word("Who"),
        job_id: row.optional_id("job_id")?,
        attempt: row.optional_number("attempt")?,
        runner: row.get("runner")?,
        holder_alive: orphaned.is_none(),
        orphaned,
        created_at: row.get("created_at")?,
        info,
    })
}

/// Whether the attempt is over decides; the label says more where there is one.
fn orphaned(row: &Row) -> Result<Option<Orphaned>> {
    let ended_at: Option<DateTime<Utc>> = row.get("ended_at")?;
    if row.optional_id::<JobId>("attempted")?.is_some() && ended_at.is_none() {
        return Ok(None);
    }
    let labelled: Option<DateTime<Utc>> = row.get("orphaned_at")?;
    let since = match labelled.or(ended_at) {
        Some(since) => since,
        None => row.get("created_at")?,
    };
    let reason = row.optional_word("orphaned_by")?.unwrap_or(OrphanReason::LeftBehind);
    Ok(Some(Orphaned { since, reason }))
}
