//! For whoever watches the process. `/healthz` and `/readyz` need no identity: an orchestrator has none, and they tell
//! nothing but that the Console runs. `/metrics` needs one.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use crate::{
    app::{self, App},
    auth::Viewer,
    error::Result,
};

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "Console", security(()),
    responses((status = 200, description = "The process runs", body = str)))]
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// The database answers, and the Console is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "Console", security(()),
    responses((status = 200, description = "The Console takes requests", body = str)))]
pub(super) async fn readyz(State(app): State<App>) -> Result<(StatusCode, &'static str)> {
    app::health::ready(&app).await?;
    Ok((StatusCode::OK, "ok"))
}

/// Counters in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "Console",
    responses((status = 200, description = "Counters", content_type = "text/plain", body = str)))]
pub(super) async fn metrics(viewer: Viewer, State(app): State<App>) -> Result<impl IntoResponse> {
    let text = app::health::metrics(&app, &viewer).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}
