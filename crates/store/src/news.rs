//! What is new of a job, for those who follow it: its events, the chunks of its log, and whether more will come.
//!
//! One statement, and so one moment of the database: a job that is over in it has no rows that are missing in it. That is
//! read each time somebody writes to a job that is followed. Only the log of a job that is over may be archived.

use alethia_domain::{ids::JobId, lifecycle::JobStatus};

use crate::{
    PageRequest, Result, Store,
    db::{Query, Row, found, values},
    events::{self, Event},
    logs::{self, LogChunk, LogCursor},
};

/// Rows after two places, the oldest first.
#[derive(Debug, Default)]
pub struct News {
    /// What changed.
    pub events: Vec<Event>,
    /// What was written.
    pub chunks: Vec<LogChunk>,
    /// Whether the job has ended: then nothing is added any more to what is there.
    pub over: bool,
}

/// The columns of all three; a row is what it has a number, an attempt or a status for.
const SQL: &str = "SELECT id, at, spec_id, job_id, change, NULL AS attempt, NULL AS sequence, NULL AS text, NULL AS status \
    FROM (SELECT id, at, spec_id, job_id, change FROM events WHERE job_id = $1 AND id > $2 ORDER BY id LIMIT $3) e \
    UNION ALL SELECT NULL, at, NULL, NULL, NULL, attempt, sequence, text, NULL \
    FROM (SELECT at, attempt, sequence, text FROM provision_job_logs WHERE job_id = $1 \
        AND (attempt, sequence) > ($4, $5) ORDER BY attempt, sequence LIMIT $6) c \
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, status FROM provision_jobs WHERE id = $1 \
    ORDER BY id, attempt, sequence";

/// What a job has after the event with this number and after this place in its log.
///
/// # Errors
/// When there is no such job, or the database or the blob store is not available.
pub async fn of(
    store: &Store,
    job: JobId,
    events: PageRequest<i64>,
    chunks: PageRequest<LogCursor>,
) -> Result<News> {
    let place = chunks.after.unwrap_or_default();
    let values = values![
        job,
        events.after.unwrap_or_default(),
        events.limit,
        place.attempt,
        place.sequence,
        chunks.limit
    ];
    let (mut news, mut status) = (News::default(), None);
    for row in store.all(SQL, values).await? {
        match row.optional_word("status")? {
            Some(known) => status = Some(known),
            None => news.add(&row)?,
        }
    }
    let status: JobStatus = found(status, "job", job)?;
    news.over = status.is_final();
    if news.over {
        news.chunks = logs::page(store, job, chunks).await?.items;
    }
    Ok(news)
}

impl News {
    fn add(&mut self, row: &Row) -> Result<()> {
        match row.get::<Option<i64>>("id")? {
            Some(_) => self.events.push(events::event(row)?),
            None => self.chunks.push(logs::chunk(row)?),
        }
        Ok(())
    }
}
