//! Keys that states, plans, logs and answers are sealed with. The keys themselves never go over HTTP.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All keys, the one that seals first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<Key>,
    /// How many things were sealed before keys were noted and are still to be looked at.
    pub unnoted: u64,
}

/// A key, as far as it may be shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// Its id: a digest, 16 hexadecimal digits.
    pub id: String,
    /// Whether it seals what is new.
    pub current: bool,
    /// When it was first made to seal; absent for one that waits in the key files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_since: Option<DateTime<Utc>>,
    /// How many things are sealed with it.
    pub seals: u64,
    /// Consoles that run and know it.
    pub known_by: Vec<String>,
    /// Consoles that run and do not.
    pub unknown_to: Vec<String>,
}
