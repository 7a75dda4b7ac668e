//! A registry for container images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::Checker;

/// A registry for container images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerRegistry {
    /// Name, unique among registries.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// A tag, once pushed, always means the same image.
    pub immutable_tags: bool,
    /// Look for known vulnerabilities at every push.
    pub scan_on_push: bool,
    /// How many images are kept; older ones go.
    #[schemars(range(min = 1, max = 10_000))]
    pub keep_images: u32,
    /// Delete the registry with the images in it.
    pub force_delete: bool,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<ContainerRegistryAws>,
}

/// What a registry has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerRegistryAws {
    /// Account ids that may pull from it.
    #[serde(default)]
    #[schemars(length(max = 50), inner(regex(pattern = r"^\d{12}$")))]
    pub pull_accounts: Vec<String>,
}

impl ContainerRegistry {
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        if let Some(aws) = &self.aws {
            at.no_repeats("aws.pull_accounts", &aws.pull_accounts);
        }
    }
}
