//! What changed. Streams and other Consoles read this table; the doorbell only says that there is something to read.
//!
//! An event gets its number when its transaction commits, so a cause has a lower one than what follows from it. SQLite has
//! one writer: numbers come in the order of the commits. On PostgreSQL many commit at once, and a lower number may be
//! seen after a higher one. A reader must not step over it. So whoever takes numbers first says at which number that was,
//! by an advisory lock that lasts until the commit is over, and a reader of all events goes no further than the lowest
//! that is held (`settled`). Writers never wait for each other. The events of one job need no such care: its row is
//! locked by whoever writes them, until they are committed.

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

/// Advisory locks from here on say: from this number less than that on, numbers were taken that are not committed.
const TAKEN: i64 = 4_121_955 << 40;
/// Most events that one statement writes.
pub(crate) const MOST_ROWS: usize = 200;

/// Adds an event. It is written when the transaction commits, and gets its number then.
pub fn append(tx: &Tx, event: NewEvent) {
    tx.add_event(event);
}

/// Events after a number, the oldest first.
///
/// # Errors
/// When the database is not available.
pub async fn after(reader: &impl Reader, filter: EventFilter, id: i64, limit: u16) -> Result<Vec<Event>> {
    let (condition, key, last) = match filter {
        EventFilter::All => ("", values![], settled(reader).await?),
        EventFilter::Job(job) => (" AND job_id = $4", values![job], i64::MAX),
        EventFilter::Spec(spec) => (" AND spec_id = $4", values![spec], settled(reader).await?),
    };
    if last <= id {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, at, spec_id, job_id, change FROM events WHERE id > $1 AND id <= $3{condition} \
         ORDER BY id LIMIT $2"
    );
    let values = values![id, limit, last].into_iter().chain(key).collect();
    reader.all(&sql, values).await?.iter().map(event).collect()
}

/// Number of the newest event, from which on a reader misses nothing; 0 when there is none.
///
/// # Errors
/// When the database is not available.
pub async fn latest(reader: &impl Reader) -> Result<i64> {
    settled(reader).await
}

/// Up to this number no event can be added any more.
///
/// The order matters: the newest event is that of the statement's snapshot, the locks are looked at after it, and events
/// are read by a later statement. A number that was taken before the snapshot is then either committed for that later
/// statement, or its lock was seen.
///
/// # Errors
/// When the database is not available.
pub(crate) async fn settled(reader: &impl Reader) -> Result<i64> {
    let newest = "SELECT COALESCE(MAX(id), 0) AS newest FROM events";
    let sql = if reader.is_postgres() {
        format!(
            "SELECT LEAST(newest, COALESCE((SELECT MIN(key) - {TAKEN} FROM \
                (SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks \
                WHERE locktype = 'advisory' AND objsubid = 1 AND granted \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) held \
                WHERE key >= {TAKEN} AND key < {TAKEN} + (1::bigint << 40)), newest)) AS settled FROM ({newest}) n"
        )
    } else {
        format!("SELECT newest AS settled FROM ({newest}) n")
    };
    reader.one(&sql, values![]).await?.get("settled")
}

/// The statement that writes events, and its values. On PostgreSQL the lock is taken before the first number.
pub(crate) fn insert(events: &[NewEvent], postgres: bool) -> (String, Vec<Value>) {
    let rows = places(events.len(), 4);
    let sql = if postgres {
        let rows = rows.replacen("($1, $2, $3, $4)", "($1::timestamptz, $2::uuid, $3::uuid, $4::jsonb)", 1);
        format!(
            "INSERT INTO events (at, spec_id, job_id, change) SELECT told.* FROM \
             (SELECT pg_advisory_xact_lock_shared({TAKEN} + CASE WHEN is_called THEN last_value ELSE 0 END) \
             FROM events_id_seq) taken, (VALUES {rows}) told"
        )
    } else {
        format!("INSERT INTO events (at, spec_id, job_id, change) VALUES {rows}")
    };
    let row = |event: &NewEvent| values![event.at, event.spec_id, event.job_id, json(&event.change)];
    (sql, events.iter().flat_map(row).collect())
}

/// `($1, $2), ($3, $4)` for rows of so many columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    places_after(0, rows, columns)
}

/// The same, where so many values are bound before.
pub(crate) fn places_after(bound: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=columns).map(|column| format!("${}", bound + row * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

pub(crate) fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        at: row.get("at")?,
        spec_id: row.optional_id("spec_id")?,
        job_id: row.optional_id("job_id")?,
        change: row.json("change")?,
    })
}

#[cfg(test)]
mod tests {
    use alethia_testkit::postgres::Postgres;

    use super::*;
    use crate::{Store, StoreConfig, seal::Keyring};

    fn event(done: u32) -> NewEvent {
        let change = EventChange::JobProgressed { step: "plan".to_owned(), done, total: 9 };
        NewEvent { at: DateTime::UNIX_EPOCH, spec_id: None, job_id: None, change }
    }

    async fn told(store: &Store) -> Vec<u32> {
        let events = after(store, EventFilter::All, 0, 100).await.unwrap();
        let done = |event: Event| match event.change {
            EventChange::JobProgressed { done, .. } => done,
            other => panic!("{other:?}"),
        };
        events.into_iter().map(done).collect()
    }

    #[tokio::test]
    async fn a_reader_does_not_step_over_a_number_that_is_not_committed_yet() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database_url: Postgres::shared().unwrap().create_database().unwrap(),
            blobs_url: folder.path().join("blobs").display().to_string(),
            keyring: Keyring::new(&[[9; 32]]).unwrap(),
        };
        let store = Store::open(&config, DateTime::UNIX_EPOCH).await.unwrap();
        let commit = async |number| {
            let tx = store.begin().await.unwrap();
            append(&tx, event(number));
            tx.commit().await.unwrap();
        };
        commit(1).await;
        let slow = store.begin().await.unwrap();
        let (sql, values) = insert(&[event(2)], true);
        slow.execute(&sql, values).await.unwrap();
        commit(3).await;
        assert_eq!(told(&store).await, [1], "3 has a higher number than 2");
        let before = latest(&store).await.unwrap();
        slow.commit().await.unwrap();
        assert_eq!(told(&store).await, [1, 2, 3]);
        assert_eq!(after(&store, EventFilter::All, before, 100).await.unwrap().len(), 2);
        let given_up = store.begin().await.unwrap();
        let (sql, values) = insert(&[event(4)], true);
        given_up.execute(&sql, values).await.unwrap();
        drop(given_up);
        commit(5).await;
        let all = async { while told(&store).await != [1, 2, 3, 5] {} };
        tokio::time::timeout(std::time::Duration::from_secs(20), all)
            .await
            .expect("a number that is lost holds nobody up");
        store.close().await;
    }
}
