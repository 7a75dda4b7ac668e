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
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

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
/// Sleep after a round that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What there was between two rounds.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    Undisturbed,
    /// Runners may have missed this Console: the database was away and is back now, or the process stood still.
    OutOfReach,
}

/// Works until the Console is told to end.
pub(crate) async fn run(app: App) {
    let (mut there_since, mut retention) = (Instant::now(), Retention::new());
    let mut available = app.store.available();
    loop {
        let round = round(&app, there_since, &mut retention);
        let pause = app.while_available(round).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the database was not looked after; the next round tries again");
            there_since = Instant::now();
            AFTER_FAILURE
        });
        let rest = rest(&mut available, pause, app.config.lease);
        match app.stop.run_until_cancelled(rest).await {
            None => return,
            Some(Rest::Undisturbed) => {}
            Some(Rest::OutOfReach) => there_since = Instant::now(),
        }
    }
}

/// Sleeps for so long, or until the database is back where it went away.
async fn rest(available: &mut watch::Receiver<bool>, pause: Duration, lease: Duration) -> Rest {
    let due = Instant::now() + pause;
    tokio::select! {
        biased;
        Ok(_) = available.wait_for(|available| !*available) => {}
        () = sleep_until(due) => {
            let stood_still = Instant::now() > due + lease / 2;
            return if stood_still { Rest::OutOfReach } else { Rest::Undisturbed };
        }
    }
    // An error says that the store was closed; the Console is told to end then.
    let _ = available.wait_for(|available| *available).await;
    Rest::OutOfReach
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
        Lost::Retry => {
            let message =
                "the Runner was lost before it had ended the work; it was asked to, so nobody does it again";
            Loss::Retry { not_before: now + Lost::pause(attempt), failure: failure(message, again(expired)) }
        }
        Lost::Abandon if expired.job_type.is_mutating() => {
            let message = "the Runner was lost in the middle of the work; it may have changed something";
            Loss::Abandon { failure: failure(message, recover.to_owned()) }
        }
        Lost::Abandon => {
            Loss::Abandon { failure: failure("the Runner was lost again and again", again(expired)) }
        }
    }
}

fn again(expired: &Expired) -> String {
    format!("alethia jobs retry {}", expired.fence.job_id)
}

fn failure(message: &str, hint: String) -> Failure {
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

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_database_that_is_back_ends_the_sleep_and_begins_the_grace_anew() {
        let (say, mut available) = watch::channel(true);
        let resting = tokio::spawn(async move { rest(&mut available, HOUR, HOUR).await });
        say.send(false).unwrap();
        tokio::task::yield_now().await;
        assert!(!resting.is_finished());
        say.send(true).unwrap();
        let rest = tokio::time::timeout(Duration::from_secs(10), resting).await;
        assert_eq!(rest.expect("it does not sleep on").unwrap(), Rest::OutOfReach);
    }

    #[tokio::test]
    async fn a_quiet_sleep_ends_when_it_is_due() {
        let (_say, mut available) = watch::channel(true);
        assert_eq!(rest(&mut available, Duration::from_millis(1), HOUR).await, Rest::Undisturbed);
    }

    #[test]
    fn the_pause_before_another_try_doubles() {
        let now = Utc::now();
        let pause =
            |attempt| match loss(&expired(JobType::Plan, JobStatus::Processing, attempt), "recover", now) {
                Loss::Retry { not_before, .. } => not_before - now,
                Loss::Abandon { .. } => panic!("given up"),
            };
        assert_eq!(pause(1), TimeDelta::seconds(2));
        assert_eq!(pause(2), TimeDelta::seconds(4));
    }
}
