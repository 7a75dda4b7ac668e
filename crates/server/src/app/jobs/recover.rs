//! A Spec whose last change broke off is brought back: its Runner was lost, what it ran was killed, or it failed.
//!
//! The first half is one transaction: a rescued state that is newer becomes the newest version, a lock that was left behind
//! is released, and a PLAN is made of what the broken job was to do, from its own Revision and the newest state (from the
//! Spec's newest Revision where its own can't be planned any more). The second half is the person's: look at that plan, then
//! make the DEPLOY or DESTROY that is bound to it.

use alethia_api::states::Recovery;
use alethia_domain::{
    ids::SpecId,
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{
    StoreError, Tx, identities, jobs, revisions, runners, specs,
    states::{self, Force, Rescued, State, StateLock, StateVersion},
};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    create::{Order, enqueue},
    view,
};
use crate::{
    app::{
        App, audit,
        once::Once,
        specs::resolve,
        states::{lock, version},
    },
    auth::Operator,
    error::{Error, Result},
};

/// Prepares it, and makes the PLAN.
///
/// # Errors
/// When a job is not over, the lock's holder is alive, or there is nothing to bring back.
pub async fn recover(app: &App, operator: &Operator, spec: SpecId, key: Option<String>) -> Result<Recovery> {
    let (once, now) = (Once::new(operator, key, format!("specs/{spec}/recover"), &json!({})), app.now());
    let tx = app.store.begin().await?;
    if let Some(recovery) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(recovery);
    }
    specs::lock(&tx, spec).await?;
    let spec = specs::get(&tx, spec).await?;
    must_be_idle(&spec)?;
    let state = states::get(&tx, spec.id).await?;
    must_not_be_held(&state)?;
    let rescued = states::newest_fitting(&tx, spec.id).await?;
    let lost = broken(&tx, &spec, &state, rescued.as_ref()).await?;
    let order = plan_of(&tx, &spec, &lost).await?;
    let released = release(&tx, operator, &spec, state.lock, now).await?;
    let adopted = adopt(&tx, operator, &spec, rescued, now).await?;
    let plan = enqueue(&tx, operator, &spec, order, now).await?;
    let detail = json!({ "lost": lost.id, "plan": plan.id });
    audit::done(&tx, &operator.name, "spec.recover", spec.id, detail, now);
    let (released, adopted) = (released.map(lock), adopted.map(version));
    let recovery = Recovery { lost: view::job(lost), released, adopted, plan };
    once.keep(&tx, &recovery).await?;
    tx.commit().await?;
    Ok(recovery)
}

/// What is bound to a plan for recovery works from that plan's Revision, and is for the same Runners.
pub(super) async fn carry_on(tx: &Tx, spec: &specs::Spec, order: Order) -> Result<Order> {
    let Some(plan) = order.plan_job_id else { return Ok(order) };
    let plan = match jobs::get(tx, plan).await {
        Ok(plan) if plan.spec_id == spec.id => plan,
        // What is wrong with it is said where plans are checked.
        Ok(_) | Err(StoreError::NotFound { .. }) => return Ok(order),
        Err(other) => return Err(other.into()),
    };
    let Some(lost) = plan.retry_of else { return Ok(order) };
    if !jobs::get(tx, lost).await?.job_type.is_mutating() {
        return Ok(order);
    }
    let any_runner = order.required_labels.is_empty();
    Ok(Order {
        revision: plan.revision,
        retry_of: Some(lost),
        required_labels: if any_runner { plan.required_labels } else { order.required_labels },
        assigned_runner_id: order.assigned_runner_id.or(plan.assigned_runner_id),
        ..order
    })
}

/// Refuses a change that would go on without a state that came late: it would never fit again.
pub(super) async fn must_leave_nothing(tx: &Tx, spec: &specs::Spec) -> Result<()> {
    let Some(late) = states::newest_fitting(tx, spec.id).await? else { return Ok(()) };
    let specs::Spec { zone, name, .. } = spec;
    let Rescued { job_id, resources, .. } = late;
    Err(Error::Conflict {
        detail: format!(
            "a state of {zone}/{name} came late, from job {job_id} with {resources} resources, and is not taken over yet"
        ),
        permitted: vec!["plan"],
        hint: Some(format!("alethia recover {zone}/{name}")),
    })
}

