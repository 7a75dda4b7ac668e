//! An in-memory cache.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::{Size, Span};

/// An in-memory cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Name, unique among caches.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Which cache.
    pub engine: CacheEngine,
    /// Version of the engine, major and minor.
    #[schemars(regex(pattern = r"^\d{1,2}\.\d{1,2}$"))]
    pub version: String,
    /// Memory of a node; the smallest machine with at least that much is taken. Alternative to `node_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Machine type by the cloud's own name. Alternative to `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9.]{4,40}$"))]
    pub node_type: Option<String>,
    /// Copies of the data: 1 is the primary alone.
    #[schemars(range(min = 1, max = 6))]
    pub nodes: u8,
    /// Spread nodes over zones and fail over by itself; needs two nodes.
    pub multi_zone: bool,
    /// How long daily snapshots are kept; 0d keeps none.
    pub snapshot_retention: Span,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<CacheAws>,
}

/// Which cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheEngine {
    /// Valkey.
    Valkey,
    /// Redis.
    Redis,
}

/// What a cache has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheAws {
    /// Weekly maintenance in UTC: `ddd:HH:MM-ddd:HH:MM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = r"^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$"
    ))]
    pub maintenance_window: Option<String>,
}

impl Cache {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
