//! Terraform's state backend, for the Spec of an attempt's job: read, write, delete, lock, unlock.
//!
//! Every write checks the fence; a version is durable before the answer. Whoever finds a lock gets the holder's words. A
//! job that only looks may lock and read: it is run again when its Runner is lost, so it must not have changed anything.

use alethia_store::{StateRefusal, StoreError, jobs::Fence, states};
use axum::body::Bytes;
use serde_json::{Value, json};

use super::{App, audit};
use crate::{
    auth::{Attempt, FormerAttempt},
    error::{Error, Result},
};

/// Largest description of a lock in bytes. It is kept, and sent to whoever finds the lock.
const LARGEST_LOCK: usize = 16 * 1024;

/// The newest version, if there is a state.
///
/// # Errors
/// When the store is not available.
pub async fn read(app: &App, attempt: &Attempt) -> Result<Option<Bytes>> {
    let state = states::read(&app.store, attempt.spec_id).await?;
    Ok(state.map(|(_, content)| content))
}

/// Keeps a new version.
///
/// # Errors
/// When somebody else holds the lock, the serial goes back, the lineage is another, the job only looks, or the attempt
/// is over.
pub async fn write(app: &App, attempt: &Attempt, content: Bytes, lock_id: Option<&str>) -> Result<()> {
    must_mutate(attempt)?;
    let write = states::Write { spec_id: attempt.spec_id, fence: attempt.fence, lock_id, content: &content };
    states::write(&app.store, write, app.now()).await.map(drop).map_err(refusal)
}

/// There is no state from now on; its versions stay.
///
/// # Errors
/// When somebody else holds the lock, the job only looks, or the attempt is over.
pub async fn delete(app: &App, attempt: &Attempt, lock_id: Option<&str>) -> Result<()> {
    must_mutate(attempt)?;
    let tx = app.store.begin().await?;
    states::forget(&tx, attempt.spec_id, attempt.fence, lock_id).await.map_err(refusal)?;
    Ok(tx.commit().await?)
}

/// Takes the lock; taking it again with the same id is fine.
///
/// # Errors
/// When somebody else holds it, or the attempt is over.
pub async fn lock(app: &App, attempt: &Attempt, info: &[u8]) -> Result<()> {
    let (info, tx) = (read_info(info)?, app.store.begin().await?);
    states::lock(&tx, attempt.spec_id, attempt.fence, &info, app.now()).await.map_err(lock_refusal)?;
    Ok(tx.commit().await?)
}

/// Releases the lock. An empty body is `terraform force-unlock`: whichever lock is held. That a lock of another attempt
/// was released is kept.
///
/// # Errors
/// When another lock is held, or the attempt is over.
pub async fn unlock(app: &App, attempt: &Attempt, info: &[u8]) -> Result<()> {
    let info = if info.is_empty() { None } else { Some(read_info(info)?) };
    let id = info.as_ref().map(|info| info.get("ID").and_then(Value::as_str).unwrap_or_default());
    let (tx, now) = (app.store.begin().await?, app.now());
    let Fence { job_id, attempt: number } = attempt.fence;
    let released = states::unlock(&tx, attempt.spec_id, attempt.fence, id).await.map_err(refusal)?;
    if let Some(lock) = released.filter(|lock| (lock.job_id, lock.attempt) != (Some(job_id), Some(number))) {
        let (actor, detail) = (format!("job {job_id}"), json!({ "lock": lock.id, "of": lock.who }));
        audit::done(&tx, &actor, "state.unlock", attempt.spec_id, detail, now);
    }
    Ok(tx.commit().await?)
}

/// Keeps a state that an attempt delivers late, beside the lock that it left behind. It is no version by itself.
///
/// # Errors
/// When it is no state, the job only looks, or the attempt has left others enough.
pub async fn rescue(app: &App, attempt: &FormerAttempt, content: Bytes) -> Result<()> {
    let FormerAttempt(attempt) = attempt;
    must_mutate(attempt)?;
    let rescue = states::Rescue { spec_id: attempt.spec_id, fence: attempt.fence, content: &content };
    states::rescue(&app.store, rescue, app.now()).await?;
    let (tx, now) = (app.store.begin().await?, app.now());
    let detail = json!({ "job": attempt.fence.job_id, "attempt": attempt.fence.attempt });
    audit::done(&tx, "runner", "state.rescue", attempt.spec_id, detail, now);
    Ok(tx.commit().await?)
}

fn must_mutate(attempt: &Attempt) -> Result<()> {
    if attempt.job_type.is_mutating() {
        return Ok(());
    }
    Err(Error::conflict(format!("a {} changes no state", attempt.job_type)))
}

fn read_info(info: &[u8]) -> Result<Value> {
    if info.len() > LARGEST_LOCK {
        return Err(Error::TooLarge { what: "the lock", limit: LARGEST_LOCK });
    }
    serde_json::from_slice(info).map_err(|error| Error::Malformed(format!("the lock is no JSON: {error}")))
}

fn lock_refusal(error: StoreError) -> Error {
    match error {
        StoreError::StateRefused(StateRefusal::Malformed(why)) => {
            Error::Malformed(format!("the lock can't be read: {why}"))
        }
        other => refusal(other),
    }
}

fn refusal(error: StoreError) -> Error {
    match error {
        StoreError::StateRefused(StateRefusal::Locked(held)) => Error::StateLocked(held.info),
        other => other.into(),
    }
}
