//! Who did what, and who was refused. Rows are never changed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, json, values},
};

/// Something that was done or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who.
    pub actor: String,
    /// What, such as `state.unlock`.
    pub action: String,
    /// To what, such as a Spec's id.
    pub subject: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// What else is to be known; no secrets.
    pub detail: Value,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub entry: Entry,
}

/// Adds an entry.
///
/// # Errors
/// When the database is not available.
pub async fn append(tx: &Tx, entry: &Entry, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO audit_log (id, at, actor, action, subject, allowed, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Entry { actor, action, subject, allowed, detail } = entry;
    tx.execute(sql, values![Uuid::now_v7(), now, actor, action, subject, allowed, json(detail)]).await?;
    Ok(())
}

/// Entries, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, page: PageRequest) -> Result<Page<Recorded>> {
    let sql = "SELECT id, at, actor, action, subject, allowed, detail FROM audit_log \
        WHERE id < $1 ORDER BY id DESC LIMIT $2";
    let rows = reader.all(sql, values![page.before(), page.fetch()]).await?;
    let entries = rows.iter().map(recorded).collect::<Result<Vec<_>>>()?;
    Ok(page.page(entries, |entry| entry.id))
}

fn recorded(row: &Row) -> Result<Recorded> {
    let entry = Entry {
        actor: row.get("actor")?,
        action: row.get("action")?,
        subject: row.get("subject")?,
        allowed: row.get("allowed")?,
        detail: row.get("detail")?,
    };
    Ok(Recorded { id: row.get("id")?, at: row.get("at")?, entry })
}
