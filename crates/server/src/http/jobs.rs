//! Jobs as people see them.

use alethia_api::{
    jobs::{CancelJob, Job, JobQuery, NewJob, Plan},
    page::Page,
    states::Recovery,
};
use alethia_domain::ids::{JobId, SpecId};
use axum::{Json, extract::State, http::StatusCode};

use super::extract::{Body, Id, IdempotencyKey, Query};
use crate::{
    app::{self, App},
    auth::{Operator, Viewer},
    error::Result,
};

/// Makes a job of a Spec from its newest Revision.
#[utoipa::path(post, path = "/specs/{id}/jobs", tag = "Jobs", request_body = NewJob,
    params(("id" = SpecId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 201, description = "The job", body = Job)))]
pub(super) async fn create(
    operator: Operator,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewJob>,
) -> Result<(StatusCode, Json<Job>)> {
    let job = app::jobs::create(&app, &operator, spec, new, key).await?;
    Ok((StatusCode::CREATED, Json(job)))
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "Jobs", params(JobQuery),
    responses((status = 200, description = "A page of jobs", body = Page<Job>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Query(query): Query<JobQuery>,
) -> Result<Json<Page<Job>>> {
    app::jobs::list(&app, &viewer, &query).await.map(Json)
}

/// A job.
#[utoipa::path(get, path = "/jobs/{id}", tag = "Jobs", params(("id" = JobId, Path)),
    responses((status = 200, description = "The job", body = Job)))]
pub(super) async fn get(viewer: Viewer, State(app): State<App>, Id(id): Id<JobId>) -> Result<Json<Job>> {
    app::jobs::get(&app, &viewer, id).await.map(Json)
}

/// The plan that a PLAN job made.
#[utoipa::path(get, path = "/jobs/{id}/plan", tag = "Jobs", params(("id" = JobId, Path)),
    responses((status = 200, description = "The plan", body = Plan)))]
pub(super) async fn plan(viewer: Viewer, State(app): State<App>, Id(id): Id<JobId>) -> Result<Json<Plan>> {
    app::plans::get(&app, &viewer, id).await.map(Json)
}

/// Ends a job that waits; asks to end one that runs. By force, which needs the role admin, what it runs is killed.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "Jobs", params(("id" = JobId, Path)),
    request_body = Option<CancelJob>, responses((status = 200, description = "The job", body = Job)))]
pub(super) async fn cancel(
    operator: Operator,
    State(app): State<App>,
    Id(id): Id<JobId>,
    body: Option<Body<CancelJob>>,
) -> Result<Json<Job>> {
    let how = body.map_or_else(CancelJob::default, |Body(how)| how);
    app::jobs::cancel(&app, &operator, id, how).await.map(Json)
}

/// Prepares that a Spec is brought back whose last change was lost or failed: takes over a rescued state that is newer,
/// releases a lock that was left behind, and makes a PLAN of what the lost job was to do.
#[utoipa::path(post, path = "/specs/{id}/recover", tag = "Jobs",
    params(("id" = SpecId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 201, description = "What was done, and the PLAN", body = Recovery)))]
pub(super) async fn recover(
    operator: Operator,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<(StatusCode, Json<Recovery>)> {
    let recovery = app::jobs::recover(&app, &operator, spec, key).await?;
    Ok((StatusCode::CREATED, Json(recovery)))
}

/// Tries a job again that FAILED or was CANCELLED, on the same Revision, without its plan.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "Jobs",
    params(("id" = JobId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 201, description = "The new job", body = Job)))]
pub(super) async fn retry(
    operator: Operator,
    State(app): State<App>,
    Id(id): Id<JobId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<(StatusCode, Json<Job>)> {
    let job = app::jobs::retry(&app, &operator, id, key).await?;
    Ok((StatusCode::CREATED, Json(job)))
}
