//! Which Console this is.

use alethia_api::{CONTRACT_VERSION, version::Version};
use axum::Json;

use crate::auth::Viewer;

/// Version of the Console and of its contract.
#[utoipa::path(get, path = "/version", tag = "Console",
    responses((status = 200, description = "The version", body = Version)))]
pub(super) async fn get(_: Viewer) -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION").to_owned(), contract: CONTRACT_VERSION })
}
