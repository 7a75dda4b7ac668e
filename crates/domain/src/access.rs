//! How a Runner gets into a cloud: what a Cloud Identity says, without any key.

use serde::{Deserialize, Serialize};

/// The way into a cloud. There is no variant for static keys, on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CloudAccess {
    /// The simulated cloud; never reaches a real one.
    Sandbox,
    /// An AWS account, entered with what the Runner's own environment offers, by way of a role where one is named.
    Aws {
        /// Role that Terraform assumes for the length of a job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role_arn: Option<String>,
        /// External id that the role demands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    },
}

impl CloudAccess {
    /// The word for it in tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Aws { .. } => "aws",
        }
    }
}
