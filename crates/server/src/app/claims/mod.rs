//! Claims: a Runner waits until there is a job for it. It sits down in the `room`, looks, and waits until it is called;
//! nobody polls.

mod room;

use std::time::Duration;

use alethia_api::{
    CONTRACT_VERSIONS,
    runner::{Claim, ClaimRequest, PlanReference, StateReference},
};
use alethia_domain::ids::JobId;
use alethia_store::{Conflict, StoreError, Tx, jobs, plans, queue, runners};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

pub(crate) use room::Room;

use super::{App, attempts::lease, audit, jobs::identity_of};
use crate::{
    auth::RunnerCaller,
    error::{Error, Result},
    secret::{Token, TokenKind},
};

/// How long a job waits that can't be told to a Runner.
const ASIDE: TimeDelta = TimeDelta::minutes(1);
/// How many leases a job may take from its claim to the beginning of the work.
const COLD_START: i32 = 2;
/// Longest that a claim may wait, in seconds.
pub(crate) const LONGEST_WAIT: u16 = 30;
/// Longest text that a Runner says of itself.
const LONGEST_TEXT: usize = 100;

/// Waits for a job; `None` when there was none in time.
///
/// # Errors
/// When the Runner speaks another version of the contract, or too many wait already.
pub async fn claim(app: &App, runner: &RunnerCaller, request: ClaimRequest) -> Result<Option<Claim>> {
    check(&request)?;
    let permit = app.claims.try_acquire();
    let _permit = permit.map_err(|_| Error::Unavailable("too many Runners wait for work here".to_owned()))?;
    let deadline = Instant::now() + Duration::from_secs(request.wait_seconds.into());
    seen(app, runner, &request).await?;
    let mut seat = app.room.sit(runner.id, &runner.labels);
    loop {
        match app.while_available(try_claim(app, runner)).await {
            Ok(None) => seat.found_nothing(),
            Ok(Some(claim)) => {
                seat.found_a_job();
                app.metrics.claim("job");
                return Ok(Some(claim));
            }
            Err(error) => {
                seat.pass_on();
                return Err(error);
            }
        }
        if !wait(app, &mut seat, deadline).await {
            app.metrics.claim("nothing");
            return Ok(None);
        }
        seat.listen();
    }
}

/// Whether it was called in time.
async fn wait(app: &App, seat: &mut room::Seat, deadline: Instant) -> bool {
    matches!(app.stop.run_until_cancelled(timeout_at(deadline, seat.called())).await, Some(Ok(())))
}

fn check(request: &ClaimRequest) -> Result<()> {
    if !CONTRACT_VERSIONS.contains(&request.contract) {
        let (version, own) = (&request.version, env!("CARGO_PKG_VERSION"));
        let (oldest, newest) = (CONTRACT_VERSIONS.start(), CONTRACT_VERSIONS.end());
        let spoken = request.contract;
        return Err(Error::Conflict {
            detail: format!(
                "the Runner (version {version}) speaks version {spoken} of the contract, the Console (version {own}) \
                 takes {oldest} to {newest}"
            ),
            permitted: Vec::new(),
            hint: Some(format!("run a Runner of version {own}")),
        });
    }
    if request.wait_seconds > LONGEST_WAIT {
        let message = format!("{} is out of range; allowed: 0 to {LONGEST_WAIT}", request.wait_seconds);
        return Err(Error::field("wait_seconds", message));
    }
    for (field, text) in [("version", &request.version), ("tool", &request.tool)] {
        if text.len() > LONGEST_TEXT {
            return Err(Error::field(field, format!("allowed: up to {LONGEST_TEXT} bytes")));
        }
    }
    Ok(())
}

/// Notes that the Runner was here, unless that was noted a moment ago.
async fn seen(app: &App, runner: &RunnerCaller, request: &ClaimRequest) -> Result<()> {
    let now = app.now();
    if runner.was_noted(&request.version, &request.tool, now) {
        return Ok(());
    }
    let tx = app.store.begin().await?;
    runners::seen(&tx, runner.id, &request.version, &request.tool, now).await?;
    Ok(tx.commit().await?)
}

async fn try_claim(app: &App, runner: &RunnerCaller) -> Result<Option<Claim>> {
    let (now, began) = (app.now(), Instant::now());
    let claimant = queue::Claimant { runner_id: runner.id, labels: &runner.labels };
    let token = Token::generate(TokenKind::Job);
    let Some((tx, claimed)) = claim_next(app, claimant, &token, now).await? else { return Ok(None) };
    let claim = match describe(app, &tx, &claimed, &token).await {
        Ok(claim) => claim,
        Err(down @ Error::Down { .. }) => return Err(down),
        Err(error) => {
            drop(tx);
            set_aside(app, claimed.fence.job_id, &error, now).await?;
            return Ok(None);
        }
    };
    let detail = json!({ "attempt": claim.attempt });
    audit::done(&tx, &format!("runner {}", runner.name), "job.claim", claim.job_id, detail, now);
    tx.commit().await?;
    app.metrics.claimed(began.elapsed());
    Ok(Some(claim))
}

/// Claims until there is a job or none is left. What others claimed in between is passed over the next time.
async fn claim_next(
    app: &App,
    claimant: queue::Claimant<'_>,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<Option<(Tx, queue::Claimed)>> {
    loop {
        let tx = app.store.begin().await?;
        match queue::claim(&tx, claimant, &token.hash(), lease(app) * COLD_START, now).await {
            Err(StoreError::Conflict(Conflict::ClaimedMeanwhile)) => {}
            claimed => return Ok(claimed?.map(|claimed| (tx, claimed))),
        }
    }
}

/// A job that can't be told to any Runner must not hold up those behind it: it waits, and is looked at again.
async fn set_aside(app: &App, job: JobId, error: &Error, now: DateTime<Utc>) -> Result<()> {
    tracing::error!(%error, %job, "a job can't be given to a Runner; it is set aside for a while");
    let tx = app.store.begin().await?;
    queue::hold_back(&tx, job, now + ASIDE).await?;
    Ok(tx.commit().await?)
}

/// Everything that a Runner needs to know of the job.
async fn describe(app: &App, tx: &Tx, claimed: &queue::Claimed, token: &Token) -> Result<Claim> {
    let job = jobs::assignment(tx, claimed.fence.job_id).await?;
    Ok(Claim {
        job_id: claimed.fence.job_id,
        job_type: claimed.job_type,
        spec_id: claimed.spec_id,
        attempt: claimed.fence.attempt,
        job_token: token.reveal().to_owned(),
        lease_expires_at: claimed.lease_expires_at,
        lease_seconds: u32::try_from(app.config.lease.as_secs()).unwrap_or(u32::MAX).max(1),
        document: job.document,
        destroy: job.destroy,
        identity: identity_of(job.identity_id, job.identity_revision),
        access: job.access,
        plan: bound_plan(tx, job.plan_job_id).await?,
        state: StateReference { lineage: job.state_lineage, serial: job.state_serial },
    })
}

async fn bound_plan(tx: &Tx, plan: Option<JobId>) -> Result<Option<PlanReference>> {
    let Some(id) = plan else { return Ok(None) };
    let plans::Plan { job_id, basis, summary, file_sha256, .. } = plans::get(tx, id).await?;
    Ok(Some(PlanReference { job_id, basis, summary, file_sha256 }))
}
