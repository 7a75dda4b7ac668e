//! Cloud Identities: how jobs get into a cloud.

use alethia_domain::{access::CloudAccess, ids::CloudIdentityId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Cloud Identity. The one named `sandbox` is always there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CloudIdentity {
    /// Id.
    pub id: CloudIdentityId,
    /// Name, unique on the platform; Specs name it.
    pub name: String,
    /// The way in.
    pub access: CloudAccess,
    /// Grows with every change, so that a plan made with another way in is refused.
    pub revision: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A Cloud Identity to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCloudIdentity {
    /// Name: a lowercase letter, then up to 39 lowercase letters, digits or hyphens.
    pub name: String,
    /// The way in.
    pub access: CloudAccess,
}
