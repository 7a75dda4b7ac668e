//! Logs: chunks numbered from 1 without a gap inside one attempt. Live ones are rows; those of finished jobs move to
//! the blob store, segment by segment, and are read through the same function.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use alethia_domain::ids::JobId;
use chrono::{DateTime, Utc};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sea_orm::Value;
use serde::{Deserialize, Serialize};

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Store, StoreError, Tx,
    blobs::{self, BlobKey},
    db::{Query, Row, found, values},
    doorbell::Bell,
    events::places,
    jobs::{self, Fence},
};

/// Several lines that were written together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChunk {
    /// Attempt that wrote it.
    pub attempt: u32,
    /// Number in the attempt, from 1.
    pub sequence: u64,
    /// When the Runner closed it.
    pub at: DateTime<Utc>,
    /// Redacted text of whole lines.
    pub text: String,
}

/// A place in a log: after this chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogCursor {
    /// Attempt of the chunk.
    pub attempt: u32,
    /// Its number.
    pub sequence: u64,
}

/// About how much text goes into one blob.
const SEGMENT_BYTES: usize = 1 << 20;
const SEGMENT_ROWS: u16 = 200;

/// Adds chunks of an attempt. Those that are there already are left out, so that a Runner may send again.
///
/// # Errors
/// [`StoreError::LeaseLost`]; [`Conflict::LogGap`] when one is missing before them.
pub async fn append(tx: &Tx, fence: Fence, chunks: &[LogChunk]) -> Result<()> {
    let mut fresh: Vec<&LogChunk> = chunks.iter().collect();
    if !follow(tx, fence, &fresh).await? {
        jobs::guard(tx, fence).await?;
        let last = last_sequence(tx, fence).await?;
        fresh.retain(|chunk| chunk.sequence > last);
        refuse_gap(last, &fresh)?;
        advance(tx, fence, &fresh).await?;
    }
    for rows in fresh.chunks(100) {
        let sql = format!(
            "INSERT INTO provision_job_logs (job_id, attempt, sequence, at, text) VALUES {}",
            places(rows.len(), 5)
        );
        let row =
            |chunk: &&LogChunk| values![fence.job_id, fence.attempt, chunk.sequence, chunk.at, chunk.text];
        tx.execute(&sql, rows.iter().flat_map(row).collect::<Vec<Value>>()).await?;
    }
    if !fresh.is_empty() {
        tx.ring(Bell::Job(fence.job_id));
    }
    Ok(())
}

/// Chunks of a job after a place, the oldest first. `next` is the place after the last of them, also when there are no
/// more for now; it is `None` only when the page is empty.
///
/// # Errors
/// When the database or the blob store is not available.
pub async fn page(
    store: &Store,
    job_id: JobId,
    request: PageRequest<LogCursor>,
) -> Result<Page<LogChunk, LogCursor>> {
    let after = request.after.unwrap_or_default();
    let limit = usize::from(request.limit.clamp(1, 200));
    // Rows first: what moves to the blob store in between is then seen twice, never not at all.
    let live = live(store, job_id, after, limit).await?;
    let archived = archived(store, job_id, after, limit).await?;
    let chunks: BTreeMap<_, _> =
        archived.into_iter().chain(live).map(|chunk| (chunk.cursor(), chunk)).collect();
    let items: Vec<_> = chunks.into_values().take(limit).collect();
    let next = items.last().map(LogChunk::cursor);
    Ok(Page { items, next })
}

/// Finished jobs whose logs have not moved to the blob store, the oldest first.
///
/// # Errors
/// When the database is not available.
pub async fn to_compact(reader: &impl Reader, limit: u16) -> Result<Vec<JobId>> {
    let sql = "SELECT id FROM provision_jobs WHERE status IN ('SUCCESS', 'FAILED', 'CANCELLED') \
        AND NOT logs_archived ORDER BY id LIMIT $1";
    reader.all(sql, values![limit]).await?.iter().map(|row| row.id("id")).collect()
}

/// Moves the log of a finished job to the blob store. Safe to repeat after a failure.
///
/// # Errors
/// When the job is not finished, or the database or the blob store is not available.
pub async fn compact(store: &Store, job_id: JobId) -> Result<()> {
    let sql = "SELECT id FROM provision_jobs WHERE id = $1 AND status IN ('SUCCESS', 'FAILED', 'CANCELLED')";
    found(store.optional(sql, values![job_id]).await?, "finished job", job_id)?;
    loop {
        let segment = next_segment(store, job_id).await?;
        if segment.is_empty() {
            break;
        }
        archive(store, job_id, &segment).await?;
    }
    let tx = store.begin().await?;
    tx.execute("UPDATE provision_jobs SET logs_archived = TRUE WHERE id = $1", values![job_id]).await?;
    tx.commit().await
}

impl LogChunk {
    /// The place after this chunk.
    pub fn cursor(&self) -> LogCursor {
        LogCursor { attempt: self.attempt, sequence: self.sequence }
    }
}

