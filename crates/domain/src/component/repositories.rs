//! The Git repositories that the environment is deployed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Git repositories that the environment is deployed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repositories {
    /// Whether any are used.
    pub enabled: bool,
    /// Manifests of the applications that run on the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applications: Option<Repository>,
    /// Manifests of what every cluster needs: ingress, certificates, monitoring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Repository>,
}

/// A place in a Git repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Address, by https or ssh, without a user name or password in it.
    #[schemars(regex(pattern = r"^(https://|ssh://git@|git@)[A-Za-z0-9._:/~-]+$"), length(max = 512))]
    pub url: String,
    /// Branch, tag or commit.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$"))]
    pub revision: String,
    /// Folder in the repository.
    #[schemars(regex(pattern = r"^(\.|[A-Za-z0-9_][A-Za-z0-9._/-]{0,254})$"))]
    pub path: String,
    /// Name of the Spec's secret that holds the deploy key or token; public repositories need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub credential: Option<String>,
}

impl Repositories {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
