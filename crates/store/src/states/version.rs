//! Versions of states: what is written, read, restored.

use alethia_domain::ids::{JobId, SpecId};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use md5::{Digest, Md5};
use uuid::Uuid;

use super::{
    StateVersion, VERSION,
    content::{self, Header},
    lock, version,
};
use crate::{
    Reader, Result, StateRefusal, Store, Tx,
    blobs::{self, BlobKey},
    db::{Query, Row, found, values},
    jobs::{self, Fence},
    specs,
};

/// A state that an attempt writes.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The Spec.
    pub spec_id: SpecId,
    /// The attempt.
    pub fence: Fence,
    /// Id of the lock that it holds.
    pub lock_id: Option<&'a str>,
    /// The state as Terraform sent it.
    pub content: &'a [u8],
}

/// A version that is in the blob store and has no row yet.
pub(super) struct Pending {
    pub(super) key: BlobKey,
    pub(super) header: Header,
    pub(super) md5: String,
    pub(super) size: usize,
    pub(super) job_id: Option<JobId>,
    /// Id of the key that it is sealed with, once it is in the blob store.
    pub(super) sealed_with: Option<String>,
}

/// An older version that may become the newest. Dropped without [`restore`] or [`Draft::discard`] it leaves a blob.
pub struct Draft {
    spec_id: SpecId,
    pending: Pending,
}

/// Keeps a new version. When it returns, the version is durable. Writing the newest version again changes nothing.
///
/// # Errors
/// [`crate::StateRefusal`] as the rules say; [`crate::StoreError::LeaseLost`].
pub async fn write(store: &Store, write: Write<'_>, now: DateTime<Utc>) -> Result<StateVersion> {
    let pending = Pending::put(store, write.spec_id, write.content, Some(write.fence.job_id)).await?;
    let kept = keep_written(store, write, &pending, now).await;
    blobs::discard_refused(store, &pending.key, &kept).await;
    kept
}

/// The newest version with its content, if there is a state.
///
/// # Errors
/// When the database or the blob store is not available, or the content is not what was put there.
pub async fn read(store: &Store, spec_id: SpecId) -> Result<Option<(StateVersion, Bytes)>> {
    match current_row(store, spec_id).await? {
        Some(row) => content(store, &row).await.map(Some),
        None => Ok(None),
    }
}

/// One version with its content.
///
/// # Errors
/// When there is none with that serial.
pub async fn read_version(store: &Store, spec_id: SpecId, serial: u64) -> Result<(StateVersion, Bytes)> {
    let sql = format!(
        "SELECT {VERSION} FROM state_versions v WHERE v.spec_id = $1 AND v.serial = $2 ORDER BY v.id DESC LIMIT 1"
    );
    let row = found(store.optional(&sql, values![spec_id, serial]).await?, "state version", serial)?;
    content(store, &row).await
}

/// Puts the content of an older version, under the next serial, where it is durable. [`restore`] makes it the newest.
///
/// # Errors
/// When there is none with that serial.
pub async fn draft_restore(store: &Store, spec_id: SpecId, serial: u64) -> Result<Draft> {
    let (_, old) = read_version(store, spec_id, serial).await?;
    let next = highest_serial(store, spec_id, None).await?.max(serial) + 1;
    let content = content::with_serial(&old, next)?;
    let pending = Pending::put(store, spec_id, &content, None).await?;
    Ok(Draft { spec_id, pending })
}

/// Makes a draft the newest version.
///
/// # Errors
/// [`StateRefusal::Locked`] while the state is locked; [`StateRefusal::Serial`] when it was written since the draft was
/// made.
pub async fn restore(tx: &Tx, draft: &Draft, now: DateTime<Utc>) -> Result<StateVersion> {
    let Draft { spec_id, pending } = draft;
    specs::lock(tx, *spec_id).await?;
    lock::require(tx, *spec_id, None).await?;
    let highest = highest_serial(tx, *spec_id, None).await?;
    if pending.header.serial <= highest {
        return Err(StateRefusal::Serial { current: highest, got: pending.header.serial }.into());
    }
    insert(tx, *spec_id, pending, now).await
}

impl Draft {
    /// Removes the content of a draft that no version came of.
    pub async fn discard(&self, store: &Store) {
        store.blobs().discard(&self.pending.key).await;
    }
}

/// There is no state from now on. The versions stay and can be restored.
///
/// # Errors
/// [`StateRefusal::Locked`] when the lock is held with another id; [`crate::StoreError::LeaseLost`].
pub async fn forget(tx: &Tx, spec_id: SpecId, fence: Fence, lock_id: Option<&str>) -> Result<()> {
    jobs::guard(tx, fence).await?;
    specs::lock(tx, spec_id).await?;
    lock::require(tx, spec_id, lock_id).await?;
    supersede(tx, spec_id).await
}

pub(super) async fn current_row(reader: &impl Reader, spec_id: SpecId) -> Result<Option<Row>> {
    let sql = format!("SELECT {VERSION} FROM state_versions v WHERE v.spec_id = $1 AND v.is_current");
    reader.optional(&sql, values![spec_id]).await
}

