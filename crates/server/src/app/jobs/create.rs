//! New jobs, and old ones tried again.

use alethia_api::jobs::{Job, NewJob};
use alethia_domain::{
    ids::{JobId, RunnerId, SpecId},
    lifecycle::{JobType, SpecEvent, SpecStatus},
    plan::{canonical_json, sha256_hex},
    stage::Stage,
};
use alethia_store::{Conflict, StoreError, Tx, components, identities, jobs, revisions, runners, specs};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{binding, permitted, recover, view};
use crate::{
    app::{App, audit, check, once::Once, specs::resolve},
    auth::Operator,
    error::{Error, Result},
};

/// What is asked for, whoever asks.
pub(super) struct Order {
    pub(super) job_type: JobType,
    pub(super) revision: u32,
    pub(super) plan_job_id: Option<JobId>,
    pub(super) retry_of: Option<JobId>,
    pub(super) destroy: bool,
    pub(super) required_labels: Vec<String>,
    pub(super) assigned_runner_id: Option<RunnerId>,
}

/// Makes a job of a Spec from its newest Revision; one that is bound to a plan for recovery, from that plan's.
///
/// # Errors
/// When the Spec's status or another job does not allow it, when it is bound to a plan that does not fit any more, or
/// when the removal of a production Spec is not confirmed.
pub async fn create(
    app: &App,
    operator: &Operator,
    spec: SpecId,
    new: NewJob,
    key: Option<String>,
) -> Result<Job> {
    check_request(&new)?;
    let (once, now) = (Once::new(operator, key, format!("specs/{spec}/jobs"), &new), app.now());
    let tx = app.store.begin().await?;
    if let Some(job) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(job);
    }
    specs::lock(&tx, spec).await?;
    let spec = specs::get(&tx, spec).await?;
    must_be_confirmed(&tx, &new, &spec).await?;
    let order = Order {
        job_type: new.job_type,
        revision: spec.revision,
        plan_job_id: new.plan_job_id,
        retry_of: None,
        destroy: new.destroy,
        required_labels: new.required_labels,
        assigned_runner_id: new.assigned_runner_id,
    };
    let order = recover::carry_on(&tx, &spec, order).await?;
    let job = enqueue(&tx, operator, &spec, order, now).await?;
    once.keep(&tx, &job).await?;
    tx.commit().await?;
    Ok(job)
}

/// Tries a job again that FAILED or was CANCELLED: the same Revision, without the plan it may have been bound to.
///
/// # Errors
/// When there is none, it is not over or ended with success, the Spec does not allow it now, or it would remove a
/// production Spec and never began to.
pub async fn retry(app: &App, operator: &Operator, id: JobId, key: Option<String>) -> Result<Job> {
    let (once, now) = (Once::new(operator, key, format!("jobs/{id}/retry"), &json!({})), app.now());
    let tx = app.store.begin().await?;
    if let Some(job) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(job);
    }
    let old = jobs::get(&tx, id).await?;
    must_be_over(&old)?;
    specs::lock(&tx, old.spec_id).await?;
    let spec = specs::get(&tx, old.spec_id).await?;
    must_have_begun(&tx, &old, &spec).await?;
    let order = Order {
        job_type: old.job_type,
        revision: old.revision,
        plan_job_id: None,
        retry_of: Some(id),
        destroy: old.destroy,
        required_labels: old.required_labels,
        assigned_runner_id: old.assigned_runner_id,
    };
    let job = enqueue(&tx, operator, &spec, order, now).await?;
    once.keep(&tx, &job).await?;
    tx.commit().await?;
    Ok(job)
}

pub(super) async fn enqueue(
    tx: &Tx,
    operator: &Operator,
    spec: &specs::Spec,
    order: Order,
    now: DateTime<Utc>,
) -> Result<Job> {
    let document = resolve(&revisions::get(tx, spec.id, order.revision).await?.document)?;
    let snapshot = serde_json::to_value(&document).expect("a document always serializes");
    let snapshot_hash = sha256_hex(&canonical_json(&snapshot));
    let identity = identities::by_name(tx, &document.cloud.identity).await?;
    if let Some(plan) = order.plan_job_id {
        binding::must_fit(tx, plan, spec, order.job_type, &snapshot_hash, &identity).await?;
    }
    if order.job_type.is_mutating() {
        recover::must_leave_nothing(tx, spec).await?;
    }
    must_know(tx, order.assigned_runner_id).await?;
    transition(tx, spec, order.job_type, now).await?;
    if order.job_type == JobType::Deploy {
        components::sync(tx, spec.id, &document.components(), now).await?;
    }
    let new = jobs::NewJob {
        job_type: order.job_type,
        spec_id: spec.id,
        revision: order.revision,
        snapshot,
        snapshot_hash,
        identity_id: identity.id,
        plan_job_id: order.plan_job_id,
        retry_of: order.retry_of,
        destroy: order.destroy,
        required_labels: order.required_labels,
        assigned_runner_id: order.assigned_runner_id,
        former_status: (order.job_type == JobType::Deploy).then_some(spec.status),
        author: operator.name.clone(),
    };
    let id = jobs::insert(tx, &new, now).await.map_err(|error| pending(error, spec))?;
    let detail = json!({ "spec": spec.id, "type": new.job_type, "retry_of": new.retry_of });
    audit::done(tx, &operator.name, "job.create", id, detail, now);
    Ok(view::job(jobs::get(tx, id).await?))
}

