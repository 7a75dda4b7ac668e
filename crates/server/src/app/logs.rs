//! Logs of jobs: written by attempts, read in pages.

use alethia_api::{
    logs::{LogChunk, LogQuery},
    page::Page,
    runner::AppendLogs,
};
use alethia_domain::ids::JobId;
use alethia_store::{
    PageRequest, jobs,
    logs::{self, LogCursor},
};

use super::{App, page};
use crate::{
    auth::{FormerAttempt, Viewer},
    error::{Error, Result},
};

const MOST_CHUNKS: usize = 64;
const LARGEST_CHUNK: usize = 64 * 1024;
/// Longest text that is looked for.
const LONGEST_SEARCH: usize = 200;

/// Log of a job, oldest first; of a search, the lines that it finds.
///
/// # Errors
/// When there is no such job, or the query is wrong.
pub async fn list(app: &App, _: &Viewer, job: JobId, query: &LogQuery) -> Result<Page<LogChunk>> {
    let PageRequest { limit, .. } = page::request::<u64>(query.limit, None)?;
    let after = query.cursor.as_deref().map(parse).transpose()?;
    jobs::get(&app.store, job).await?;
    let request = PageRequest { after, limit };
    let page = match &query.search {
        None => logs::page(&app.store, job, request).await?,
        Some(text) if text.is_empty() || text.len() > LONGEST_SEARCH => {
            return Err(Error::field("search", format!("allowed: 1 to {LONGEST_SEARCH} bytes")));
        }
        Some(text) => logs::search(&app.store, job, text, request).await?,
    };
    Ok(Page { items: page.items.into_iter().map(view).collect(), next: page.next.map(print) })
}

/// Adds to the log of the attempt; chunks that are there already are left out.
///
/// # Errors
/// When the attempt is over, a chunk is missing before these, or they are too many or too large.
pub async fn append(app: &App, attempt: &FormerAttempt, append: AppendLogs) -> Result<()> {
    let chunks = append.chunks;
    if chunks.len() > MOST_CHUNKS {
        let message = format!("there are {}; allowed: up to {MOST_CHUNKS}", chunks.len());
        return Err(Error::field("chunks", message));
    }
    if let Some(index) = chunks.iter().position(|chunk| chunk.text.len() > LARGEST_CHUNK) {
        return Err(Error::field(
            format!("chunks[{index}].text"),
            format!("allowed: up to {LARGEST_CHUNK} bytes"),
        ));
    }
    let chunks = chunks.into_iter().map(row).collect();
    Ok(app.appends.add(&app.store, attempt.0.fence, chunks).await?)
}

/// A place in a log as a text: `<attempt>-<sequence>`.
pub(super) fn print(cursor: LogCursor) -> String {
    format!("{}-{}", cursor.attempt, cursor.sequence)
}

/// The place that a text names.
pub(super) fn parse(text: &str) -> Result<LogCursor> {
    let parts = text.split_once('-').and_then(|(attempt, sequence)| {
        Some(LogCursor { attempt: attempt.parse().ok()?, sequence: sequence.parse().ok()? })
    });
    parts.ok_or_else(|| Error::field("cursor", "it is no cursor; take `next` of the page before"))
}

pub(super) fn view(chunk: logs::LogChunk) -> LogChunk {
    let logs::LogChunk { attempt, sequence, at, text } = chunk;
    LogChunk { attempt, sequence, at, text }
}

fn row(chunk: LogChunk) -> logs::LogChunk {
    let LogChunk { attempt, sequence, at, text } = chunk;
    logs::LogChunk { attempt, sequence, at, text }
}
