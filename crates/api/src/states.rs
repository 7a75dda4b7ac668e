//! Terraform states: versions, locks, restore.

use alethia_domain::{
    ids::{JobId, SpecId},
    orphan::OrphanReason,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::jobs::Job;

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
    /// States that came after their attempt was over, and are no versions yet; the newest first, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rescued: Vec<RescuedState>,
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
    /// The attempt at that job which took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Runner that had the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// Whether that attempt is not over; an orphaned lock may be released.
    pub holder_alive: bool,
    /// What became of the holder; absent while it is alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphaned: Option<Orphaned>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// What became of the holder of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Orphaned {
    /// Since when its attempt is over.
    pub since: DateTime<Utc>,
    /// Why it left the lock behind.
    pub reason: OrphanReason,
}

/// A state that a Runner delivered after its attempt was over. It becomes a version when the Spec is recovered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RescuedState {
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
    /// Job that made it.
    pub job_id: JobId,
    /// The attempt at that job.
    pub attempt: u32,
    /// Why it can't become the newest version; absent when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfit: Option<String>,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

/// What the Console did so that a Spec can be brought back, and the PLAN that shows the way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Recovery {
    /// The job that was lost or failed.
    pub lost: Job,
    /// The lock that was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<StateLock>,
    /// The version that a rescued state became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<StateVersion>,
    /// The PLAN from the newest state, of the Revision of the lost job. Whatever a DEPLOY or DESTROY that is bound to it
    /// works from is that Revision.
    pub plan: Job,
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
