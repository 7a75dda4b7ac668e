//! Seals again what is not sealed with the key that seals now.
//!
//! Blobs are never overwritten: the content goes into a new blob, the row is changed only if it still names the old one,
//! and the old one stays for a day. So any number of Consoles may do this at once, a kill in the middle leaves at most
//! a file too many, and whoever reads meanwhile finds what the row that it read names. What can't be opened is left,
//! told, and does not keep the rest from it.

use sea_orm::Value;
use tokio_util::sync::CancellationToken;

use super::current;
use crate::{
    Reader, Result, Store, StoreError,
    blobs::{self, BlobKey},
    db::{Query, Row, values},
    idempotency::{self, Key},
};

/// Tables whose column `blob` names sealed content.
const TABLES: [&str; 4] = ["state_versions", "rescued_states", "plan_files", "job_log_archives"];
const BATCH: u16 = 50;

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Things that were sealed again, or whose key was noted.
    pub done: u64,
    /// Things that could not be.
    pub failed: u64,
}

/// The key that a row is thought to be sealed with; `None` where it was never noted.
type Seen<'a> = Option<&'a str>;

/// Goes through everything once, in small steps, until it is told to stop.
///
/// # Errors
/// When the database is not available. What can't be opened is counted instead.
pub async fn reseal(store: &Store, stop: &CancellationToken) -> Result<Resealed> {
    let old = "SELECT id FROM sealing_keys WHERE NOT is_current ORDER BY id";
    let old = store.all(old, values![]).await?;
    let old: Vec<String> = old.iter().map(|row| row.get("id")).collect::<Result<_>>()?;
    let mut resealed = Resealed::default();
    for seen in std::iter::once(None).chain(old.iter().map(|id| Some(id.as_str()))) {
        for table in TABLES {
            resealed.add(table_of_blobs(store, table, seen, stop).await?);
        }
        resealed.add(answers(store, seen, stop).await?);
    }
    Ok(resealed)
}

/// How many things are sealed with a key.
pub(super) async fn count(reader: &impl Reader, id: &str) -> Result<u64> {
    sum(reader, "sealed_with = $1", values![id]).await
}

/// How many things were sealed before keys were noted.
pub(super) async fn unnoted(reader: &impl Reader) -> Result<u64> {
    let answers = "SELECT count(*) AS n FROM idempotency_keys WHERE sealed_with IS NULL AND body IS NOT NULL";
    let answers: u64 = reader.one(answers, values![]).await?.number("n")?;
    Ok(answers + sum_blobs(reader, "sealed_with IS NULL", &[]).await?)
}

async fn sum(reader: &impl Reader, condition: &str, values: Vec<Value>) -> Result<u64> {
    let answers = format!("SELECT count(*) AS n FROM idempotency_keys WHERE {condition}");
    let answers: u64 = reader.one(&answers, values.clone()).await?.number("n")?;
    Ok(answers + sum_blobs(reader, condition, &values).await?)
}

async fn sum_blobs(reader: &impl Reader, condition: &str, values: &[Value]) -> Result<u64> {
    let mut total = 0;
    for table in TABLES {
        let sql = format!("SELECT count(*) AS n FROM {table} WHERE {condition}");
        total += reader.one(&sql, values.to_vec()).await?.number::<u64>("n")?;
    }
    Ok(total)
}

async fn table_of_blobs(
    store: &Store,
    table: &str,
    seen: Seen<'_>,
    stop: &CancellationToken,
) -> Result<Resealed> {
    let (mut resealed, mut after) = (Resealed::default(), String::new());
    let sql =
        format!("SELECT blob FROM {table} WHERE {} AND blob > $2 ORDER BY blob LIMIT $3", is_seen(seen));
    while !stop.is_cancelled() {
        let rows = store.all(&sql, values![seen.unwrap_or_default(), after, BATCH]).await?;
        for row in &rows {
            after = row.get("blob")?;
            resealed.count(blob(store, table, seen, &BlobKey::from_column(after.clone())).await, &after)?;
        }
        if rows.len() < usize::from(BATCH) {
            break;
        }
    }
    Ok(resealed)
}

