//! Zones.

use alethia_domain::ids::ZoneId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Zone: a group of Specs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Zone {
    /// Id.
    pub id: ZoneId,
    /// Name, unique on the platform.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many Specs it has that are not DESTROYED.
    pub specs: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A Zone to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewZone {
    /// Name: a lowercase letter, then up to 39 lowercase letters, digits or hyphens.
    pub name: String,
    /// What it is for, up to 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
