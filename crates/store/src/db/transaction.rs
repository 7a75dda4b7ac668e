//! A transaction, with what has to happen at its end: events, the doorbell, blobs that nothing names any more.
//!
//! On PostgreSQL it is a transaction of one connection of the pool, on SQLite a [`Member`] of a group that is committed
//! together. `BEGIN` and `COMMIT` run in tasks of their own. A caller that goes away in the middle of either (a client that hangs
//! up) would otherwise leave the pooled session inside a transaction that nobody knows about.
//!
//! A transaction in which a statement failed, or was given up, does nothing more and can't be committed. PostgreSQL has
//! ended it then, but says so at no COMMIT; SQLite may have, and would do what comes next outside of it.
//!
//! Events and audit entries are collected and written by `commit`: events take their numbers as late as possible.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    Statement, TransactionTrait, Value,
};

use super::{
    Store,
    group::{Group, Member},
    rows::Query,
};
use crate::{
    Result, StoreError,
    audit::{self, Recorded},
    blobs::{self, BlobKey},
    doorbell::Bell,
    events::{self, NewEvent},
};

/// A transaction that writes.
pub struct Tx {
    inner: Inner,
    store: Store,
    closing: Mutex<Closing>,
    /// False while a statement runs, and for good once one failed.
    sound: AtomicBool,
}

/// What transactions are made with.
pub(super) enum Writer {
    Postgres(DatabaseConnection),
    Sqlite(Group),
}

enum Inner {
    Postgres(DatabaseTransaction),
    Sqlite(Member),
}

/// What `commit` has to do.
#[derive(Default)]
struct Closing {
    events: Vec<NewEvent>,
    entries: Vec<Recorded>,
    bells: BTreeSet<Bell>,
    discarded: Vec<BlobKey>,
}

impl Tx {
    pub(super) async fn begin(store: Store) -> Result<Self> {
        let inner = store.writer().begin().await?;
        Ok(Self { inner, store, closing: Mutex::default(), sound: AtomicBool::new(true) })
    }

    /// Writes the events, makes everything durable and visible, then rings the doorbell.
    ///
    /// Once it was called it runs to its end, also when the caller goes away.
    ///
    /// # Errors
    /// When the database is not available, or a statement failed before. Nothing of the transaction happened then, unless
    /// it was the answer to the commit that did not come: whoever has put something elsewhere leaves it there.
    pub async fn commit(self) -> Result<()> {
        tokio::spawn(self.close()).await.map_err(interrupted)?
    }

    /// Takes everything back. Its locks are gone when this returns; those of a dropped transaction go a moment later. On
    /// SQLite nobody has locks but who writes, and the next one begins when it is taken back.
    ///
    /// # Errors
    /// When the database is not available. The transaction ends with its connection then.
    pub async fn roll_back(self) -> Result<()> {
        match self.inner {
            Inner::Postgres(transaction) => {
                let task = tokio::spawn(transaction.rollback());
                Ok(task.await.map_err(interrupted)??)
            }
            Inner::Sqlite(member) => {
                drop(member);
                Ok(())
            }
        }
    }

    async fn close(self) -> Result<()> {
        let closing = std::mem::take(&mut *self.closing.lock().unwrap_or_else(PoisonError::into_inner));
        let Closing { events, entries, mut bells, discarded } = closing;
        if !events.is_empty() {
            bells.insert(Bell::Events);
            bells.extend(events.iter().filter_map(|event| event.job_id).map(Bell::Job));
        }
        blobs::write_discarded(&self, &discarded).await?;
        self.write(&events, &entries).await?;
        let Self { inner, store, sound, .. } = self;
        if !sound.into_inner() {
            return Err(ended());
        }
        match inner {
            Inner::Postgres(transaction) => transaction.commit().await?,
            Inner::Sqlite(member) => member.commit().await?,
        }
        store.doorbell().ring(bells);
        Ok(())
    }

    /// Events and audit entries; on PostgreSQL in one statement where that is possible.
    async fn write(&self, events: &[NewEvent], entries: &[Recorded]) -> Result<()> {
        let postgres = self.is_postgres();
        let mut together = None;
        for chunk in events.chunks(events::MOST_ROWS) {
            let (sql, values) = events::insert(chunk, postgres);
            if postgres && events.len() == chunk.len() && !entries.is_empty() {
                together = Some((format!("WITH told AS ({sql}) "), values));
            } else {
                self.execute(&sql, values).await?;
            }
        }
        for chunk in entries.chunks(events::MOST_ROWS) {
            let (mut before, mut values) = together.take().unwrap_or_default();
            let (sql, own) = audit::insert(chunk, values.len());
            before += &sql;
            values.extend(own);
            self.execute(&before, values).await?;
        }
        Ok(())
    }

    /// Runs a statement; tells how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(self.run(self.inner.execute(statement)).await?.rows_affected())
    }

    pub(super) async fn query(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.run(self.inner.query(statement)).await
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.inner.backend()
    }

    /// Keeps an event for `commit`.
    pub(crate) fn add_event(&self, event: NewEvent) {
        self.closing().events.push(event);
    }

    /// Keeps an audit entry for `commit`.
    pub(crate) fn add_entry(&self, entry: Recorded) {
        self.closing().entries.push(entry);
    }

    /// Rings after `commit`.
    pub(crate) fn ring(&self, bell: Bell) {
        self.closing().bells.insert(bell);
    }

    /// Writes down with `commit` that no row names these blobs any more.
    pub(crate) fn discard(&self, blobs: impl IntoIterator<Item = BlobKey>) {
        self.closing().discarded.extend(blobs);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// One statement after the other, each only when those before it did well.
    async fn run<T>(&self, statement: impl Future<Output = std::result::Result<T, DbErr>>) -> Result<T> {
        if !self.sound.swap(false, Ordering::AcqRel) {
            return Err(ended());
        }
        let done = statement.await?;
        self.sound.store(true, Ordering::Release);
        Ok(done)
    }

    fn closing(&self) -> std::sync::MutexGuard<'_, Closing> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    async fn execute(&self, statement: Statement) -> std::result::Result<ExecResult, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.execute_raw(statement).await,
            Self::Sqlite(member) => member.connection().await?.execute_raw(statement).await,
        }
    }

    async fn query(&self, statement: Statement) -> std::result::Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Postgres(transaction) => transaction.query_all_raw(statement).await,
            Self::Sqlite(member) => member.connection().await?.query_all_raw(statement).await,
        }
    }

    fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }
}

impl Writer {
    async fn begin(&self) -> Result<Inner> {
        match self {
            Self::Postgres(pool) => {
                let pool = pool.clone();
                let task = tokio::spawn(async move { pool.begin().await });
                Ok(Inner::Postgres(task.await.map_err(interrupted)??))
            }
            Self::Sqlite(group) => Ok(Inner::Sqlite(group.join().await?)),
        }
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable {
        what: "database",
        source: "a statement of the transaction failed before, which ended it".into(),
    }
}

pub(super) fn interrupted(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable { what: "database", source: Box::new(error) }
}
