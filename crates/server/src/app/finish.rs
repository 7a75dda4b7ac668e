//! The end of a job, by its Runner's word or by its silence: job, Spec and components in one transaction.

use alethia_api::runner::{Finish, Outcome};
use alethia_domain::{
    event::Failure,
    ids::JobId,
    lifecycle::{JobType, SpecEvent},
    spec::Document,
};
use alethia_store::{
    Tx,
    jobs::{self, End, Job},
    plans, specs,
};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{App, audit, reports};
use crate::{
    auth::Attempt,
    error::{Error, Result},
};

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
        Outcome::Failed { failure } => {
            fail(&tx, &job, &failure.message, now).await?;
            End::Failed(failure)
        }
        Outcome::Cancelled => {
            fail(&tx, &job, "the job was cancelled in the middle", now).await?;
            End::Cancelled
        }
    };
    jobs::finish(&tx, attempt.fence, &end, now).await?;
    let actor = format!("runner {}", job.runner.as_deref().unwrap_or("that was removed"));
    audit::done(&tx, &actor, "job.finish", job.id, json!({ "outcome": word(&end) }), now).await?;
    Ok(tx.commit().await?)
}

/// What the loss of a Runner means for the Spec of a job that is FAILED by it.
pub(crate) async fn lost(tx: &Tx, job: &Job, failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    audit::done(tx, "console", "job.abandon", job.id, json!({ "attempt": job.attempt }), now).await?;
    fail(tx, job, &failure.message, now).await
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
            specs::transition(tx, job.spec_id, &SpecEvent::Succeed, None, now).await?;
            specs::set_deployed(tx, job.spec_id, Some(job.revision), now).await?;
        }
        JobType::Destroy => {
            reports::settle(tx, job, &[], now).await?;
            specs::transition(tx, job.spec_id, &SpecEvent::Succeed, None, now).await?;
            specs::set_deployed(tx, job.spec_id, None, now).await?;
        }
        JobType::Plan => {
            plans::get(tx, job.id)
                .await
                .map_err(|_| Error::conflict("a PLAN ends with success only after its plan was reported"))?;
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
async fn fail(tx: &Tx, job: &Job, message: &str, now: DateTime<Utc>) -> Result<()> {
    match job.job_type {
        JobType::Deploy | JobType::Destroy => {}
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::Plan
        | JobType::DeployWorker
        | JobType::DestroyWorker => return Ok(()),
    }
    reports::abandon(tx, job, message, now).await?;
    let first_line = message.lines().next().unwrap_or("it failed");
    let reason = format!("{first_line}; try again with: alethia jobs retry {}", job.id);
    specs::transition(tx, job.spec_id, &SpecEvent::Fail, Some(&reason), now).await?;
    Ok(())
}

async fn document(tx: &Tx, job: JobId) -> Result<Document> {
    let snapshot = jobs::snapshot(tx, job).await?;
    serde_json::from_value(snapshot.document)
        .map_err(|error| Error::internal("reading the snapshot of a job", error))
}
