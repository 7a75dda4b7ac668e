//! What a Runner says while it has a job: it starts, it is alive, it comes further. Each write checks the fence.

use alethia_api::runner::{Heartbeat, HeartbeatReply, Instruction, ReportProgress};
use alethia_domain::lifecycle::{JobType, SpecEvent};
use alethia_store::{doorbell::Bell, jobs, queue, runners, specs};
use chrono::TimeDelta;
use tokio::time::{Duration, Instant, sleep_until, timeout_at};

use super::{App, claims::LONGEST_WAIT, reports};
use crate::{
    auth::Attempt,
    error::{Error, Result},
};

/// Longest name of a step.
const LONGEST_STEP: usize = 40;
/// Shortest time between two looks whether there is something new to do.
const LOOK_PAUSE: Duration = Duration::from_millis(200);
/// Most reports on components in one message.
pub(super) const MOST_REPORTS: usize = 2000;

/// The work begins. Saying it again is fine: the answer to the first may have been lost.
///
/// # Errors
/// When the attempt is over.
pub async fn start(app: &App, attempt: &Attempt) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    let begun = jobs::start(&tx, attempt.fence, lease(app), now).await?;
    if let Some((spec_id, event)) = begun.and_then(|begun| Some((begun.spec_id, started(begun.job_type)?))) {
        specs::transition(&tx, spec_id, &event, None, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The work does not begin: the Runner ends. The job waits for another one.
///
/// # Errors
/// When the work has begun, or the attempt is over.
pub async fn release(app: &App, attempt: &Attempt) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    queue::release(&tx, attempt.fence, now).await?;
    Ok(tx.commit().await?)
}

/// The work goes on: the lease is renewed at once. The answer says whether it should; it is held as long as the Runner
/// asks for while there is nothing new to say.
///
/// # Errors
/// When the attempt is over, also if that happens while the answer is held.
pub async fn heartbeat(app: &App, attempt: &Attempt, heartbeat: Heartbeat) -> Result<HeartbeatReply> {
    check_heartbeat(&heartbeat)?;
    let deadline = Instant::now() + Duration::from_secs(heartbeat.wait_seconds.into());
    let mut ear = app.store.doorbell().listen(Bell::Job(attempt.fence.job_id));
    let mut alive = renew(app, attempt, heartbeat.step.as_deref()).await?;
    loop {
        let (instruction, looked) = (instruction(&alive), Instant::now());
        if instruction != heartbeat.told || looked >= deadline || app.stop.is_cancelled() {
            return Ok(HeartbeatReply { instruction, lease_expires_at: alive.lease_expires_at });
        }
        let news = async {
            ear.heard().await;
            // Lines of the log ring too, many times a second.
            sleep_until(looked + LOOK_PAUSE).await;
        };
        app.stop.run_until_cancelled(timeout_at(deadline, news)).await;
        alive = jobs::alive(&app.store, attempt.fence).await?;
    }
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

async fn renew(app: &App, attempt: &Attempt, step: Option<&str>) -> Result<jobs::Heartbeat> {
    let (tx, now) = (app.store.begin().await?, app.now());
    let alive = jobs::heartbeat(&tx, attempt.fence, step, lease(app), now).await?;
    runners::works(&tx, attempt.fence, now).await?;
    tx.commit().await?;
    Ok(alive)
}

/// What the Runner is to do.
fn instruction(alive: &jobs::Heartbeat) -> Instruction {
    match (alive.kill_requested, alive.cancel_requested) {
        (true, _) => Instruction::Kill,
        (false, true) => Instruction::Cancel,
        (false, false) => Instruction::Continue,
    }
}

fn check_heartbeat(heartbeat: &Heartbeat) -> Result<()> {
    if let Some(step) = &heartbeat.step {
        check_step(step)?;
    }
    if heartbeat.wait_seconds > LONGEST_WAIT {
        let message = format!("{} is out of range; allowed: 0 to {LONGEST_WAIT}", heartbeat.wait_seconds);
        return Err(Error::field("wait_seconds", message));
    }
    Ok(())
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