async fn keep_written(
    store: &Store,
    write: Write<'_>,
    pending: &Pending,
    now: DateTime<Utc>,
) -> Result<StateVersion> {
    let Write { spec_id, fence, lock_id, .. } = write;
    let tx = store.begin().await?;
    jobs::guard(&tx, fence).await?;
    specs::lock(&tx, spec_id).await?;
    lock::require(&tx, spec_id, lock_id).await?;
    let current = super::current(&tx, spec_id).await?;
    if let Some(same) = current.as_ref().filter(|current| is_same(current, pending)) {
        tx.discard([pending.key.clone()]);
        tx.commit().await?;
        return Ok(same.clone());
    }
    must_follow(&tx, spec_id, current.as_ref(), &pending.header).await?;
    let version = insert(&tx, spec_id, pending, now).await?;
    tx.commit().await?;
    Ok(version)
}

/// Refuses a state that is not a later one of the current state, or, where there is none, of the one that was forgotten.
pub(super) async fn must_follow(
    reader: &impl Reader,
    spec_id: SpecId,
    current: Option<&StateVersion>,
    new: &Header,
) -> Result<()> {
    if let Some(current) = current {
        return refuse_backwards(current, new);
    }
    let highest = highest_serial(reader, spec_id, Some(&new.lineage)).await?;
    if highest > 0 && new.serial <= highest {
        return Err(StateRefusal::Serial { current: highest, got: new.serial }.into());
    }
    Ok(())
}

/// The highest serial that a Spec's state ever had, in one lineage or in all; 0 when there was none.
async fn highest_serial(reader: &impl Reader, spec_id: SpecId, lineage: Option<&str>) -> Result<u64> {
    let condition = if lineage.is_some() { " AND v.lineage = $2" } else { "" };
    let sql = format!(
        "SELECT v.serial FROM state_versions v WHERE v.spec_id = $1{condition} ORDER BY v.serial DESC LIMIT 1"
    );
    let mut values = values![spec_id];
    values.extend(lineage.map(|lineage| lineage.into()));
    let row = reader.optional(&sql, values).await?;
    row.map_or(Ok(0), |row| row.number("serial"))
}

/// Writes the row of the new version, and tells it.
pub(super) async fn insert(
    tx: &Tx,
    spec_id: SpecId,
    pending: &Pending,
    now: DateTime<Utc>,
) -> Result<StateVersion> {
    supersede(tx, spec_id).await?;
    let Pending { key, header, md5, size, job_id, sealed_with } = pending;
    let sql = "INSERT INTO state_versions (id, spec_id, serial, lineage, md5, size, resources, blob, job_id, \
        is_current, created_at, sealed_with) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, TRUE, $10, $11)";
    #[rustfmt::skip]
    let values = values![
        Uuid::now_v7(), spec_id, header.serial, header.lineage, md5, *size,
        header.resources, key.as_str(), *job_id, now, *sealed_with,
    ];
    let taken = StateRefusal::Serial { current: header.serial, got: header.serial };
    let inserted = tx.execute(sql, values).await;
    inserted.map_err(|error| if error.is_unique_violation() { taken.into() } else { error })?;
    version(&found(current_row(tx, spec_id).await?, "state of spec", spec_id)?)
}

async fn supersede(tx: &Tx, spec_id: SpecId) -> Result<()> {
    let sql = "UPDATE state_versions SET is_current = FALSE WHERE spec_id = $1 AND is_current";
    tx.execute(sql, values![spec_id]).await?;
    Ok(())
}

async fn content(store: &Store, row: &Row) -> Result<(StateVersion, Bytes)> {
    let content = blobs::get(store, &BlobKey::from_column(row.get("blob")?)).await?;
    Ok((version(row)?, content))
}

fn is_same(current: &StateVersion, pending: &Pending) -> bool {
    current.serial == pending.header.serial && current.md5 == pending.md5
}

fn refuse_backwards(current: &StateVersion, new: &Header) -> Result<()> {
    if current.lineage != new.lineage {
        let lineage = StateRefusal::Lineage { current: current.lineage.clone(), got: new.lineage.clone() };
        return Err(lineage.into());
    }
    if new.serial <= current.serial {
        return Err(StateRefusal::Serial { current: current.serial, got: new.serial }.into());
    }
    Ok(())
}

impl Pending {
    /// Puts a state where it is durable.
    pub(super) async fn put(
        store: &Store,
        spec_id: SpecId,
        content: &[u8],
        job_id: Option<JobId>,
    ) -> Result<Self> {
        let (header, content) = content::with_lineage(content)?;
        let key = BlobKey::new("states", spec_id);
        let sealed_with = Some(blobs::put(store, &key, &content).await?);
        Ok(Self { key, header, md5: md5_hex(&content), size: content.len(), job_id, sealed_with })
    }
}

fn md5_hex(content: &[u8]) -> String {
    Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
