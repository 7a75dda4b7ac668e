//! Terraform states: versions, locks, restore.

use alethia_domain::ids::{JobId, SpecId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a Spec.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// The Spec.
    pub spec_id: SpecId,
    /// Its name.
    pub spec: String,
    /// Its Zone.
    pub zone: String,
    /// The newest version; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<StateVersion>,
    /// Who holds its lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<StateLock>,
}

/// One version of a state. Versions are immutable.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StateVersion {
    /// Terraform's serial.
    pub serial: u64,
    /// Terraform's lineage.
    pub lineage: String,
    /// MD5 of the content as lowercase hexadecimal.
    pub md5: String,
    /// Length in bytes.
    pub size: u64,
    /// How many resources are in it.
    pub resources: u32,
    /// Job that wrote it; absent for a restore by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// A lock on a state.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StateLock {
    /// Terraform's id of the lock.
    pub id: String,
    /// What Terraform was doing.
    pub operation: String,
    /// Who, as Terraform says.
    pub who: String,
    /// Job that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// Whether that job is still alive; an orphaned lock may be released.
    pub holder_alive: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Make an older version the newest, under a new serial.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreState {
    /// Serial of the version to bring back.
    pub serial: u64,
}

/// Release a lock that its holder left behind.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockState {
    /// Id of the lock, so that no other one is released by mistake.
    pub lock_id: String,
    /// Release it though its holder is alive.
    #[serde(default)]
    pub force: bool,
}
