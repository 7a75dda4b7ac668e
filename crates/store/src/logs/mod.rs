//! Logs: chunks numbered from 1 without a gap inside one attempt. Live ones are rows; those of finished jobs move to
//! the blob store, segment by segment (see `archive`), and are read through the same functions.
//!
//! Whoever reads holds one segment or one page of rows, however long the log is. Chunks that were archived lie before
//! those that are still rows.

mod append;
mod archive;
mod search;

use alethia_domain::ids::JobId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use append::{Appends, append};
pub use archive::{compact, to_compact, to_compact_sql};
pub use search::search;

use crate::{
    Page, PageRequest, Reader, Result, Store,
    db::{Query, Row, values},
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
