//! An in-memory cache.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::{self, Window};
use crate::{
    catalog::aws,
    quantity::{Size, Span},
    spec::{Checker, Finding},
};

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
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        at.needs_network("a cache");
        self.check_version(at);
        self.check_machine(at);
        at.days("snapshot_retention", self.snapshot_retention, 1..=35, true);
        if self.multi_zone && self.nodes < 2 {
            let finding = Finding::new("multi_zone", "one node can't be spread over zones");
            at.refuse(finding.hint("write `nodes: 2` or more"));
        }
        let window = self.aws.as_ref().and_then(|aws| aws.maintenance_window.as_deref()).map(time::weekly);
        if let Some(Window { minutes }) = window.filter(|window| !(60..=1440).contains(&window.minutes)) {
            let finding = Finding::new("aws.maintenance_window", format!("it is {minutes} minutes long"));
            at.refuse(finding.allowed("60 minutes to 24 hours"));
        }
    }

    fn check_version(&self, at: &mut Checker<'_>) {
        let versions = aws::cache_versions(self.engine);
        if !versions.contains(&self.version.as_str()) {
            let message = format!("{:?} is no version of {}", self.version, self.engine.as_str());
            at.refuse(Finding::new("version", message).allowed(versions.join(", ")));
        }
    }

    fn check_machine(&self, at: &mut Checker<'_>) {
        let largest = aws::cache_nodes().iter().map(|node| node.memory).max();
        match (self.memory, &self.node_type) {
            (Some(_), Some(_)) => {
                at.refuse(
                    Finding::new("node_type", "memory and node_type exclude each other")
                        .hint("remove one of them"),
                );
            }
            (None, None) => {
                at.refuse(Finding::new("memory", "`memory` is missing").hint("or name a node_type"))
            }
            (Some(memory), None) if aws::cache_node_for(memory).is_none() => {
                let allowed = largest
                    .map(|largest| format!("at most {}GiB", largest.mebibytes() >> 10))
                    .unwrap_or_default();
                at.refuse(
                    Finding::new("memory", format!("{memory} is more than any node has")).allowed(allowed),
                );
            }
            (None, Some(name)) if aws::cache_node(name).is_none() => {
                let known: Vec<&str> = aws::cache_nodes().iter().map(|node| node.name).collect();
                at.refuse(Finding::unknown_name("node_type", name, "node type", &known));
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
}

impl CacheEngine {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valkey => "valkey",
            Self::Redis => "redis",
        }
    }
}