fn must_be_idle(spec: &specs::Spec) -> Result<()> {
    let Some(job) = spec.active_job else { return Ok(()) };
    Err(Error::Conflict {
        detail: format!("job {job} of {}/{} is not over", spec.zone, spec.name),
        permitted: vec!["cancel"],
        hint: Some(format!("alethia jobs wait {job}")),
    })
}

fn must_not_be_held(state: &State) -> Result<()> {
    match &state.lock {
        Some(lock) if lock.holder_alive => {
            Err(Error::conflict(format!("the state is locked by {}, who is alive", lock.who)))
        }
        Some(_) | None => Ok(()),
    }
}

/// The last change that began, if anything is left of it to be brought back.
async fn broken(tx: &Tx, spec: &specs::Spec, state: &State, rescued: Option<&Rescued>) -> Result<jobs::Job> {
    let nothing = || Error::Conflict {
        detail: format!("{}/{} is {}; there is nothing to recover", spec.zone, spec.name, spec.status),
        permitted: vec!["plan"],
        hint: Some(format!("alethia plan {}/{}", spec.zone, spec.name)),
    };
    let last = jobs::last_change_begun(tx, spec.id).await?.ok_or_else(nothing)?;
    let last = jobs::get(tx, last).await?;
    match last.status {
        JobStatus::Success if state.lock.is_none() && rescued.is_none() => Err(nothing()),
        JobStatus::Success
        | JobStatus::Failed
        | JobStatus::Cancelled
        | JobStatus::Queued
        | JobStatus::Claimed
        | JobStatus::Processing => Ok(last),
    }
}

async fn release(
    tx: &Tx,
    operator: &Operator,
    spec: &specs::Spec,
    held: Option<StateLock>,
    now: DateTime<Utc>,
) -> Result<Option<StateLock>> {
    let Some(held) = held else { return Ok(None) };
    let released = states::force_unlock(tx, spec.id, &held.id, Force::OnlyOrphaned).await?;
    let detail = json!({ "lock": released.id, "job": released.job_id, "holder_alive": false });
    audit::done(tx, &operator.name, "state.unlock", spec.id, detail, now);
    Ok(Some(released))
}

async fn adopt(
    tx: &Tx,
    operator: &Operator,
    spec: &specs::Spec,
    rescued: Option<Rescued>,
    now: DateTime<Utc>,
) -> Result<Option<StateVersion>> {
    let Some(rescued) = rescued else { return Ok(None) };
    let adopted = states::adopt(tx, spec.id, &rescued, now).await?;
    let detail = json!({ "serial": adopted.serial, "job": rescued.job_id, "attempt": rescued.attempt });
    audit::done(tx, &operator.name, "state.adopt", spec.id, detail, now);
    Ok(Some(adopted))
}

async fn plan_of(tx: &Tx, spec: &specs::Spec, lost: &jobs::Job) -> Result<Order> {
    let assigned_runner_id = match lost.assigned_runner_id {
        Some(runner) if runners::is_registered(tx, runner).await? => Some(runner),
        Some(_) | None => None,
    };
    Ok(Order {
        job_type: JobType::Plan,
        revision: if can_be_planned(tx, lost).await? { lost.revision } else { spec.revision },
        plan_job_id: None,
        retry_of: Some(lost.id),
        destroy: lost.job_type == JobType::Destroy,
        required_labels: lost.required_labels.clone(),
        assigned_runner_id,
    })
}

/// Whether its document is still accepted, and its Cloud Identity still there. Without this a Spec whose state came late
/// could neither be recovered nor changed.
async fn can_be_planned(tx: &Tx, lost: &jobs::Job) -> Result<bool> {
    let written = revisions::get(tx, lost.spec_id, lost.revision).await?.document;
    let Ok(document) = resolve(&written) else { return Ok(false) };
    match identities::by_name(tx, &document.cloud.identity).await {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
