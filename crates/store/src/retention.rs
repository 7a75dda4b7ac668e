//! Forgets what is older than it has to be kept: events of what is over, and audit entries. The Console's housekeeping
//! calls this now and then.
//!
//! A call handles a small number of rows, the oldest, in a short transaction that touches nothing that a claim needs. It
//! looks before it writes: where nothing is old, nothing is locked. A stream that comes back to an event that is gone
//! goes on with the oldest that is left.

use chrono::{DateTime, Utc};
use sea_orm::Value;

use crate::{
    Result, Store,
    db::{Query, values},
};

/// Rows of one call.
const BATCH: usize = 500;

/// Forgets events from before a time that come after a number, except those of jobs that are not over. Tells at which
/// number to go on; `None` when no more of them are old.
///
/// # Errors
/// When the database is not available.
pub async fn sweep_events(store: &Store, before: DateTime<Utc>, after: i64) -> Result<Option<i64>> {
    let sql = "SELECT e.id, j.id IS NOT NULL AS needed FROM \
            (SELECT id, at, job_id FROM events WHERE id > $1 ORDER BY id LIMIT $2) e \
        LEFT JOIN provision_jobs j ON j.id = e.job_id AND j.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') \
        WHERE e.at < $3 ORDER BY e.id";
    let rows = store.all(sql, values![after, BATCH, before]).await?;
    let (mut last, mut old) = (None, Vec::<Value>::new());
    for row in &rows {
        let id: i64 = row.get("id")?;
        last = Some(id);
        if !row.get::<bool>("needed")? {
            old.push(id.into());
        }
    }
    if !old.is_empty() {
        let places = (1..=old.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let tx = store.begin().await?;
        tx.execute(&format!("DELETE FROM events WHERE id IN ({places})"), old).await?;
        tx.commit().await?;
    }
    Ok(last.filter(|_| rows.len() == BATCH))
}

/// Forgets audit entries from before a time; tells whether there may be more of them.
///
/// # Errors
/// When the database is not available.
pub async fn sweep_audit(store: &Store, before: DateTime<Utc>) -> Result<bool> {
    let oldest = "SELECT 1 FROM (SELECT at FROM audit_log ORDER BY id LIMIT 1) o WHERE o.at < $1";
    if store.optional(oldest, values![before]).await?.is_none() {
        return Ok(false);
    }
    let tx = store.begin().await?;
    let sql = "DELETE FROM audit_log WHERE id IN \
        (SELECT o.id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT $2) o WHERE o.at < $1)";
    let gone = tx.execute(sql, values![before, BATCH]).await?;
    tx.commit().await?;
    Ok(gone == BATCH as u64)
}
