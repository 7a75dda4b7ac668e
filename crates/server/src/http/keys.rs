//! Keys that content is sealed with, by their ids.

use alethia_api::keys::Keys;
use axum::{Json, extract::State, http::StatusCode};

use super::extract::Segments;
use crate::{
    app::{self, App},
    auth::Owner,
    error::Result,
};

/// Which keys there are, what each seals, and which Consoles know it.
#[utoipa::path(get, path = "/keys", tag = "Keys",
    responses((status = 200, description = "All keys, the one that seals first", body = Keys)))]
pub(super) async fn list(owner: Owner, State(app): State<App>) -> Result<Json<Keys>> {
    app::keys::list(&app, &owner).await.map(Json)
}

/// Makes a key of the key files the one that seals; what older keys sealed is sealed again meanwhile.
#[utoipa::path(post, path = "/keys/{id}/rotate", tag = "Keys", params(("id" = String, Path)),
    responses((status = 200, description = "It seals what is new", body = Keys)))]
pub(super) async fn rotate(
    owner: Owner,
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Result<Json<Keys>> {
    app::keys::rotate(&app, &owner, &id).await.map(Json)
}

/// Lets a key go that seals nothing.
#[utoipa::path(delete, path = "/keys/{id}", tag = "Keys", params(("id" = String, Path)),
    responses((status = 204, description = "It may be taken out of the key files")))]
pub(super) async fn remove(
    owner: Owner,
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Result<StatusCode> {
    app::keys::remove(&app, &owner, &id).await.map(|()| StatusCode::NO_CONTENT)
}
