//! States that a Runner delivers after its attempt is over: what Terraform wrote beside itself when the Console did not
//! take it. Kept sealed, and never current by themselves: a person who recovers the Spec makes one the newest version, when
//! it is a later one of the same state.

use alethia_domain::ids::{JobId, SpecId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    StateVersion,
    content::Header,
    current, lock,
    version::{self, Pending},
};
use crate::{
    Conflict, Reader, Result, StateRefusal, Store, StoreError, Tx,
    blobs::{self, BlobKey},
    db::{Query, Row, found, values},
    jobs::Fence,
    specs,
};

/// How many one attempt may leave. Terraform writes one at its end.
const MOST: u32 = 4;
/// How many of a Spec are listed.
const LISTED: u16 = 50;

/// A state that comes late.
#[derive(Clone, Copy, Debug)]
pub struct Rescue<'a> {
    /// The Spec.
    pub spec_id: SpecId,
    /// The attempt that made it.
    pub fence: Fence,
    /// The state as Terraform left it.
    pub content: &'a [u8],
}

/// A state that came late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
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
    /// The attempt at it.
    pub attempt: u32,
    /// Why it can't become the newest version; absent when it can.
    pub unfit: Option<String>,
    /// When it came.
    pub created_at: DateTime<Utc>,
    id: Uuid,
    /// When the attempt began.
    claimed_at: Option<DateTime<Utc>>,
}

/// Keeps a state that comes late. When it returns, it is durable. Delivering it again changes nothing.
///
/// # Errors
/// [`crate::StateRefusal::Malformed`]; [`Conflict::RescuedEnough`].
pub async fn rescue(store: &Store, rescue: Rescue<'_>, now: DateTime<Utc>) -> Result<()> {
    let pending = Pending::put(store, rescue.spec_id, rescue.content, Some(rescue.fence.job_id)).await?;
    let kept = keep(store, rescue, &pending, now).await;
    blobs::discard_refused(store, &pending.key, &kept).await;
    kept
}

/// States of a Spec that came late and are no versions yet, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn rescued(reader: &impl Reader, spec_id: SpecId) -> Result<Vec<Rescued>> {
    let sql = "SELECT r.id, r.serial, r.lineage, r.md5, r.size, r.resources, r.job_id, r.attempt, r.created_at, \
        a.claimed_at FROM rescued_states r \
        LEFT JOIN job_attempts a ON a.job_id = r.job_id AND a.attempt = r.attempt \
        WHERE r.spec_id = $1 ORDER BY r.id DESC LIMIT $2";
    let rows = reader.all(sql, values![spec_id, LISTED]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let newest = current(reader, spec_id).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut state = read(row)?;
        state.unfit = match must_follow(reader, spec_id, newest.as_ref(), &state).await {
            Ok(()) => None,
            Err(StoreError::StateRefused(refusal)) => Some(refusal.to_string()),
            Err(other) => return Err(other),
        };
        all.push(state);
    }
    Ok(all)
}

/// The one of them that can become the newest version, if there is one: the last of the newest job. While there is no
/// state, those of several jobs may fit, each of a lineage of its own, whose serials tell nothing of which is newer.
///
/// # Errors
/// When the database is not available.
pub async fn newest_fitting(reader: &impl Reader, spec_id: SpecId) -> Result<Option<Rescued>> {
    let all = rescued(reader, spec_id).await?;
    Ok(all.into_iter().filter(|state| state.unfit.is_none()).max_by_key(|state| (state.job_id, state.serial)))
}

/// Makes a state that came late the newest version, as if it had come in time.
///
/// # Errors
/// [`crate::StateRefusal`] when the state is locked or went on meanwhile; when it is none of the Spec any more.
pub async fn adopt(tx: &Tx, spec_id: SpecId, state: &Rescued, now: DateTime<Utc>) -> Result<StateVersion> {
    specs::lock(tx, spec_id).await?;
    lock::require(tx, spec_id, None).await?;
    let sql = "DELETE FROM rescued_states WHERE id = $1 AND spec_id = $2 RETURNING blob, sealed_with";
    let row = found(tx.optional(sql, values![state.id, spec_id]).await?, "rescued state", state.serial)?;
    let pending = Pending {
        key: BlobKey::from_column(row.get("blob")?),
        header: state.header(),
        md5: state.md5.clone(),
        size: usize::try_from(state.size).unwrap_or(usize::MAX),
        job_id: Some(state.job_id),
        sealed_with: row.get("sealed_with")?,
    };
    let current = current(tx, spec_id).await?;
    must_follow(tx, spec_id, current.as_ref(), state).await?;
    version::insert(tx, spec_id, &pending, now).await
}

async fn keep(store: &Store, rescue: Rescue<'_>, pending: &Pending, now: DateTime<Utc>) -> Result<()> {
    let tx = store.begin().await?;
    specs::lock(&tx, rescue.spec_id).await?;
    let Fence { job_id, attempt } = rescue.fence;
    let sql = "SELECT count(*) AS kept, count(CASE WHEN md5 = $3 THEN 1 END) AS same FROM rescued_states \
        WHERE job_id = $1 AND attempt = $2";
    let row = tx.one(sql, values![job_id, attempt, pending.md5]).await?;
    if row.number::<u32>("same")? > 0 {
        tx.discard([pending.key.clone()]);
        return tx.commit().await;
    }
    if row.number::<u32>("kept")? >= MOST {
        return Err(Conflict::RescuedEnough { most: MOST }.into());
    }
    let Pending { key, header, md5, size, sealed_with, .. } = pending;
    let sql = "INSERT INTO rescued_states (id, spec_id, job_id, attempt, serial, lineage, md5, size, resources, blob, \
        created_at, sealed_with) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    #[rustfmt::skip]
    let values = values![
        Uuid::now_v7(), rescue.spec_id, job_id, attempt, header.serial, header.lineage, md5, *size,
        header.resources, key.as_str(), now, *sealed_with,
    ];
    tx.execute(sql, values).await?;
    tx.commit().await
}

/// As every new version must; and nothing may have changed the state since the attempt began but the attempt itself. A
/// serial does not say so: Terraform counts on while nobody takes its state.
async fn must_follow(
    reader: &impl Reader,
    spec_id: SpecId,
    newest: Option<&StateVersion>,
    state: &Rescued,
) -> Result<()> {
    version::must_follow(reader, spec_id, newest, &state.header()).await?;
    match newest.filter(|newest| state.is_older_than(newest)) {
        Some(newest) => Err(StateRefusal::GoneOn(newest.created_at).into()),
        None => Ok(()),
    }
}

fn read(row: &Row) -> Result<Rescued> {
    Ok(Rescued {
        serial: row.number("serial")?,
        lineage: row.get("lineage")?,
        md5: row.get("md5")?,
        size: row.number("size")?,
        resources: row.number("resources")?,
        job_id: row.id("job_id")?,
        attempt: row.number("attempt")?,
        unfit: None,
        created_at: row.get("created_at")?,
        id: row.get("id")?,
        claimed_at: row.get("claimed_at")?,
    })
}

impl Rescued {
    fn header(&self) -> Header {
        Header {
            serial: self.serial,
            lineage: self.lineage.clone(),
            resources: usize::try_from(self.resources).unwrap_or(usize::MAX),
        }
    }

    /// Jobs that change a Spec follow each other, and so do their ids; a person restores at a time.
    fn is_older_than(&self, version: &StateVersion) -> bool {
        match version.job_id {
            Some(job) => job > self.job_id,
            None => self.claimed_at.is_none_or(|claimed| version.created_at > claimed),
        }
    }
}