async fn blob(store: &Store, table: &str, seen: Seen<'_>, key: &BlobKey) -> Result<()> {
    let current = current(store).await?;
    if store.blobs().sealed_with(key).await?.as_deref() == Some(current.as_str()) {
        return replace(store, table, seen, key, (key, &current)).await.map(|_| ());
    }
    let content = blobs::get(store, key).await?;
    let fresh = key.successor();
    let sealed_with = blobs::put(store, &fresh, &content).await?;
    let replaced = replace(store, table, seen, key, (&fresh, &sealed_with)).await;
    if matches!(replaced, Ok(false)) {
        store.blobs().discard(&fresh).await;
    }
    blobs::discard_refused(store, &fresh, &replaced).await;
    replaced.map(|_| ())
}

/// Lets the row that names a blob name another; tells whether it still named it.
async fn replace(
    store: &Store,
    table: &str,
    seen: Seen<'_>,
    old: &BlobKey,
    (new, sealed_with): (&BlobKey, &str),
) -> Result<bool> {
    let sql = format!("UPDATE {table} SET blob = $3, sealed_with = $4 WHERE {} AND blob = $2", is_seen(seen));
    let values = values![seen.unwrap_or_default(), old.as_str(), new.as_str(), sealed_with];
    let tx = store.begin().await?;
    let replaced = tx.execute(&sql, values).await? > 0;
    if replaced && new != old {
        tx.discard([old.clone()]);
    }
    tx.commit().await?;
    Ok(replaced)
}

/// Answers are sealed in their rows. They are few: each lives for a day.
async fn answers(store: &Store, seen: Seen<'_>, stop: &CancellationToken) -> Result<Resealed> {
    let sql = format!(
        "SELECT author, route, key, body FROM idempotency_keys WHERE {} AND body IS NOT NULL \
         AND (author, route, key) > ($2, $3, $4) ORDER BY author, route, key LIMIT $5",
        is_seen(seen)
    );
    let mut resealed = Resealed::default();
    let mut after = Key { key: String::new(), author: String::new(), route: String::new() };
    while !stop.is_cancelled() {
        let values = values![seen.unwrap_or_default(), after.author, after.route, after.key, BATCH];
        let rows = store.all(&sql, values).await?;
        for row in &rows {
            after = Key { key: row.get("key")?, author: row.get("author")?, route: row.get("route")? };
            resealed.count(answer(store, &after, row).await, &idempotency::place(&after))?;
        }
        if rows.len() < usize::from(BATCH) {
            break;
        }
    }
    Ok(resealed)
}

async fn answer(store: &Store, key: &Key, row: &Row) -> Result<()> {
    let (place, old) = (idempotency::place(key), row.get::<Vec<u8>>("body")?);
    let content = store.keyring().open(&place, &old)?;
    let (sealed_with, body) = store.keyring().seal(&place, &content);
    let sql = "UPDATE idempotency_keys SET body = $5, sealed_with = $6 \
        WHERE author = $1 AND route = $2 AND key = $3 AND body = $4";
    let tx = store.begin().await?;
    tx.execute(sql, values![key.author, key.route, key.key, old, body, sealed_with]).await?;
    tx.commit().await
}

/// PostgreSQL wants the type of a value that is nowhere compared with a column.
fn is_seen(seen: Seen<'_>) -> &'static str {
    match seen {
        Some(_) => "sealed_with = $1",
        None => "sealed_with IS NULL AND CAST($1 AS TEXT) = ''",
    }
}

impl Resealed {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
    }

    fn count(&mut self, outcome: Result<()>, place: &str) -> Result<()> {
        match outcome {
            Ok(()) => self.done += 1,
            Err(error @ StoreError::Unavailable { what: "database", .. }) => return Err(error),
            Err(error) => {
                tracing::error!(%error, place, "something could not be sealed again; it stays as it was");
                self.failed += 1;
            }
        }
        Ok(())
    }
}
