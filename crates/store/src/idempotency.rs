//! A creating request that is sent twice under one key is done once; the second gets the answer of the first.
//!
//! [`begin`] and [`complete`] belong into the transaction that creates: a second request waits in `begin` until the
//! first is committed, then sees its answer. Answers are kept for 24 hours, sealed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    Conflict, Reader, Result, StoreError, Tx,
    db::{Query, Row, values},
};

const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// Under what a request is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The caller's key.
    pub key: String,
    /// Whose it is.
    pub author: String,
    /// What was called, such as `POST /specs/{id}/jobs` with the id.
    pub route: String,
}

/// The answer that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Value,
}

/// Takes the key for this request; `None` means: go on, then [`complete`]. `Some` is the answer that was given.
///
/// # Errors
/// [`Conflict::IdempotencyMismatch`] when the key was used with another request.
pub async fn begin(tx: &Tx, key: &Key, request_hash: &str, now: DateTime<Utc>) -> Result<Option<Answer>> {
    let Key { key: name, author, route } = key;
    let expired =
        "DELETE FROM idempotency_keys WHERE author = $1 AND route = $2 AND key = $3 AND created_at < $4";
    tx.execute(expired, values![author, route, name, now - KEPT_FOR]).await?;
    let insert = "INSERT INTO idempotency_keys (author, route, key, request_hash, created_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (author, route, key) DO NOTHING";
    if tx.execute(insert, values![author, route, name, request_hash, now]).await? > 0 {
        return Ok(None);
    }
    let select = "SELECT request_hash, status, body FROM idempotency_keys \
        WHERE author = $1 AND route = $2 AND key = $3";
    let row = tx.one(select, values![author, route, name]).await?;
    if row.get::<String>("request_hash")? != request_hash {
        return Err(Conflict::IdempotencyMismatch.into());
    }
    answer(tx, key, &row).map(Some)
}

/// Keeps the answer.
///
/// # Errors
/// When the database is not available.
pub async fn complete(tx: &Tx, key: &Key, answer: &Answer) -> Result<()> {
    let (sealed_with, body) = tx.store().keyring().seal(&place(key), answer.body.to_string().as_bytes());
    let sql = "UPDATE idempotency_keys SET status = $4, body = $5, sealed_with = $6 \
        WHERE author = $1 AND route = $2 AND key = $3";
    tx.execute(sql, values![key.author, key.route, key.key, answer.status, body, sealed_with]).await?;
    Ok(())
}

/// Whether there are answers to forget.
///
/// # Errors
/// When the database is not available.
pub async fn has_expired(reader: &impl Reader, now: DateTime<Utc>) -> Result<bool> {
    let sql = "SELECT 1 FROM idempotency_keys WHERE created_at < $1 LIMIT 1";
    Ok(reader.optional(sql, values![now - KEPT_FOR]).await?.is_some())
}

/// Forgets answers that are older than 24 hours; tells how many.
///
/// # Errors
/// When the database is not available.
pub async fn sweep(tx: &Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.execute("DELETE FROM idempotency_keys WHERE created_at < $1", values![now - KEPT_FOR]).await
}

fn answer(tx: &Tx, key: &Key, row: &Row) -> Result<Answer> {
    let sealed: Option<Vec<u8>> = row.get("body")?;
    let sealed = sealed.ok_or_else(|| StoreError::corrupt("an idempotency key has no answer"))?;
    let body = tx.store().keyring().open(&place(key), &sealed)?;
    let body = serde_json::from_slice(&body).map_err(StoreError::corrupt)?;
    Ok(Answer { status: row.number("status")?, body })
}

pub(crate) fn place(key: &Key) -> String {
    format!("idempotency/{}/{}/{}", key.author, key.route, key.key)
}
