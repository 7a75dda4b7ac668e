//! Runners as people see them.

use alethia_domain::ids::{JobId, RunnerId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Runner.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Runner {
    /// Id.
    pub id: RunnerId,
    /// Name, unique on the platform.
    pub name: String,
    /// Labels: it takes jobs whose required labels it has all.
    pub labels: Vec<String>,
    /// Whether it said something in the last 45 seconds: asked for work, or told that it works.
    pub online: bool,
    /// Its version, as it said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its Terraform, as it said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// When it last asked for work or told that it works; exact to ten seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Jobs it has now.
    pub jobs: Vec<JobId>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A Runner to be registered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRunner {
    /// Name: a lowercase letter, then up to 39 lowercase letters, digits or hyphens.
    pub name: String,
    /// Labels, at most 20.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// A registered Runner with its token, which is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RegisteredRunner {
    /// The Runner.
    pub runner: Runner,
    /// Its token.
    pub token: String,
}
