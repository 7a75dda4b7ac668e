//! Revisions: immutable versions of a Spec's document, numbered 1, 2, 3, …

use alethia_domain::{
    event::EventChange,
    ids::{CloudIdentityId, SpecId},
    spec::Provider,
    stage::Stage,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    Page, PageRequest, Reader, Result, StoreError, Tx,
    db::{Query, Row, for_update, found, text, values},
    events::{self, NewEvent},
};

/// A Revision to be made, with what the Spec's row repeats of it.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// Environment that the document targets.
    pub stage: Stage,
    /// Cloud it runs on.
    pub provider: Provider,
    /// Region it runs in.
    pub region: String,
    /// Cloud Identity it uses.
    pub identity_id: CloudIdentityId,
    /// The document, as written.
    pub document: Value,
    /// SHA-256 of the canonical document.
    pub hash: String,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub message: Option<String>,
}

/// A Revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub number: u32,
    /// SHA-256 of the canonical document.
    pub hash: String,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub message: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A Revision with its document.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionDetail {
    /// The Revision.
    pub revision: Revision,
    /// Its document, as written.
    pub document: Value,
}

const COLUMNS: &str = "number, hash, author, message, created_at";

/// Adds the next Revision; tells its number.
///
/// # Errors
/// [`StoreError::Stale`] when `expected` is given and is not the newest.
pub async fn append(
    tx: &Tx,
    spec_id: SpecId,
    expected: Option<u32>,
    new: &NewRevision,
    now: DateTime<Utc>,
) -> Result<u32> {
    let sql = format!("SELECT revision FROM specs WHERE id = $1{}", for_update(tx));
    let row = found(tx.optional(&sql, values![spec_id]).await?, "spec", spec_id)?;
    let current: u32 = row.number("revision")?;
    if let Some(expected) = expected
        && expected != current
    {
        return Err(StoreError::Stale { expected, current });
    }
    let number = current + 1;
    let sql = "UPDATE specs SET revision = $2, stage = $3, provider = $4, region = $5, identity_id = $6, \
        updated_at = $7 WHERE id = $1";
    tx.execute(sql, values![spec_id, number, new.stage, new.provider, new.region, new.identity_id, now])
        .await?;
    insert(tx, spec_id, number, new, now).await?;
    Ok(number)
}

/// One Revision.
///
/// # Errors
/// When there is none of that number.
pub async fn get(reader: &impl Reader, spec_id: SpecId, number: u32) -> Result<RevisionDetail> {
    let sql = format!("SELECT {COLUMNS}, document FROM spec_revisions WHERE spec_id = $1 AND number = $2");
    let row = reader.optional(&sql, values![spec_id, number]).await?;
    let row = found(row, "revision", number)?;
    Ok(RevisionDetail { revision: revision(&row)?, document: row.document("document")? })
}

/// Revisions of a Spec, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(
    reader: &impl Reader,
    spec_id: SpecId,
    page: PageRequest<u32>,
) -> Result<Page<Revision, u32>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM spec_revisions WHERE spec_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3"
    );
    let rows = reader.all(&sql, values![spec_id, page.after.unwrap_or(u32::MAX), page.fetch()]).await?;
    let revisions = rows.iter().map(revision).collect::<Result<Vec<_>>>()?;
    Ok(page.page(revisions, |revision| revision.number))
}

pub(crate) async fn insert(
    tx: &Tx,
    spec_id: SpecId,
    number: u32,
    new: &NewRevision,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "INSERT INTO spec_revisions (spec_id, number, document, hash, author, message, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let document = text(&new.document);
    tx.execute(sql, values![spec_id, number, document, new.hash, new.author, new.message, now]).await?;
    let change = EventChange::RevisionAdded { revision: number };
    events::append(tx, NewEvent { at: now, spec_id: Some(spec_id), job_id: None, change });
    Ok(())
}

fn revision(row: &Row) -> Result<Revision> {
    Ok(Revision {
        number: row.number("number")?,
        hash: row.get("hash")?,
        author: row.get("author")?,
        message: row.get("message")?,
        created_at: row.get("created_at")?,
    })
}
