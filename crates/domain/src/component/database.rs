//! A relational database that grows and shrinks by itself between two bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::{self, Window};
use crate::{
    catalog::aws,
    quantity::Span,
    spec::{Checker, Finding},
};

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

/// Names that the engines or Aurora keep for themselves, or that SQL can't use unquoted.
const RESERVED_NAMES: [&str; 26] = [
    "admin",
    "all",
    "analyze",
    "and",
    "any",
    "array",
    "check",
    "column",
    "database",
    "default",
    "group",
    "information_schema",
    "key",
    "mysql",
    "order",
    "performance_schema",
    "postgres",
    "primary",
    "rdsadmin",
    "schema",
    "select",
    "sys",
    "table",
    "template0",
    "template1",
    "user",
];

const RESERVED_USERS: [&str; 16] = [
    "admin",
    "administrator",
    "mysql",
    "mysql_sys",
    "pg_monitor",
    "postgres",
    "public",
    "rds",
    "rds_superuser",
    "rdsadmin",
    "rdsrepladmin",
    "rdstopmgr",
    "root",
    "superuser",
    "sys",
    "user",
];

impl Database {
    /// The first schema's name when none is given: that of the database with underscores.
    pub(crate) fn name_of_first_schema(name: &str) -> String {
        let plain = name.replace('-', "_");
        if RESERVED_NAMES.contains(&plain.as_str()) { format!("{plain}_db") } else { plain }
    }

    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        at.needs_network("a database");
        self.check_version(at);
        self.check_names(at);
        self.check_capacity(at);
        at.days("backups.retention", self.backups.retention, 1..=35, false);
        let Window { minutes } = time::daily(&self.backups.window);
        if minutes < 30 {
            let finding = Finding::new("backups.window", format!("it is {minutes} minutes long"));
            at.refuse(finding.allowed("30 minutes or longer"));
        }
    }

    fn check_version(&self, at: &mut Checker<'_>) {
        if aws::database_version(self.engine, &self.version).is_none() {
            let known: Vec<&str> =
                aws::database_versions(self.engine).iter().map(|known| known.version).collect();
            let message = format!("{:?} is no version of {} on Aurora", self.version, self.engine.as_str());
            at.refuse(Finding::new("version", message).allowed(known.join(", ")));
        }
    }

    fn check_names(&self, at: &mut Checker<'_>) {
        let reserved = |path: &str, name: &str, hint: String| {
            Finding::new(path, format!("{name:?} is a reserved word")).hint(hint)
        };
        if RESERVED_USERS.contains(&self.username.as_str()) || self.username.starts_with("pg_") {
            at.refuse(reserved("username", &self.username, "write for example app_admin".to_owned()));
        }
        if RESERVED_NAMES.contains(&self.database_name.as_str()) {
            let hint = format!("write for example {}", Self::name_of_first_schema(&self.database_name));
            at.refuse(reserved("database_name", &self.database_name, hint));
        }
    }

    fn check_capacity(&self, at: &mut Checker<'_>) {
        let DatabaseCapacity { min, max } = self.capacity;
        if min > max {
            let finding = Finding::new("capacity.min", format!("{min} is more than the maximum of {max}"));
            at.refuse(finding.allowed(format!("0 to {max} in steps of 0.5")));
        }
        let Some(pause) = self.aws.as_ref().and_then(|aws| aws.auto_pause) else { return };
        at.span("aws.auto_pause", pause, "5m", "24h");
        if min > 0.0 {
            let finding = Finding::new("aws.auto_pause", format!("a database that keeps {min} never pauses"));
            at.refuse(finding.hint("write `min: 0` under capacity, or remove it"));
        }
    }
}

impl DatabaseEngine {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::MySql => "mysql",
        }
    }
}
