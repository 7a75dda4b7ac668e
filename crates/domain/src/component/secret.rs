//! A secret value that is made in the cloud and never seen by the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{quantity::Span, spec::Checker};

/// A secret value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Name, unique among secrets.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub description: Option<String>,
    /// Have a random value made; absent means that its owner puts the value in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// How long a deleted secret can be brought back; 0d deletes at once.
    pub recovery: Span,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<SecretAws>,
}

/// A random value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Characters.
    #[schemars(range(min = 8, max = 128))]
    pub length: u16,
    /// Also characters that are neither letters nor digits.
    pub special_characters: bool,
    /// Count up to have a new value made.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub rotation: u32,
}

/// What a secret has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretAws {
    /// Other regions that hold a copy.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub replica_regions: Vec<String>,
}

impl Secret {
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        at.days("recovery", self.recovery, 7..=30, true);
        if let Some(aws) = &self.aws {
            at.other_regions("aws.replica_regions", &aws.replica_regions);
        }
    }
}
