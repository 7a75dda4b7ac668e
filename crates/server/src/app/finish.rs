//! The end of a job, by its Runner's word or by its silence: job, Spec and components in one transaction.

use alethia_api::runner::{Finish, Outcome};
use alethia_domain::{
    event::Failure,
    ids::JobId,
    lifecycle::{JobType, SpecEvent},
    spec::Document,
};
use alethia_store::{
    StoreError, Tx,
    jobs::{self, End, Job},
    plans, specs, states,
};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{App, audit, reports};
use crate::{
    auth::Attempt,
    error::{Error, Result},
};

/// Longest message of a failure, and longest reason that a Spec or a component gives, in bytes.
const LONGEST_MESSAGE: usize = 16 * 1024;
const LONGEST_REASON: usize = 1000;

/// The work is over; so is the attempt's token.
///
/// # Errors
/// When the attempt is over already, or a PLAN ends with success without its plan.
pub async fn finish(app: &App, attempt: &Attempt, finish: Finish) -> Result<()> {
    reports::must_be_few(&finish.components)?;
    let (tx, now) = (app.store.begin().await?, app.now());
    jobs::guard(&tx, attempt.fence).await?;
    let job = jobs::get(&tx, attempt.fence.job_id).await?;
    reports::apply(&tx, &job, &finish.components, now).await?;
    reports::keep_outputs(&tx, &job, &finish.outputs, now).await?;
    let end = match finish.outcome {
        Outcome::Success => {
            succeed(&tx, &job, now).await?;
            End::Success
        }
        Outcome::Failed { mut failure } => {
            failure.message = cut(&failure.message, LONGEST_MESSAGE).to_owned();
            if leaves_lock(&tx, &job).await? {
                failure.hint = Some(recover(&job));
            }
            fail(&tx, &job, &failure.message, &next_step(&tx, &job).await?, now).await?;
            End::Failed(failure)
        }
        Outcome::Cancelled => {
            let how = if job.kill_requested { "killed" } else { "cancelled" };
            let message = format!("the job was {how} in the middle");
            fail(&tx, &job, &message, &next_step(&tx, &job).await?, now).await?;
            End::Cancelled
        }
    };
    jobs::finish(&tx, attempt.fence, &end, now).await?;
    let actor = format!("runner {}", job.runner.as_deref().unwrap_or("that was removed"));
    audit::done(&tx, &actor, "job.finish", job.id, json!({ "outcome": word(&end) }), now);
    Ok(tx.commit().await?)
}

/// What the loss of a Runner means for the Spec of a job that is FAILED by it.
pub(crate) async fn lost(tx: &Tx, job: &Job, failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    audit::done(tx, "console", "job.abandon", job.id, json!({ "attempt": job.attempt }), now);
    fail(tx, job, &failure.message, &format!("bring it back with: {}", recover(job)), now).await
}

/// How a Spec is brought back whose change broke off.
pub(crate) fn recover(job: &Job) -> String {
    format!("alethia recover {}/{}", job.zone, job.spec)
}

const fn word(end: &End) -> &'static str {
    match end {
        End::Success => "SUCCESS",
        End::Failed(_) => "FAILED",
        End::Cancelled => "CANCELLED",
    }
}

async fn succeed(tx: &Tx, job: &Job, now: DateTime<Utc>) -> Result<()> {
    match job.job_type {
        JobType::Deploy => {
            let wanted = document(tx, job.id).await?.components();
            reports::settle(tx, job, &wanted, now).await?;
            conclude(tx, job, &SpecEvent::Succeed, None, now).await?;
            specs::set_deployed(tx, job.spec_id, Some(job.revision), now).await?;
        }
        JobType::Destroy => {
            reports::settle(tx, job, &[], now).await?;
            conclude(tx, job, &SpecEvent::Succeed, None, now).await?;
            specs::set_deployed(tx, job.spec_id, None, now).await?;
        }
        JobType::Plan => {
            plans::get(tx, job.id).await.map_err(unreported)?;
        }
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::DeployWorker
        | JobType::DestroyWorker => {}
    }
    Ok(())
}

/// The Spec says what happened and what to do next.
async fn fail(tx: &Tx, job: &Job, message: &str, next_step: &str, now: DateTime<Utc>) -> Result<()> {
    match job.job_type {
        JobType::Deploy | JobType::Destroy => {}
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::Plan
        | JobType::DeployWorker
        | JobType::DestroyWorker => return Ok(()),
    }
    let why = cut(message.lines().next().unwrap_or("it failed"), LONGEST_REASON);
    reports::abandon(tx, job, why, now).await?;
    let reason = format!("{why}; {next_step}");
    conclude(tx, job, &SpecEvent::Fail, Some(&reason), now).await
}

/// The beginning of a text. How a job ended counts, however much its Runner says of it.
fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

/// What a person does now.
async fn next_step(tx: &Tx, job: &Job) -> Result<String> {
    Ok(if leaves_lock(tx, job).await? || job.kill_requested {
        format!("bring it back with: {}", recover(job))
    } else {
        format!("try again with: alethia jobs retry {}", job.id)
    })
}

/// Whether a lock is still held: then it is left behind, because its attempt is over with the job.
async fn leaves_lock(tx: &Tx, job: &Job) -> Result<bool> {
    Ok(job.job_type.is_mutating() && states::get(tx, job.spec_id).await?.lock.is_some())
}

/// Lets the Spec know. A job must be able to end whatever its Spec is: what the lifecycle does not allow is a fault of
/// the Console, and is told as one.
async fn conclude(
    tx: &Tx,
    job: &Job,
    event: &SpecEvent,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    match specs::transition(tx, job.spec_id, event, reason, now).await {
        Ok(_) => Ok(()),
        Err(StoreError::Illegal(illegal)) => {
            tracing::error!(job = %job.id, %illegal, "the Spec does not follow its job");
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

async fn document(tx: &Tx, job: JobId) -> Result<Document> {
    let snapshot = jobs::snapshot(tx, job).await?;
    serde_json::from_value(snapshot.document)
        .map_err(|error| Error::internal("reading the snapshot of a job", error))
}

/// Only a plan that is missing is the Runner's fault: told so, it does not try again.
fn unreported(error: StoreError) -> Error {
    match error {
        StoreError::NotFound { .. } => {
            Error::conflict("a PLAN ends with success only after its plan was reported")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_no_fault_of_the_runner() {
        let away = StoreError::Unavailable { what: "database", source: "it is away".into() };
        assert!(matches!(unreported(away), Error::Down { .. }));
        let missing = StoreError::NotFound { noun: "plan", key: "of the job".to_owned() };
        assert!(matches!(unreported(missing), Error::Conflict { .. }));
    }
}