/// The usual case in one statement: the chunks follow each other and the last one that is there, and the attempt is not
/// over. Its row is then locked until the commit, as whoever ends an attempt locks it.
async fn follow(tx: &Tx, fence: Fence, chunks: &[&LogChunk]) -> Result<bool> {
    let (Some(first), Some(newest)) = (chunks.first(), chunks.last()) else { return Ok(false) };
    let Some(before) = first.sequence.checked_sub(1) else { return Ok(false) };
    if refuse_gap(before, chunks).is_err() {
        return Ok(false);
    }
    let sql = "UPDATE job_attempts SET last_sequence = $3 \
        WHERE job_id = $1 AND attempt = $2 AND last_sequence = $4 AND ended_at IS NULL";
    Ok(tx.execute(sql, values![fence.job_id, fence.attempt, newest.sequence, before]).await? > 0)
}

async fn advance(tx: &Tx, fence: Fence, fresh: &[&LogChunk]) -> Result<()> {
    let Some(newest) = fresh.last() else { return Ok(()) };
    let sql = "UPDATE job_attempts SET last_sequence = $3 WHERE job_id = $1 AND attempt = $2";
    tx.execute(sql, values![fence.job_id, fence.attempt, newest.sequence]).await.map(drop)
}

async fn last_sequence(tx: &Tx, fence: Fence) -> Result<u64> {
    let sql = "SELECT last_sequence FROM job_attempts WHERE job_id = $1 AND attempt = $2";
    tx.one(sql, values![fence.job_id, fence.attempt]).await?.number("last_sequence")
}

fn refuse_gap(last: u64, fresh: &[&LogChunk]) -> Result<()> {
    for (chunk, expected) in fresh.iter().zip(last + 1..) {
        if chunk.sequence != expected {
            return Err(Conflict::LogGap { expected, got: chunk.sequence }.into());
        }
    }
    Ok(())
}

async fn live(reader: &impl Reader, job_id: JobId, after: LogCursor, limit: usize) -> Result<Vec<LogChunk>> {
    let sql = "SELECT attempt, sequence, at, text FROM provision_job_logs \
        WHERE job_id = $1 AND (attempt, sequence) > ($2, $3) ORDER BY attempt, sequence LIMIT $4";
    let rows = reader.all(sql, values![job_id, after.attempt, after.sequence, limit]).await?;
    rows.iter().map(chunk).collect()
}

async fn archived(store: &Store, job_id: JobId, after: LogCursor, limit: usize) -> Result<Vec<LogChunk>> {
    let sql = "SELECT blob FROM job_log_archives WHERE job_id = $1 AND (attempt, last_sequence) > ($2, $3) \
        ORDER BY attempt, first_sequence LIMIT $4";
    let rows = store.all(sql, values![job_id, after.attempt, after.sequence, limit]).await?;
    let mut chunks = Vec::new();
    for row in rows {
        let content = blobs::get(store, &BlobKey::from_column(row.get("blob")?)).await?;
        chunks.extend(unpack(&content)?.into_iter().filter(|chunk| chunk.cursor() > after));
        if chunks.len() >= limit {
            break;
        }
    }
    chunks.truncate(limit);
    Ok(chunks)
}

/// The first rows that are left, of one attempt, up to about a segment's size.
async fn next_segment(store: &Store, job_id: JobId) -> Result<Vec<LogChunk>> {
    let rows = live(store, job_id, LogCursor::default(), usize::from(SEGMENT_ROWS)).await?;
    let attempt = rows.first().map(|chunk| chunk.attempt);
    let mut size = 0;
    let fits = |chunk: &LogChunk| {
        let fits = size < SEGMENT_BYTES && Some(chunk.attempt) == attempt;
        size += chunk.text.len();
        fits
    };
    Ok(rows.into_iter().take_while(fits).collect())
}

async fn archive(store: &Store, job_id: JobId, segment: &[LogChunk]) -> Result<()> {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else { return Ok(()) };
    let key = BlobKey::new("logs", job_id);
    let sealed_with = blobs::put(store, &key, &pack(segment)?).await?;
    let tx = store.begin().await?;
    let sql = "INSERT INTO job_log_archives (job_id, attempt, first_sequence, last_sequence, blob, sealed_with) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = values![job_id, first.attempt, first.sequence, last.sequence, key.as_str(), sealed_with];
    if tx.execute(sql, values).await? == 0 {
        tx.discard([key]);
    }
    let sql = "DELETE FROM provision_job_logs WHERE job_id = $1 AND attempt = $2 AND EXISTS (SELECT 1 \
        FROM job_log_archives a WHERE a.job_id = $1 AND a.attempt = $2 \
        AND provision_job_logs.sequence BETWEEN a.first_sequence AND a.last_sequence)";
    tx.execute(sql, values![job_id, first.attempt]).await?;
    tx.commit().await
}

/// Compressed lines of JSON, one a chunk.
fn pack(chunks: &[LogChunk]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for chunk in chunks {
        let line = serde_json::to_vec(chunk).expect("a chunk of text always serializes");
        encoder.write_all(&line).and_then(|()| encoder.write_all(b"\n")).map_err(StoreError::corrupt)?;
    }
    encoder.finish().map_err(StoreError::corrupt)
}

fn unpack(content: &[u8]) -> Result<Vec<LogChunk>> {
    let mut text = String::new();
    GzDecoder::new(content).read_to_string(&mut text).map_err(StoreError::corrupt)?;
    text.lines().map(|line| serde_json::from_str(line).map_err(StoreError::corrupt)).collect()
}

fn chunk(row: &Row) -> Result<LogChunk> {
    Ok(LogChunk {
        attempt: row.number("attempt")?,
        sequence: row.number("sequence")?,
        at: row.get("at")?,
        text: row.get("text")?,
    })
}
