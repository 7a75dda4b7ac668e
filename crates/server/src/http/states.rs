//! Terraform states as people see them: versions, restore, unlock. Terraform itself uses `state_backend`.

use alethia_api::{
    page::{Page, PageQuery},
    states::{RestoreState, State as StateView, StateVersion, UnlockState},
};
use alethia_domain::ids::SpecId;
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderName, header},
};

use super::extract::{Body, Id, IdempotencyKey, Query, Segments};
use crate::{
    app::{self, App},
    auth::{Admin, Viewer},
    error::Result,
};

/// The newest version of a Spec's state, and its lock.
#[utoipa::path(get, path = "/specs/{id}/state", tag = "States", params(("id" = SpecId, Path)),
    responses((status = 200, description = "The state", body = StateView)))]
pub(super) async fn get(
    viewer: Viewer,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
) -> Result<Json<StateView>> {
    app::states::get(&app, &viewer, spec).await.map(Json)
}

/// Versions of a Spec's state, newest first.
#[utoipa::path(get, path = "/specs/{id}/state/versions", tag = "States",
    params(("id" = SpecId, Path), PageQuery),
    responses((status = 200, description = "A page of versions", body = Page<StateVersion>)))]
pub(super) async fn versions(
    viewer: Viewer,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<StateVersion>>> {
    app::states::versions(&app, &viewer, spec, &page).await.map(Json)
}

/// Content of one version.
#[utoipa::path(get, path = "/specs/{id}/state/versions/{serial}", tag = "States",
    params(("id" = SpecId, Path), ("serial" = u64, Path)),
    responses((status = 200, description = "Terraform's state", body = serde_json::Value)))]
pub(super) async fn content(
    admin: Admin,
    State(app): State<App>,
    Segments((spec, serial)): Segments<(SpecId, u64)>,
) -> Result<([(HeaderName, &'static str); 1], Bytes)> {
    let content = app::states::content(&app, &admin, spec, serial).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], content))
}

/// Makes an older version the newest, under a new serial.
#[utoipa::path(post, path = "/specs/{id}/state/restore", tag = "States", request_body = RestoreState,
    params(("id" = SpecId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 200, description = "The state", body = StateView)))]
pub(super) async fn restore(
    admin: Admin,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
    IdempotencyKey(key): IdempotencyKey,
    Body(restore): Body<RestoreState>,
) -> Result<Json<StateView>> {
    app::states::restore(&app, &admin, spec, restore, key).await.map(Json)
}

/// Releases a lock that its holder left behind.
#[utoipa::path(post, path = "/specs/{id}/state/unlock", tag = "States", request_body = UnlockState,
    params(("id" = SpecId, Path)),
    responses((status = 200, description = "The state", body = StateView)))]
pub(super) async fn unlock(
    admin: Admin,
    State(app): State<App>,
    Id(spec): Id<SpecId>,
    Body(unlock): Body<UnlockState>,
) -> Result<Json<StateView>> {
    app::states::unlock(&app, &admin, spec, unlock).await.map(Json)
}
