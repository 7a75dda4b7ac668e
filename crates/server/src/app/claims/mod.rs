//! Claims: a Runner waits until there is a job for it. It sits down in the `room`, looks, and waits until it is called;
//! nobody polls.

mod room;

use std::time::Duration;

use alethia_api::{
    CONTRACT_VERSIONS,
    runner::{Claim, ClaimRequest, PlanReference, StateReference},
};
use alethia_store::{plans::Plan, queue, runners};
use tokio::time::{Instant, timeout_at};

pub(crate) use room::Room;

use super::{App, attempts::lease, jobs::identity_of};
use crate::{
    auth::RunnerCaller,
    error::{Error, Result},
    secret::{Token, TokenKind},
};

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
    let place = app.places.try_acquire();
    let _place = place.map_err(|_| Error::Unavailable("too many Runners wait for work here".to_owned()))?;
    let deadline = Instant::now() + Duration::from_secs(request.wait_seconds.into());
    seen(app, runner, &request).await?;
    let mut seat = app.room.sit(runner.id, &runner.labels);
    loop {
        let began = Instant::now();
        match app.while_available(look(app, runner)).await {
            Ok((queue::Answer::Job(claimed), token)) => {
                seat.found_a_job();
                app.metrics.claim("job");
                app.metrics.claimed(began.elapsed());
                return Ok(Some(describe(app, *claimed, &token)));
            }
            Ok((queue::Answer::Nothing, _)) => seat.found_nothing(),
            Ok((queue::Answer::Removed, _)) => {
                seat.pass_on();
                app.metrics.claim("nothing");
                return Ok(None);
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

/// What there is for this Runner; the job token comes with it.
async fn look(app: &App, runner: &RunnerCaller) -> Result<(queue::Answer, Token)> {
    let token = Token::generate(TokenKind::Job);
    let claimant = queue::Claimant {
        runner_id: runner.id,
        name: runner.name.clone(),
        labels: runner.labels.clone(),
        token_hash: token.hash(),
    };
    let answer = app.claims.next(&app.store, claimant, lease(app) * COLD_START, app.now()).await?;
    Ok((answer, token))
}

/// Everything that a Runner needs to know of the job.
fn describe(app: &App, claimed: queue::Claimed, token: &Token) -> Claim {
    let queue::Claimed { fence, job_type, spec_id, lease_expires_at, assignment: job } = claimed;
    Claim {
        job_id: fence.job_id,
        job_type,
        spec_id,
        attempt: fence.attempt,
        job_token: token.reveal().to_owned(),
        lease_expires_at,
        lease_seconds: u32::try_from(app.config.lease.as_secs()).unwrap_or(u32::MAX).max(1),
        document: job.document,
        destroy: job.destroy,
        identity: identity_of(job.identity_id, job.identity_revision),
        access: job.access,
        plan: job.plan.map(reference),
        state: StateReference { lineage: job.state_lineage, serial: job.state_serial },
    }
}

fn reference(plan: Plan) -> PlanReference {
    let Plan { job_id, basis, summary, file_sha256, .. } = plan;
    PlanReference { job_id, basis, summary, file_sha256 }
}
