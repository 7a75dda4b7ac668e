//! Which Console this is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which Console this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Its version.
    pub version: String,
    /// Version of the contract with Runners and clients.
    pub contract: u32,
}
