//! Runners as people see them. What Runners themselves call is in `runner`.

use alethia_api::{
    page::{Page, PageQuery},
    runners::{NewRunner, RegisteredRunner, Runner},
};
use axum::{Json, extract::State, http::StatusCode};

use super::extract::{Body, IdempotencyKey, Query, Segments};
use crate::{
    app::{self, App},
    auth::{Admin, Viewer},
    error::Result,
};

/// Runners, newest first.
#[utoipa::path(get, path = "/runners", tag = "Runners", params(PageQuery),
    responses((status = 200, description = "A page of Runners", body = Page<Runner>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Runner>>> {
    app::runners::list(&app, &viewer, &page).await.map(Json)
}

/// Registers a Runner; its token is in this answer and nowhere else.
#[utoipa::path(post, path = "/runners", tag = "Runners", request_body = NewRunner,
    params(("idempotency-key" = Option<String>, Header, description = "Under one key it is done once; for a day its answer comes again, with the token")),
    responses((status = 201, description = "The Runner and its token", body = RegisteredRunner)))]
pub(super) async fn create(
    admin: Admin,
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewRunner>,
) -> Result<(StatusCode, Json<RegisteredRunner>)> {
    let runner = app::runners::register(&app, &admin, new, key).await?;
    Ok((StatusCode::CREATED, Json(runner)))
}

/// Removes a Runner; its token is worthless from then on.
#[utoipa::path(delete, path = "/runners/{name}", tag = "Runners", params(("name" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    admin: Admin,
    State(app): State<App>,
    Segments(name): Segments<String>,
) -> Result<StatusCode> {
    app::runners::remove(&app, &admin, &name).await.map(|()| StatusCode::NO_CONTENT)
}
