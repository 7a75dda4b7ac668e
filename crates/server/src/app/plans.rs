//! Plans: the file and what is known about it, from the attempt that made it to the one that applies it.

use alethia_api::{jobs::Plan, runner::ReportPlan};
use alethia_domain::{
    ids::JobId,
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{jobs, plans};
use axum::body::Bytes;

use super::App;
use crate::{
    auth::{Attempt, Viewer},
    error::{Error, Result},
};

/// The plan that a PLAN job made.
///
/// # Errors
/// When there is none: it is another type of job, or not over.
pub async fn get(app: &App, _: &Viewer, id: JobId) -> Result<Plan> {
    let job = jobs::get(&app.store, id).await?;
    if (job.job_type, job.status) != (JobType::Plan, JobStatus::Success) {
        return Err(Error::not_found("plan of the job", id));
    }
    let plans::Plan { job_id, digest, summary, .. } = plans::get(&app.store, id).await?;
    Ok(Plan { job_id, digest, summary })
}

/// Stores the plan file of this attempt.
///
/// # Errors
/// When the attempt is over, or its job makes no plan.
pub async fn put_file(app: &App, attempt: &Attempt, file: Bytes) -> Result<()> {
    must_be_plan(app, attempt).await?;
    Ok(plans::put_file(&app.store, attempt.fence, &file, app.now()).await?)
}

/// Stores summary and basis of the plan whose file was stored before.
///
/// # Errors
/// When the attempt is over, its job makes no plan, or the file is missing or another one.
pub async fn report(app: &App, attempt: &Attempt, plan: ReportPlan) -> Result<()> {
    let job = must_be_plan(app, attempt).await?;
    if plan.basis.snapshot != job.snapshot_hash {
        return Err(Error::field("basis.snapshot", "it is not the hash of the job's snapshot"));
    }
    let (tx, now) = (app.store.begin().await?, app.now());
    let ReportPlan { basis, summary, file_sha256 } = plan;
    plans::report(&tx, attempt.fence, &basis, &summary, &file_sha256, now).await?;
    Ok(tx.commit().await?)
}

/// The plan file that the attempt's job is bound to.
///
/// # Errors
/// When it is bound to none.
pub async fn file(app: &App, attempt: &Attempt) -> Result<Bytes> {
    let job = jobs::get(&app.store, attempt.fence.job_id).await?;
    let plan = job.plan_job_id.ok_or_else(|| Error::not_found("plan for the job", job.id))?;
    Ok(plans::file(&app.store, plan).await?)
}

async fn must_be_plan(app: &App, attempt: &Attempt) -> Result<jobs::Job> {
    let job = jobs::get(&app.store, attempt.fence.job_id).await?;
    if job.job_type == JobType::Plan {
        Ok(job)
    } else {
        Err(Error::conflict(format!("a {} makes no plan to keep", job.job_type)))
    }
}
