//! What Runners report about components. The outcome of the job matters more than one report: what the lifecycle does
//! not allow is left out with a warning, and never makes the whole message fail.

use alethia_api::runner::{ComponentOutputs, ComponentReport};
use alethia_domain::{component::ComponentRef, lifecycle::ComponentEvent};
use alethia_store::{
    StoreError, Tx,
    components::{self, Component, Happening},
    jobs::Job,
};
use chrono::{DateTime, Utc};

use super::attempts::MOST_REPORTS;
use crate::error::{Error, Result};

/// Lets what a Runner reports happen, in order. A job that changes nothing reports nothing.
pub(super) async fn apply(tx: &Tx, job: &Job, reports: &[ComponentReport], now: DateTime<Utc>) -> Result<()> {
    if !job.job_type.is_mutating() {
        return Ok(());
    }
    for report in reports {
        let happening = Happening {
            job_id: Some(job.id),
            event: report.event,
            reason: report.reason.as_deref(),
            done: report.done,
            total: report.total,
        };
        happen(tx, job, &report.component, &happening, now).await?;
    }
    Ok(())
}

/// Keeps what components give out.
pub(super) async fn keep_outputs(
    tx: &Tx,
    job: &Job,
    outputs: &[ComponentOutputs],
    now: DateTime<Utc>,
) -> Result<()> {
    for ComponentOutputs { component, outputs } in outputs {
        match components::set_outputs(tx, job.spec_id, component, outputs, now).await {
            Ok(()) => {}
            Err(StoreError::NotFound { .. }) => {
                tracing::warn!(job = %job.id, %component, "outputs of nothing")
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// After success every component that was wanted is ACTIVE, and every other one DESTROYED, reported or not.
pub(super) async fn settle(tx: &Tx, job: &Job, wanted: &[ComponentRef], now: DateTime<Utc>) -> Result<()> {
    for Component { component, status, .. } in components::list(tx, job.spec_id).await? {
        let Some(event) = status.at_success(wanted.contains(&component)) else { continue };
        let happening = Happening { job_id: Some(job.id), ..Happening::plain(event) };
        happen(tx, job, &component, &happening, now).await?;
    }
    Ok(())
}

/// After a failure no component is left in the middle of something.
pub(super) async fn abandon(tx: &Tx, job: &Job, reason: &str, now: DateTime<Utc>) -> Result<()> {
    let all = components::list(tx, job.spec_id).await?;
    for Component { component, .. } in all.into_iter().filter(|found| found.status.is_in_progress()) {
        let plain = Happening::plain(ComponentEvent::Fail);
        let happening = Happening { job_id: Some(job.id), reason: Some(reason), ..plain };
        happen(tx, job, &component, &happening, now).await?;
    }
    Ok(())
}

/// Refuses more reports than a Spec can have components many times over.
pub(super) fn must_be_few(reports: &[ComponentReport]) -> Result<()> {
    if reports.len() <= MOST_REPORTS {
        return Ok(());
    }
    Err(Error::field("components", format!("there are {}; allowed: up to {MOST_REPORTS}", reports.len())))
}

async fn happen(
    tx: &Tx,
    job: &Job,
    component: &ComponentRef,
    happening: &Happening<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    match components::transition(tx, job.spec_id, component, happening, now).await {
        Ok(_) => Ok(()),
        Err(error @ (StoreError::Illegal(_) | StoreError::NotFound { .. })) => {
            tracing::warn!(job = %job.id, %component, %error, "a report on a component is left out");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
