//! Takes back jobs whose Runner fell silent, moves the logs of finished jobs to the blob store, and forgets the answers
//! that were kept for repeated requests.
//!
//! It sleeps until the next lease can end: a lease that is given while it sleeps ends no sooner than one lease later,
//! so it never looks for nothing. Any number of Consoles may run one: each step checks again what it changes.
//!
//! A Console that has just started, or that was out of reach itself, waits one lease first: Runners could not renew theirs
//! while it was away, and do so as soon as they can.
//!
//! A job that was only claimed, or that changes nothing and has tries left, runs again after a pause. One that may have
//! changed something is FAILED: a person decides, and the Spec says how.

use std::time::Duration;

use alethia_domain::{
    event::Failure,
    lifecycle::{FailureReason, JobStatus, Lost},
};
use alethia_store::{
    idempotency, jobs, logs,
    queue::{self, Expired, Loss},
};
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};

use super::retention::Retention;
use crate::{
    app::{App, finish},
    error::Result,
};

/// Rows that are handled at once.
const BATCH: u16 = 50;
/// Shortest and longest sleep. The longest is also how often finished logs are moved.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15);

/// Works until the Console is told to end.
pub(crate) async fn run(app: App) {
    let (mut there_since, mut retention) = (Instant::now(), Retention::new());
    loop {
        let pause = match round(&app, there_since, &mut retention).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "the database was not looked after; the next round tries again");
                there_since = Instant::now();
                LONGEST
            }
        };
        let due = Instant::now() + pause;
        if app.stop.run_until_cancelled(sleep_until(due)).await.is_none() {
            return;
        }
        if was_away(due, app.config.lease) {
            there_since = Instant::now();
        }
    }
}

/// Whether this process stood still so long that Runners may have missed it.
fn was_away(due: Instant, lease: Duration) -> bool {
    Instant::now() > due + lease / 2
}

/// One round; tells how long to sleep after it. What goes wrong in the housekeeping never keeps it from the leases.
async fn round(app: &App, there_since: Instant, retention: &mut Retention) -> Result<Duration> {
    let grace = (there_since + app.config.lease).saturating_duration_since(Instant::now());
    let healthy = !grace.is_zero() || sweep(app, app.now()).await?;
    move_logs(app).await?;
    forget_answers(app).await?;
    retention.work(app).await?;
    match (grace.is_zero(), healthy) {
        (true, true) => pause(app).await,
        (true, false) => Ok(LONGEST),
        (false, _) => Ok(grace.min(LONGEST)),
    }
}

/// Moves finished logs. One that can't be moved does not keep the others from it.
async fn move_logs(app: &App) -> Result<()> {
    for job in logs::to_compact(&app.store, BATCH).await? {
        if let Err(error) = logs::compact(&app.store, job).await {
            tracing::error!(%error, %job, "a finished log was not moved to the blob store");
        }
    }
    Ok(())
}

/// Forgets answers that are old. Nothing is written where there are none.
async fn forget_answers(app: &App) -> Result<()> {
    let now = app.now();
    if idempotency::has_expired(&app.store, now).await? {
        let tx = app.store.begin().await?;
        idempotency::sweep(&tx, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Handles leases that had ended at `now`. One that can't be handled does not keep the others from it; tells whether
/// there was none.
async fn sweep(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mut healthy = true;
    for lost in queue::expired(&app.store, now, BATCH).await? {
        if let Err(error) = take_back(app, &lost, now).await {
            tracing::error!(%error, job = %lost.fence.job_id, "an expired lease was not handled");
            healthy = false;
        }
    }
    Ok(healthy)
}

async fn take_back(app: &App, expired: &Expired, now: DateTime<Utc>) -> Result<()> {
    let tx = app.store.begin().await?;
    let job = jobs::get(&tx, expired.fence.job_id).await?;
    let loss = loss(expired, &finish::recover(&job), now);
    let Some(status) = queue::lose_lease(&tx, expired, &loss, now).await? else { return Ok(()) };
    if let (JobStatus::Failed, Loss::Abandon { failure }) = (status, &loss) {
        finish::lost(&tx, &job, failure, now).await?;
    }
    tx.commit().await?;
    tracing::warn!(job = %expired.fence.job_id, attempt = expired.fence.attempt, now = %status, "a lease ended");
    Ok(())
}

/// What becomes of the job; `recover` brings its Spec back.
fn loss(expired: &Expired, recover: &str, now: DateTime<Utc>) -> Loss {
    let attempt = expired.fence.attempt;
    match Lost::of(expired.job_type, expired.status, attempt) {
        Lost::Retry => Loss::Retry { not_before: now + Lost::pause(attempt) },
        Lost::Abandon => Loss::Abandon { failure: failure(expired, recover) },
    }
}

fn failure(expired: &Expired, recover: &str) -> Failure {
    let (message, hint) = if expired.job_type.is_mutating() {
        let message = "the Runner was lost in the middle of the work; it may have changed something";
        (message, recover.to_owned())
    } else {
        ("the Runner was lost again and again", format!("alethia jobs retry {}", expired.fence.job_id))
    };
    Failure {
        reason: FailureReason::RunnerLost,
        message: message.to_owned(),
        address: None,
        hint: Some(hint),
    }
}

async fn pause(app: &App) -> Result<Duration> {
    let next = queue::next_expiry(&app.store).await?;
    let until = next.map(|next| (next - app.now()).to_std().unwrap_or_default());
    Ok(until.unwrap_or(LONGEST).min(app.config.lease).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use alethia_domain::{
        ids::{JobId, RunnerId, SpecId},
        lifecycle::JobType,
    };
    use alethia_store::jobs::Fence;
    use chrono::TimeDelta;

    use super::*;

    fn expired(job_type: JobType, status: JobStatus, attempt: u32) -> Expired {
        Expired {
            fence: Fence { job_id: JobId::generate(), attempt },
            job_type,
            status,
            spec_id: SpecId::generate(),
            runner_id: RunnerId::generate(),
        }
    }

    #[test]
    fn only_what_may_have_changed_something_or_failed_too_often_is_given_up() {
        let now = Utc::now();
        let given_up = |job_type, status, attempt| {
            matches!(loss(&expired(job_type, status, attempt), "recover", now), Loss::Abandon { .. })
        };
        assert!(given_up(JobType::Deploy, JobStatus::Processing, 1));
        assert!(given_up(JobType::Destroy, JobStatus::Processing, 1));
        assert!(!given_up(JobType::Deploy, JobStatus::Claimed, 7));
        assert!(!given_up(JobType::Plan, JobStatus::Processing, 2));
        assert!(given_up(JobType::Plan, JobStatus::Processing, 3));
    }

    #[test]
    fn the_pause_before_another_try_doubles() {
        let now = Utc::now();
        let pause =
            |attempt| match loss(&expired(JobType::Plan, JobStatus::Processing, attempt), "recover", now) {
                Loss::Retry { not_before } => not_before - now,
                Loss::Abandon { .. } => panic!("given up"),
            };
        assert_eq!(pause(1), TimeDelta::seconds(2));
        assert_eq!(pause(2), TimeDelta::seconds(4));
    }
}
