//! The environment a Spec targets. It decides defaults, protections and the middle part of every name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which environment a Spec is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Development and testing: cheap, deletable.
    Development,
    /// Validation before production: like production in kind, smaller in size.
    Staging,
    /// Production workloads: highly available, protected from deletion, longer backups.
    Production,
}

impl Stage {
    /// All stages, in the order of trust.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The word used in documents and tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The short form used in resource names.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Staging => "stg",
            Self::Production => "prod",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
