//! What changed, in the order of the commits. Streams and other Consoles read this table; the doorbell only says that
//! there is something to read.

use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
};
use chrono::{DateTime, Utc};
use sea_orm::Value;

use crate::{
    Reader, Result, Tx,
    db::{Query, Row, json, values},
};

/// Something that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number; larger is later.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Spec it concerns.
    pub spec_id: Option<SpecId>,
    /// Job it concerns.
    pub job_id: Option<JobId>,
    /// What.
    pub change: EventChange,
}

/// An event to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Spec it concerns.
    pub spec_id: Option<SpecId>,
    /// Job it concerns.
    pub job_id: Option<JobId>,
    /// What.
    pub change: EventChange,
}

/// Which events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFilter {
    /// All.
    All,
    /// Those of one job.
    Job(JobId),
    /// Those of one Spec.
    Spec(SpecId),
}

/// Any number, the same in every Console: events get their numbers one transaction at a time.
const EVENT_LOCK: i64 = 4_121_955_002;

/// Adds an event. It is written when the transaction commits, and gets its number then.
pub fn append(tx: &Tx, event: NewEvent) {
    tx.add_event(event);
}

/// Events after a number, the oldest first.
///
/// # Errors
/// When the database is not available.
pub async fn after(reader: &impl Reader, filter: EventFilter, id: i64, limit: u16) -> Result<Vec<Event>> {
    let (condition, key) = match filter {
        EventFilter::All => ("", values![]),
        EventFilter::Job(job) => (" AND job_id = $3", values![job]),
        EventFilter::Spec(spec) => (" AND spec_id = $3", values![spec]),
    };
    let sql = format!(
        "SELECT id, at, spec_id, job_id, change FROM events WHERE id > $1{condition} ORDER BY id LIMIT $2"
    );
    let values = values![id, limit].into_iter().chain(key).collect();
    reader.all(&sql, values).await?.iter().map(event).collect()
}

/// Number of the newest event; 0 when there is none.
///
/// # Errors
/// When the database is not available.
pub async fn latest(reader: &impl Reader) -> Result<i64> {
    let row = reader.one("SELECT COALESCE(MAX(id), 0) AS latest FROM events", values![]).await?;
    row.get("latest")
}

pub(crate) async fn write(tx: &Tx, events: Vec<NewEvent>) -> Result<()> {
    if tx.is_postgres() {
        tx.execute("SELECT pg_advisory_xact_lock($1)", values![EVENT_LOCK]).await?;
    }
    for chunk in events.chunks(200) {
        let places = places(chunk.len(), 4);
        let sql = format!("INSERT INTO events (at, spec_id, job_id, change) VALUES {places}");
        let values: Vec<Value> = chunk
            .iter()
            .flat_map(|event| values![event.at, event.spec_id, event.job_id, json(&event.change)])
            .collect();
        tx.execute(&sql, values).await?;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)` for rows of so many columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        at: row.get("at")?,
        spec_id: row.optional_id("spec_id")?,
        job_id: row.optional_id("job_id")?,
        change: row.json("change")?,
    })
}
