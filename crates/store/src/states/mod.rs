//! Terraform states: every write is a new version, sealed in the blob store and durable before its row is.
//!
//! The rules are those of Terraform's `http` backend: a write needs the lock's id while there is a lock, its serial goes
//! forward, its lineage stays. A write or lock of an attempt that is over changes nothing. Versions are never
//! changed and never removed before their Spec is.
//!
//! A lock whose attempt is over is an orphan: it says since when and why. A state that such an attempt delivers late is
//! kept beside it as a rescued one; it becomes a version only when a person recovers the Spec.

pub mod content;
mod lock;
mod rescued;
mod version;

use alethia_domain::{
    ids::{JobId, SpecId},
    orphan::OrphanReason,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

pub(crate) use lock::leave_behind;
pub use lock::{Force, force_unlock, lock, unlock};
pub use rescued::{Rescue, Rescued, adopt, newest_fitting, rescue, rescued};
pub use version::{Draft, Write, draft_restore, forget, read, read_version, restore, write};

use crate::{
    Page, PageRequest, Reader, Result,
    db::{Query, Row, found, values},
};

/// The state of a Spec.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The Spec.
    pub spec_id: SpecId,
    /// Its name.
    pub spec: String,
    /// Its Zone.
    pub zone: String,
    /// The newest version.
    pub current: Option<StateVersion>,
    /// Who holds its lock.
    pub lock: Option<StateLock>,
    /// States that came late and are no versions yet.
    pub rescued: Vec<Rescued>,
}

/// One version of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub job_id: Option<JobId>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// A lock on a state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateLock {
    /// Terraform's id of the lock.
    pub id: String,
    /// What Terraform was doing.
    pub operation: String,
    /// Who, as Terraform says.
    pub who: String,
    /// All that Terraform said: the body of an answer to another one that wants the lock.
    pub info: Value,
    /// Job that holds it.
    pub job_id: Option<JobId>,
    /// The attempt at that job which took it.
    pub attempt: Option<u32>,
    /// Name of the Runner that had the attempt.
    pub runner: Option<String>,
    /// Whether the attempt that took it is not over.
    pub holder_alive: bool,
    /// What became of the holder; absent while it is alive.
    pub orphaned: Option<Orphaned>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// What became of the holder of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orphaned {
    /// Since when it is over.
    pub since: DateTime<Utc>,
    /// Why the lock was left behind.
    pub reason: OrphanReason,
}

const VERSION: &str = "v.serial, v.lineage, v.md5, v.size, v.resources, v.job_id, v.created_at, v.blob";

/// The state of a Spec.
///
/// # Errors
/// When there is no such Spec.
pub async fn get(reader: &impl Reader, spec_id: SpecId) -> Result<State> {
    let sql =
        "SELECT s.name AS spec, z.name AS zone FROM specs s JOIN zones z ON z.id = s.zone_id WHERE s.id = $1";
    let row = found(reader.optional(sql, values![spec_id]).await?, "spec", spec_id)?;
    Ok(State {
        spec_id,
        spec: row.get("spec")?,
        zone: row.get("zone")?,
        current: current(reader, spec_id).await?,
        lock: lock::held(reader, spec_id).await?,
        rescued: rescued(reader, spec_id).await?,
    })
}

/// The newest version, if there is a state.
///
/// # Errors
/// When the database is not available.
pub async fn current(reader: &impl Reader, spec_id: SpecId) -> Result<Option<StateVersion>> {
    let row = version::current_row(reader, spec_id).await?;
    row.as_ref().map(version).transpose()
}

/// Versions of a state, the latest serial first.
///
/// # Errors
/// When the database is not available.
pub async fn versions(
    reader: &impl Reader,
    spec_id: SpecId,
    page: PageRequest<u64>,
) -> Result<Page<StateVersion, u64>> {
    let sql = format!(
        "SELECT {VERSION} FROM state_versions v WHERE v.spec_id = $1 AND v.serial < $2 \
         ORDER BY v.serial DESC, v.id DESC LIMIT $3"
    );
    let rows = reader.all(&sql, values![spec_id, page.after.unwrap_or(u64::MAX), page.fetch()]).await?;
    let versions = rows.iter().map(version).collect::<Result<Vec<_>>>()?;
    Ok(page.page(versions, |version| version.serial))
}

fn version(row: &Row) -> Result<StateVersion> {
    Ok(StateVersion {
        serial: row.number("serial")?,
        lineage: row.get("lineage")?,
        md5: row.get("md5")?,
        size: row.number("size")?,
        resources: row.number("resources")?,
        job_id: row.optional_id("job_id")?,
        created_at: row.get("created_at")?,
    })
}
