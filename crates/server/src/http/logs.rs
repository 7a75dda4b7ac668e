//! Logs of jobs, page by page. To follow one while it is written there is the job's stream.

use alethia_api::{
    logs::{LogChunk, LogQuery},
    page::Page,
};
use alethia_domain::ids::JobId;
use axum::{Json, extract::State};

use super::extract::{Id, Query};
use crate::{
    app::{self, App},
    auth::Viewer,
    error::Result,
};

/// Log of a job, oldest first.
#[utoipa::path(get, path = "/jobs/{id}/logs", tag = "Jobs", params(("id" = JobId, Path), LogQuery),
    responses((status = 200, description = "A page of chunks", body = Page<LogChunk>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Id(id): Id<JobId>,
    Query(query): Query<LogQuery>,
) -> Result<Json<Page<LogChunk>>> {
    app::logs::list(&app, &viewer, id, &query).await.map(Json)
}
