//! What a Runner says while it has a job: it starts, it is alive, it comes further. Each write checks the fence.

use alethia_api::runner::{Heartbeat, HeartbeatReply, Instruction, ReportProgress};
use alethia_domain::lifecycle::{JobStatus, JobType, SpecEvent};
use alethia_store::{jobs, specs};
use chrono::TimeDelta;

use super::{App, reports};
use crate::{
    auth::Attempt,
    error::{Error, Result},
};

/// Longest name of a step.
const LONGEST_STEP: usize = 40;
/// Most reports on components in one message.
pub(super) const MOST_REPORTS: usize = 2000;

/// The work begins. Saying it again is fine: the answer to the first may have been lost.
///
/// # Errors
/// When the attempt is over.
pub async fn start(app: &App, attempt: &Attempt) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    jobs::guard(&tx, attempt.fence).await?;
    let job = jobs::get(&tx, attempt.fence.job_id).await?;
    if job.status == JobStatus::Processing {
        return Ok(());
    }
    jobs::start(&tx, attempt.fence, now).await?;
    if let Some(event) = started(job.job_type) {
        specs::transition(&tx, job.spec_id, &event, None, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The work goes on; the answer says whether it should.
///
/// # Errors
/// When the attempt is over.
pub async fn heartbeat(app: &App, attempt: &Attempt, heartbeat: Heartbeat) -> Result<HeartbeatReply> {
    if let Some(step) = &heartbeat.step {
        check_step(step)?;
    }
    let (tx, now) = (app.store.begin().await?, app.now());
    let alive = jobs::heartbeat(&tx, attempt.fence, heartbeat.step.as_deref(), lease(app), now).await?;
    tx.commit().await?;
    let instruction = if alive.cancel_requested { Instruction::Cancel } else { Instruction::Continue };
    Ok(HeartbeatReply { instruction, lease_expires_at: alive.lease_expires_at })
}

/// What happened to components, and how far the job is.
///
/// # Errors
/// When the attempt is over.
pub async fn progress(app: &App, attempt: &Attempt, progress: ReportProgress) -> Result<()> {
    check_step(&progress.step)?;
    reports::must_be_few(&progress.components)?;
    let (tx, now) = (app.store.begin().await?, app.now());
    jobs::guard(&tx, attempt.fence).await?;
    let ReportProgress { step, done, total, components } = progress;
    jobs::progress(&tx, attempt.fence, &step, done, total, now).await?;
    let job = jobs::get(&tx, attempt.fence.job_id).await?;
    reports::apply(&tx, &job, &components, now).await?;
    Ok(tx.commit().await?)
}

/// How long an attempt is valid without a heartbeat.
pub(super) fn lease(app: &App) -> TimeDelta {
    TimeDelta::from_std(app.config.lease).unwrap_or(TimeDelta::MAX)
}

fn check_step(step: &str) -> Result<()> {
    if step.len() <= LONGEST_STEP {
        return Ok(());
    }
    Err(Error::field("step", format!("it has {} bytes; allowed: up to {LONGEST_STEP}", step.len())))
}

/// What the start of a job means for its Spec.
fn started(job_type: JobType) -> Option<SpecEvent> {
    match job_type {
        JobType::Deploy => Some(SpecEvent::StartDeploy),
        JobType::Destroy => Some(SpecEvent::StartDestroy),
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::Plan
        | JobType::DeployWorker
        | JobType::DestroyWorker => None,
    }
}
