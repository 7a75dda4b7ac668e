//! A relational database that grows and shrinks by itself between two bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Span;

/// A relational database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Name, unique among databases.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Which database.
    pub engine: DatabaseEngine,
    /// Major version of the engine.
    #[schemars(regex(pattern = r"^\d{1,2}(\.\d{1,2})?$"))]
    pub version: String,
    /// Name of the first schema in it.
    #[schemars(regex(pattern = "^[a-z][a-z0-9_]{0,62}$"))]
    pub database_name: String,
    /// Name of the administrator.
    #[schemars(regex(pattern = "^[a-z][a-z0-9_]{0,15}$"))]
    pub username: String,
    /// Port it listens on.
    #[schemars(range(min = 1150, max = 65535))]
    pub port: u16,
    /// Between which bounds it scales.
    pub capacity: DatabaseCapacity,
    /// Instances that only read, each in another zone; they take over when the writer fails.
    #[schemars(range(min = 0, max = 15))]
    pub replicas: u8,
    /// Backups.
    pub backups: Backups,
    /// Sign in with a short-lived token of the cloud instead of a password.
    pub iam_auth: bool,
    /// Refuse to delete it, and keep a last snapshot when it is deleted all the same.
    pub deletion_protection: bool,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<DatabaseAws>,
}

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseEngine {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL.
    MySql,
}

/// Bounds of a database's size, in capacity units: on AWS an Aurora capacity unit, about 2 GiB of memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseCapacity {
    /// Never smaller; 0 pauses an idle database.
    #[schemars(range(min = 0.0, max = 256.0), extend("multipleOf" = 0.5))]
    pub min: f64,
    /// Never larger.
    #[schemars(range(min = 1.0, max = 256.0), extend("multipleOf" = 0.5))]
    pub max: f64,
}

/// Backups of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backups {
    /// How long backups are kept.
    pub retention: Span,
    /// When they start, daily, in UTC: `HH:MM-HH:MM`, at least 30 minutes.
    #[schemars(regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"))]
    pub window: String,
}

/// What a database has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseAws {
    /// How long an idle database waits before it pauses; needs a minimum capacity of 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_pause: Option<Span>,
    /// Keep query statistics (Performance Insights).
    pub performance_insights: bool,
    /// SQL over HTTPS (RDS Data API).
    pub data_api: bool,
}

impl Database {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}

impl Database {
    /// The first schema's name when none is given: that of the database with underscores.
    pub(crate) fn name_of_first_schema(name: &str) -> String {
        name.replace('-', "_")
    }
}
