//! Zones.

use alethia_api::{
    page::{Page, PageQuery},
    zones::{ChangeZone, NewZone, Zone},
};
use axum::{Json, extract::State, http::StatusCode};

use super::extract::{Body, IdempotencyKey, Query, Segments};
use crate::{
    app::{self, App},
    auth::{Admin, Viewer},
    error::Result,
};

/// Zones, newest first.
#[utoipa::path(get, path = "/zones", tag = "Zones", params(PageQuery),
    responses((status = 200, description = "A page of Zones", body = Page<Zone>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Zone>>> {
    app::zones::list(&app, &viewer, &page).await.map(Json)
}

/// Makes a Zone.
#[utoipa::path(post, path = "/zones", tag = "Zones", request_body = NewZone,
    params(("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 201, description = "The Zone", body = Zone)))]
pub(super) async fn create(
    admin: Admin,
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewZone>,
) -> Result<(StatusCode, Json<Zone>)> {
    let zone = app::zones::create(&app, &admin, new, key).await?;
    Ok((StatusCode::CREATED, Json(zone)))
}

/// A Zone by name.
#[utoipa::path(get, path = "/zones/{zone}", tag = "Zones", params(("zone" = String, Path)),
    responses((status = 200, description = "The Zone", body = Zone)))]
pub(super) async fn get(
    viewer: Viewer,
    State(app): State<App>,
    Segments(zone): Segments<String>,
) -> Result<Json<Zone>> {
    app::zones::get(&app, &viewer, &zone).await.map(Json)
}

/// Changes what a Zone is for, or how many of its jobs may run at a time.
#[utoipa::path(patch, path = "/zones/{zone}", tag = "Zones", params(("zone" = String, Path)),
    request_body = ChangeZone, responses((status = 200, description = "The Zone", body = Zone)))]
pub(super) async fn change(
    admin: Admin,
    State(app): State<App>,
    Segments(zone): Segments<String>,
    Body(change): Body<ChangeZone>,
) -> Result<Json<Zone>> {
    app::zones::change(&app, &admin, &zone, change).await.map(Json)
}

/// Deletes a Zone that has no live Spec.
#[utoipa::path(delete, path = "/zones/{zone}", tag = "Zones", params(("zone" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    admin: Admin,
    State(app): State<App>,
    Segments(zone): Segments<String>,
) -> Result<StatusCode> {
    app::zones::delete(&app, &admin, &zone).await.map(|()| StatusCode::NO_CONTENT)
}
