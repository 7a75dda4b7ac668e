//! Plans: the file, sealed in the blob store, and what is known about it. The file comes first; a report that names
//! another file is refused.

use alethia_domain::{
    ids::JobId,
    plan::{PlanBasis, PlanDigest, PlanSummary, sha256_hex},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::{
    Conflict, Reader, Result, Store, Tx,
    blobs::{self, BlobKey},
    db::{Query, Row, found, json, values},
    jobs::{self, Fence},
};

/// The plan that a PLAN job made.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The job.
    pub job_id: JobId,
    /// What it is bound to.
    pub digest: PlanDigest,
    /// What it was made from.
    pub basis: PlanBasis,
    /// What it would change.
    pub summary: PlanSummary,
    /// SHA-256 of the file.
    pub file_sha256: String,
}

/// Keeps the plan file of an attempt. What was reported of another file before counts no more.
///
/// # Errors
/// [`crate::StoreError::LeaseLost`].
pub async fn put_file(store: &Store, fence: Fence, content: &[u8], now: DateTime<Utc>) -> Result<()> {
    let key = BlobKey::new("plans", fence.job_id);
    let sealed_with = blobs::put(store, &key, content).await?;
    let kept = keep_file(store, fence, (&key, &sealed_with), content, now).await;
    blobs::discard_refused(store, &key, &kept).await;
    kept
}

/// Keeps what is known about the plan of an attempt.
///
/// # Errors
/// [`crate::StoreError::LeaseLost`]; [`Conflict::PlanFile`] when the file is not there or is another one.
pub async fn report(
    tx: &Tx,
    fence: Fence,
    basis: &PlanBasis,
    summary: &PlanSummary,
    file_sha256: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    jobs::guard(tx, fence).await?;
    let row = tx.optional("SELECT sha256 FROM plan_files WHERE job_id = $1", values![fence.job_id]).await?;
    let row = row.ok_or(Conflict::PlanFile("was not uploaded"))?;
    if row.get::<String>("sha256")? != file_sha256 {
        return Err(Conflict::PlanFile("that was uploaded is not the reported one").into());
    }
    let sql = "INSERT INTO plans (job_id, digest, basis, summary, has_changes, file_sha256, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (job_id) DO UPDATE SET digest = excluded.digest, \
        basis = excluded.basis, summary = excluded.summary, has_changes = excluded.has_changes, \
        file_sha256 = excluded.file_sha256, created_at = excluded.created_at";
    let digest = basis.digest();
    let changes = !summary.is_empty();
    let values =
        values![fence.job_id, digest.as_str(), json(basis), json(summary), changes, file_sha256, now];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The plan of a PLAN job.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, job_id: JobId) -> Result<Plan> {
    let sql = "SELECT digest, basis, summary, file_sha256 FROM plans WHERE job_id = $1";
    plan(&found(reader.optional(sql, values![job_id]).await?, "plan of job", job_id)?, job_id)
}

/// The plan file of a PLAN job.
///
/// # Errors
/// When there is none, or it is not what was put there.
pub async fn file(store: &Store, job_id: JobId) -> Result<Bytes> {
    let row = store.optional("SELECT blob FROM plan_files WHERE job_id = $1", values![job_id]).await?;
    let row = found(row, "plan file of job", job_id)?;
    blobs::get(store, &BlobKey::from_column(row.get("blob")?)).await
}

/// The plan of a PLAN job, from a row with its columns; all of them are absent when there is none.
pub(crate) fn plan(row: &Row, job_id: JobId) -> Result<Plan> {
    let digest = found(row.optional_word("digest")?, "plan of job", job_id)?;
    Ok(Plan {
        job_id,
        digest,
        basis: row.json("basis")?,
        summary: row.json("summary")?,
        file_sha256: row.get("file_sha256")?,
    })
}

async fn keep_file(
    store: &Store,
    fence: Fence,
    (key, sealed_with): (&BlobKey, &str),
    content: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    let tx = store.begin().await?;
    jobs::guard(&tx, fence).await?;
    let old = tx.optional("SELECT blob FROM plan_files WHERE job_id = $1", values![fence.job_id]).await?;
    let old = old.map(|row| row.get("blob").map(BlobKey::from_column)).transpose()?;
    tx.discard(old);
    let sql = "INSERT INTO plan_files (job_id, blob, sha256, size, created_at, sealed_with) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (job_id) DO UPDATE SET blob = excluded.blob, sha256 = excluded.sha256, size = excluded.size, \
        created_at = excluded.created_at, sealed_with = excluded.sealed_with";
    let digest = sha256_hex(content);
    tx.execute(sql, values![fence.job_id, key.as_str(), digest, content.len(), now, sealed_with]).await?;
    tx.execute("DELETE FROM plans WHERE job_id = $1", values![fence.job_id]).await?;
    tx.commit().await
}
