//! Jobs as people ask for them: made, looked at, cancelled, tried again. What Runners do is in `claims`, `attempts` and
//! `finish`.
//!
//! A job freezes what it works from: the document of a Revision with its defaults. Rows are locked in the order job,
//! Spec, so that a person and a Runner never wait for each other.

mod binding;
mod create;
mod recover;
mod view;
mod waiting;

use alethia_api::{
    jobs::{CancelJob, Job, JobQuery},
    page::Page,
};
use alethia_domain::{ids::JobId, lifecycle::JobStatus};
use alethia_store::{Conflict, StoreError, jobs, specs};
use serde_json::json;

pub(super) use binding::identity_of;
pub use create::{create, retry};
pub use recover::recover;

use super::{App, audit, page};
use crate::{
    auth::{Admin, Operator, Viewer},
    error::{Error, Result},
};

/// Jobs, the newest first.
///
/// # Errors
/// When the query is wrong or the store is not available.
pub async fn list(app: &App, _: &Viewer, query: &JobQuery) -> Result<Page<Job>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let filter = jobs::JobFilter { spec_id: query.spec_id, status: query.status };
    let page = jobs::list(&app.store, filter, request).await?;
    waiting::page(&app.store, page, app.now()).await
}

/// A job.
///
/// # Errors
/// When there is none.
pub async fn get(app: &App, _: &Viewer, id: JobId) -> Result<Job> {
    let job = jobs::get(&app.store, id).await?;
    let told = waiting::told(&app.store, vec![job], app.now()).await?;
    Ok(told.into_iter().next().expect("one job in, one out"))
}

/// Ends a job that waits; asks the Runner to end one that runs, or, by force, to kill what it runs.
///
/// # Errors
/// When there is none, it is over, or force is used by who may not or before the job was asked to end in order.
pub async fn cancel(app: &App, operator: &Operator, id: JobId, how: CancelJob) -> Result<Job> {
    if how.force {
        Admin::must_be(operator)?;
    }
    let (tx, now) = (app.store.begin().await?, app.now());
    let job = jobs::get(&tx, id).await?;
    let asked = if how.force { jobs::kill(&tx, id, now).await } else { jobs::cancel(&tx, id, now).await };
    let status = asked.map_err(|error| refusal(error, &job))?;
    if status == JobStatus::Cancelled {
        let reason = specs::get(&tx, job.spec_id).await?.status_reason;
        jobs::withdraw(&tx, &job, reason.as_deref(), now).await?;
    }
    audit::done(&tx, &operator.name, "job.cancel", id, json!({ "now": status, "force": how.force }), now);
    let job = view::job(jobs::get(&tx, id).await?);
    tx.commit().await?;
    Ok(job)
}

/// What a job that is over allows instead.
fn refusal(error: StoreError, job: &jobs::Job) -> Error {
    match error {
        StoreError::Illegal(transition) => Error::illegal(&transition, permitted(job.status)),
        StoreError::Conflict(conflict @ Conflict::NotAsked) => Error::Conflict {
            detail: conflict.to_string(),
            permitted: vec!["cancel"],
            hint: Some(format!("alethia jobs cancel {}", job.id)),
        },
        other => other.into(),
    }
}

/// What a person may do with a job.
fn permitted(status: JobStatus) -> Vec<&'static str> {
    let cancel = status.can_cancel().then_some("cancel");
    let retry = status.can_retry().then_some("retry");
    cancel.into_iter().chain(retry).collect()
}
