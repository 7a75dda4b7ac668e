//! Logs: chunks numbered from 1 without a gap inside one attempt. Live ones are rows; those of finished jobs move to
//! the blob store, segment by segment (see `archive`), and are read through the same functions.
//!
//! Whoever reads holds one segment or one page of rows, however long the log is. Chunks that were archived lie before
//! those that are still rows.

mod archive;
mod search;

use alethia_domain::ids::JobId;
use chrono::{DateTime, Utc};
use sea_orm::Value;
use serde::{Deserialize, Serialize};

pub use archive::{compact, to_compact, to_compact_sql};
pub use search::search;

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Store, Tx,
    db::{Query, Row, values},
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

/// The chunks that follow a place, as many as lie together.
struct Batch {
    chunks: Vec<LogChunk>,
    /// Whether they are rows: then there are no more for now, or the batch is as large as it may be.
    live: bool,
}

/// Most rows that are read at once.
const MOST_ROWS: usize = 200;

/// Adds chunks of an attempt. Those that are there already are left out, so that a Runner may send again.
///
/// # Errors
/// [`crate::StoreError::LeaseLost`]; [`Conflict::LogGap`] when one is missing before them.
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
    let limit = usize::from(request.limit.clamp(1, 200));
    let (mut items, mut next) = (Vec::new(), request.after);
    while items.len() < limit {
        let (place, room) = (next.unwrap_or_default(), limit - items.len());
        let batch = batch(store, job_id, place, room, room).await?;
        let Some(last) = batch.chunks.last() else { break };
        next = Some(last.cursor());
        items.extend(batch.chunks);
        if batch.live {
            break;
        }
    }
    Ok(Page { next: next.filter(|_| !items.is_empty()), items })
}

impl LogChunk {
    /// The place after this chunk.
    pub fn cursor(&self) -> LogCursor {
        LogCursor { attempt: self.attempt, sequence: self.sequence }
    }
}

/// Chunks after a place, at most so many where they are rows and where they are archived. Rows are looked at first: what
/// moves to the blob store in between is then seen twice, never not at all.
async fn batch(
    store: &Store,
    job_id: JobId,
    after: LogCursor,
    rows: usize,
    archived: usize,
) -> Result<Batch> {
    let live = live(store, job_id, after, rows).await?;
    let archived = archive::after(store, job_id, after, archived).await?;
    Ok(if archived.is_empty() {
        Batch { chunks: live, live: true }
    } else {
        Batch { chunks: archived, live: false }
    })
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

async fn live(reader: &impl Reader, job_id: JobId, after: LogCursor, most: usize) -> Result<Vec<LogChunk>> {
    let sql = "SELECT attempt, sequence, at, text FROM provision_job_logs \
        WHERE job_id = $1 AND (attempt, sequence) > ($2, $3) ORDER BY attempt, sequence LIMIT $4";
    let rows = reader.all(sql, values![job_id, after.attempt, after.sequence, most.min(MOST_ROWS)]).await?;
    rows.iter().map(chunk).collect()
}

pub(crate) fn chunk(row: &Row) -> Result<LogChunk> {
    Ok(LogChunk {
        attempt: row.number("attempt")?,
        sequence: row.number("sequence")?,
        at: row.get("at")?,
        text: row.get("text")?,
    })
}
