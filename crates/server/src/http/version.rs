//! Which Console this is.

use alethia_api::CONTRACT_VERSION;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Viewer;

/// Which Console this is.
#[derive(Serialize, ToSchema)]
pub(super) struct Version {
    /// Its version.
    version: &'static str,
    /// Version of the contract with Runners and clients.
    contract: u32,
}

/// Version of the Console and of its contract.
#[utoipa::path(get, path = "/version", tag = "Console",
    responses((status = 200, description = "The version", body = Version)))]
pub(super) async fn get(_: Viewer) -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION"), contract: CONTRACT_VERSION })
}
