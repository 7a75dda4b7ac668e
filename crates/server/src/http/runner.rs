//! What Runners call: a claim with their own token, everything about a job with the token of the attempt.

use alethia_api::runner::{
    AppendLogs, Claim, ClaimRequest, Finish, Heartbeat, HeartbeatReply, ReportPlan, ReportProgress,
};
use alethia_domain::ids::JobId;
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::extract::{Body, Raw};
use crate::{
    app::{self, App},
    auth::{Attempt, FormerAttempt, RunnerCaller},
    error::Result,
};

/// Waits for a job, as long as the request says.
#[utoipa::path(post, path = "/runner/claim", tag = "Runner API", request_body = ClaimRequest,
    responses((status = 200, description = "A job", body = Claim), (status = 204, description = "No job")))]
pub(super) async fn claim(
    runner: RunnerCaller,
    State(app): State<App>,
    Body(request): Body<ClaimRequest>,
) -> Result<Response> {
    let claim = app::claims::claim(&app, &runner, request).await?;
    Ok(claim.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |claim| Json(claim).into_response()))
}

/// The work begins.
#[utoipa::path(post, path = "/runner/jobs/{id}/start", tag = "Runner API", params(("id" = JobId, Path)),
    responses((status = 204, description = "It is PROCESSING now")))]
pub(super) async fn start(attempt: Attempt, State(app): State<App>) -> Result<StatusCode> {
    app::attempts::start(&app, &attempt).await.map(|()| StatusCode::NO_CONTENT)
}

/// The work does not begin; the job waits for another Runner.
#[utoipa::path(post, path = "/runner/jobs/{id}/release", tag = "Runner API", params(("id" = JobId, Path)),
    responses((status = 204, description = "It is QUEUED again")))]
pub(super) async fn release(attempt: Attempt, State(app): State<App>) -> Result<StatusCode> {
    app::attempts::release(&app, &attempt).await.map(|()| StatusCode::NO_CONTENT)
}

/// The work goes on; the answer says whether it should.
#[utoipa::path(post, path = "/runner/jobs/{id}/heartbeat", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = Heartbeat, responses((status = 200, description = "What to do", body = HeartbeatReply)))]
pub(super) async fn heartbeat(
    attempt: Attempt,
    State(app): State<App>,
    Body(heartbeat): Body<Heartbeat>,
) -> Result<Json<HeartbeatReply>> {
    app::attempts::heartbeat(&app, &attempt, heartbeat).await.map(Json)
}

/// Adds to the log; chunks that are there already are ignored.
#[utoipa::path(post, path = "/runner/jobs/{id}/logs", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = AppendLogs, responses((status = 204, description = "They are kept")))]
pub(super) async fn logs(
    attempt: FormerAttempt,
    State(app): State<App>,
    Body(logs): Body<AppendLogs>,
) -> Result<StatusCode> {
    app::logs::append(&app, &attempt, logs).await.map(|()| StatusCode::NO_CONTENT)
}

/// What happened to components, and how far the job is.
#[utoipa::path(post, path = "/runner/jobs/{id}/progress", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = ReportProgress, responses((status = 204, description = "It is kept")))]
pub(super) async fn progress(
    attempt: Attempt,
    State(app): State<App>,
    Body(progress): Body<ReportProgress>,
) -> Result<StatusCode> {
    app::attempts::progress(&app, &attempt, progress).await.map(|()| StatusCode::NO_CONTENT)
}

/// Stores the plan file of this PLAN job.
#[utoipa::path(put, path = "/runner/jobs/{id}/plan/file", tag = "Runner API", params(("id" = JobId, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is kept")))]
pub(super) async fn put_plan_file(
    attempt: Attempt,
    State(app): State<App>,
    Raw(file): Raw,
) -> Result<StatusCode> {
    app::plans::put_file(&app, &attempt, file).await.map(|()| StatusCode::NO_CONTENT)
}

/// The plan file that this job is bound to.
#[utoipa::path(get, path = "/runner/jobs/{id}/plan/file", tag = "Runner API", params(("id" = JobId, Path)),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>)))]
pub(super) async fn get_plan_file(
    attempt: Attempt,
    State(app): State<App>,
) -> Result<([(HeaderName, &'static str); 1], Bytes)> {
    let file = app::plans::file(&app, &attempt).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], file))
}

/// Stores summary and basis of the plan whose file was stored before.
#[utoipa::path(put, path = "/runner/jobs/{id}/plan", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = ReportPlan, responses((status = 204, description = "They are kept")))]
pub(super) async fn put_plan(
    attempt: Attempt,
    State(app): State<App>,
    Body(plan): Body<ReportPlan>,
) -> Result<StatusCode> {
    app::plans::report(&app, &attempt, plan).await.map(|()| StatusCode::NO_CONTENT)
}

/// A state that Terraform could not write, delivered after the attempt was over.
#[utoipa::path(put, path = "/runner/jobs/{id}/state/rescue", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = serde_json::Value, responses((status = 204, description = "It is kept")))]
pub(super) async fn rescue_state(
    attempt: FormerAttempt,
    State(app): State<App>,
    Raw(state): Raw,
) -> Result<StatusCode> {
    app::backend::rescue(&app, &attempt, state).await.map(|()| StatusCode::NO_CONTENT)
}

/// The work is over; so is the attempt's token.
#[utoipa::path(post, path = "/runner/jobs/{id}/finish", tag = "Runner API", params(("id" = JobId, Path)),
    request_body = Finish, responses((status = 204, description = "The job has ended")))]
pub(super) async fn finish(
    attempt: Attempt,
    State(app): State<App>,
    Body(finish): Body<Finish>,
) -> Result<StatusCode> {
    app::finish::finish(&app, &attempt, finish).await.map(|()| StatusCode::NO_CONTENT)
}
