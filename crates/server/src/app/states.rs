//! Terraform states as people see them: versions, restore, unlock.

use alethia_api::{
    page::{Page, PageQuery},
    states::{Orphaned, RescuedState, RestoreState, State, StateLock, StateVersion, UnlockState},
};
use alethia_domain::ids::SpecId;
use alethia_store::{
    StateRefusal, StoreError, specs,
    states::{self, Draft, Force},
};
use axum::body::Bytes;
use serde_json::json;

use super::{App, audit, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::{Error, Result},
};

/// The newest version of a Spec's state, and its lock.
///
/// # Errors
/// When there is no such Spec.
pub async fn get(app: &App, _: &Viewer, spec: SpecId) -> Result<State> {
    Ok(view(states::get(&app.store, spec).await?))
}

/// Versions of a Spec's state, the latest serial first.
///
/// # Errors
/// When there is no such Spec, or the query is wrong.
pub async fn versions(app: &App, _: &Viewer, spec: SpecId, query: &PageQuery) -> Result<Page<StateVersion>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    specs::get(&app.store, spec).await?;
    let page = states::versions(&app.store, spec, request).await?;
    Ok(page::answer(page, version))
}

/// Content of one version. That somebody read it is kept: a state tells much about a cloud.
///
/// # Errors
/// When there is none.
pub async fn content(app: &App, admin: &Admin, spec: SpecId, serial: u64) -> Result<Bytes> {
    let (_, content) = states::read_version(&app.store, spec, serial).await?;
    let (tx, now) = (app.store.begin().await?, app.now());
    audit::done(&tx, &admin.name, "state.read", spec, json!({ "serial": serial }), now);
    tx.commit().await?;
    Ok(content)
}

/// Makes an older version the newest, under a new serial.
///
/// # Errors
/// When there is none, a job is not over, or the state is locked.
pub async fn restore(
    app: &App,
    admin: &Admin,
    spec: SpecId,
    restore: RestoreState,
    key: Option<String>,
) -> Result<State> {
    let once = Once::new(admin, key, format!("specs/{spec}/state/restore"), &restore);
    let draft = states::draft_restore(&app.store, spec, restore.serial).await?;
    let restored = adopt(app, admin, spec, &draft, &restore, &once).await;
    match &restored {
        // It may have happened all the same: what a row may name stays.
        Ok(_) | Err(Error::Down { .. }) => {}
        Err(_) => draft.discard(&app.store).await,
    }
    restored
}

/// Makes the draft the newest version, once. Under the Spec's lock no job comes in between.
async fn adopt(
    app: &App,
    admin: &Admin,
    spec: SpecId,
    draft: &Draft,
    restore: &RestoreState,
    once: &Once,
) -> Result<State> {
    let (tx, now) = (app.store.begin().await?, app.now());
    if let Some(state) = once.answer(&tx, now).await? {
        draft.discard(&app.store).await;
        tx.commit().await?;
        return Ok(state);
    }
    specs::lock(&tx, spec).await?;
    let named = specs::get(&tx, spec).await?;
    if let Some(job) = named.active_job {
        return Err(Error::conflict(format!("job {job} works on it; wait for its end or cancel it")));
    }
    let made = states::restore(&tx, draft, now).await.map_err(|error| refusal(error, &named))?;
    let state = view(states::get(&tx, spec).await?);
    once.keep(&tx, &state).await?;
    let detail = json!({ "from": restore.serial, "to": made.serial });
    audit::done(&tx, &admin.name, "state.restore", spec, detail, now);
    tx.commit().await?;
    Ok(state)
}

/// Releases a lock that its holder left behind; with `force`, also one whose holder is alive.
///
/// # Errors
/// When no such lock is held, or its holder is alive.
pub async fn unlock(app: &App, admin: &Admin, spec: SpecId, unlock: UnlockState) -> Result<State> {
    let force = if unlock.force { Force::Always } else { Force::OnlyOrphaned };
    let (tx, now) = (app.store.begin().await?, app.now());
    let named = specs::get(&tx, spec).await?;
    let released = states::force_unlock(&tx, spec, &unlock.lock_id, force).await;
    let released = released.map_err(|error| refusal(error, &named))?;
    let detail =
        json!({ "lock": released.id, "job": released.job_id, "holder_alive": released.holder_alive });
    audit::done(&tx, &admin.name, "state.unlock", spec, detail, now);
    let state = view(states::get(&tx, spec).await?);
    tx.commit().await?;
    Ok(state)
}

fn refusal(error: StoreError, spec: &specs::Spec) -> Error {
    match error {
        StoreError::StateRefused(StateRefusal::Locked(lock)) if lock.holder_alive => Error::Conflict {
            detail: format!("the state is locked by {}, who is alive ({})", lock.who, lock.operation),
            permitted: Vec::new(),
            hint: lock.job_id.map(|job| format!("alethia jobs cancel {job}")),
        },
        StoreError::StateRefused(StateRefusal::Locked(lock)) => Error::Conflict {
            detail: format!("the state is locked by {}, who is gone", lock.who),
            permitted: vec!["recover", "unlock"],
            hint: Some(format!("alethia recover {}/{}", spec.zone, spec.name)),
        },
        other => other.into(),
    }
}

fn view(state: states::State) -> State {
    let states::State { spec_id, spec, zone, current, lock: held, rescued } = state;
    let rescued = rescued.into_iter().map(late).collect();
    State { spec_id, spec, zone, current: current.map(version), lock: held.map(lock), rescued }
}

pub(super) fn version(version: states::StateVersion) -> StateVersion {
    let states::StateVersion { serial, lineage, md5, size, resources, job_id, created_at } = version;
    StateVersion { serial, lineage, md5, size, resources, job_id, created_at }
}

pub(super) fn lock(lock: states::StateLock) -> StateLock {
    let states::StateLock { id, operation, who, info: _, job_id, attempt, runner, .. } = lock;
    let orphaned = lock.orphaned.map(|states::Orphaned { since, reason }| Orphaned { since, reason });
    let (holder_alive, created_at) = (lock.holder_alive, lock.created_at);
    StateLock { id, operation, who, job_id, attempt, runner, holder_alive, orphaned, created_at }
}

fn late(state: states::Rescued) -> RescuedState {
    RescuedState {
        serial: state.serial,
        lineage: state.lineage,
        md5: state.md5,
        size: state.size,
        resources: state.resources,
        job_id: state.job_id,
        attempt: state.attempt,
        unfit: state.unfit,
        created_at: state.created_at,
    }
}