/// Lets the Spec know of the job; a PLAN changes nothing. Why it FAILED before stays until Terraform runs again.
async fn transition(tx: &Tx, spec: &specs::Spec, job_type: JobType, now: DateTime<Utc>) -> Result<()> {
    let event = match job_type {
        JobType::Deploy => SpecEvent::QueueDeploy,
        JobType::Destroy => SpecEvent::QueueDestroy,
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::Plan
        | JobType::DeployWorker
        | JobType::DestroyWorker => return Ok(()),
    };
    match specs::transition(tx, spec.id, &event, spec.status_reason.as_deref(), now).await {
        Ok(_) => Ok(()),
        Err(StoreError::Illegal(illegal)) => Err(Error::Conflict {
            detail: illegal.to_string(),
            permitted: spec_permits(spec.status),
            hint: spec.active_job.map(|job| format!("alethia jobs wait {job}")),
        }),
        Err(other) => Err(other.into()),
    }
}

/// Which job stands in the way.
fn pending(error: StoreError, spec: &specs::Spec) -> Error {
    match (error, spec.active_job) {
        (StoreError::Conflict(conflict @ Conflict::MutatingJobPending), Some(job)) => Error::Conflict {
            detail: conflict.to_string(),
            permitted: vec!["plan"],
            hint: Some(format!("alethia jobs wait {job}")),
        },
        (other, _) => other.into(),
    }
}

fn spec_permits(status: SpecStatus) -> Vec<&'static str> {
    let deploy = status.can_deploy().then_some("deploy");
    let destroy = status.can_destroy().then_some("destroy");
    std::iter::once("plan").chain(deploy).chain(destroy).collect()
}

fn check_request(new: &NewJob) -> Result<()> {
    check::labels("required_labels", &new.required_labels)?;
    let mutates = match new.job_type {
        JobType::Plan => false,
        JobType::Deploy | JobType::Destroy => true,
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::DeployWorker
        | JobType::DestroyWorker => {
            let message = format!("{} can't be asked for; allowed: PLAN, DEPLOY, DESTROY", new.job_type);
            return Err(Error::field("type", message));
        }
    };
    if new.destroy && mutates {
        return Err(Error::field(
            "destroy",
            "only a PLAN can look at the removal; a removal is a DESTROY job",
        ));
    }
    if new.plan_job_id.is_some() && !mutates {
        return Err(Error::field("plan_job_id", "a PLAN makes a plan; it is not bound to one"));
    }
    Ok(())
}

/// Nobody removes production by a slip, whatever is written meanwhile.
async fn must_be_confirmed(tx: &Tx, new: &NewJob, spec: &specs::Spec) -> Result<()> {
    if new.job_type != JobType::Destroy || new.confirm.as_deref() == Some(&spec.name) {
        return Ok(());
    }
    if !is_production(tx, spec).await? {
        return Ok(());
    }
    let message = format!("{0} is production; to destroy it, repeat its name: --confirm {0}", spec.name);
    Err(Error::field("confirm", message))
}

/// A removal of production goes on without being confirmed again only where it began; one that was called off may have
/// been called off for a reason.
async fn must_have_begun(tx: &Tx, old: &jobs::Job, spec: &specs::Spec) -> Result<()> {
    let goes_on = spec.status == SpecStatus::Failed && old.started_at.is_some();
    if old.job_type != JobType::Destroy || goes_on || !is_production(tx, spec).await? {
        return Ok(());
    }
    Err(Error::Conflict {
        detail: format!("{} is production, and this removal of it did not begin", spec.name),
        permitted: Vec::new(),
        hint: Some(format!("alethia destroy {}/{1} --confirm {1}", spec.zone, spec.name)),
    })
}

/// Whether what is written now, what is deployed, or what may be there in part is production.
async fn is_production(tx: &Tx, spec: &specs::Spec) -> Result<bool> {
    let begun = jobs::last_deploy_begun(tx, spec.id).await?;
    for number in [spec.deployed_revision, begun].into_iter().flatten() {
        if revisions::get(tx, spec.id, number).await?.document["stage"] == "production" {
            return Ok(true);
        }
    }
    Ok(spec.stage == Stage::Production)
}

fn must_be_over(job: &jobs::Job) -> Result<()> {
    if job.status.can_retry() {
        return Ok(());
    }
    Err(Error::Conflict {
        detail: format!("job is {}; only one that FAILED or was CANCELLED is tried again", job.status),
        permitted: permitted(job.status),
        hint: None,
    })
}

/// A job that is for one Runner alone would wait for ever for one that is gone.
async fn must_know(tx: &Tx, runner: Option<RunnerId>) -> Result<()> {
    let Some(id) = runner else { return Ok(()) };
    if runners::is_registered(tx, id).await? {
        return Ok(());
    }
    Err(Error::field("assigned_runner_id", format!("there is no Runner {id}, or it was removed")))
}
