//! Cloud Identities.

use alethia_api::{
    identities::{CloudIdentity, NewCloudIdentity},
    page::{Page, PageQuery},
};
use axum::{Json, extract::State, http::StatusCode};

use super::extract::{Body, IdempotencyKey, Query, Segments};
use crate::{
    app::{self, App},
    auth::{Admin, Viewer},
    error::Result,
};

/// Cloud Identities, newest first.
#[utoipa::path(get, path = "/cloud-identities", tag = "Cloud Identities", params(PageQuery),
    responses((status = 200, description = "A page of Cloud Identities", body = Page<CloudIdentity>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CloudIdentity>>> {
    app::identities::list(&app, &viewer, &page).await.map(Json)
}

/// Makes a Cloud Identity.
#[utoipa::path(post, path = "/cloud-identities", tag = "Cloud Identities", request_body = NewCloudIdentity,
    params(("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 201, description = "The Cloud Identity", body = CloudIdentity)))]
pub(super) async fn create(
    admin: Admin,
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewCloudIdentity>,
) -> Result<(StatusCode, Json<CloudIdentity>)> {
    let identity = app::identities::create(&app, &admin, new, key).await?;
    Ok((StatusCode::CREATED, Json(identity)))
}

/// Deletes a Cloud Identity that no Spec uses.
#[utoipa::path(delete, path = "/cloud-identities/{name}", tag = "Cloud Identities",
    params(("name" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(
    admin: Admin,
    State(app): State<App>,
    Segments(name): Segments<String>,
) -> Result<StatusCode> {
    app::identities::delete(&app, &admin, &name).await.map(|()| StatusCode::NO_CONTENT)
}
