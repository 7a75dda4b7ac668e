//! Who did what, and who was refused. Rows are never changed.

use chrono::{DateTime, Utc};
use sea_orm::Value;
use uuid::Uuid;

use crate::{
    Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, json, values},
    events::places_after,
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
    pub detail: serde_json::Value,
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

/// Adds an entry. It is written when the transaction commits.
pub fn append(tx: &Tx, entry: Entry, now: DateTime<Utc>) {
    tx.add_entry(Recorded { id: Uuid::now_v7(), at: now, entry });
}

/// The statement that writes entries where so many values are bound before them, and its values.
pub(crate) fn insert(entries: &[Recorded], bound: usize) -> (String, Vec<Value>) {
    let rows = places_after(bound, entries.len(), 7);
    let sql =
        format!("INSERT INTO audit_log (id, at, actor, action, subject, allowed, detail) VALUES {rows}");
    let row = |recorded: &Recorded| {
        let Recorded { id, at, entry: Entry { actor, action, subject, allowed, detail } } = recorded;
        values![id, at, actor, action, subject, allowed, json(detail)]
    };
    (sql, entries.iter().flat_map(row).collect())
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
