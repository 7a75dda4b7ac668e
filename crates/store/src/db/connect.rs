//! Pools for the two databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, str::FromStr, time::Duration};

use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector,
    sqlx::{
        AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool, SqlitePool,
        postgres::{PgConnectOptions, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use tokio::time::timeout;

use crate::{Result, StoreError};

/// How long a statement waits for a connection, and SQLite for a lock of another process.
const PATIENCE: Duration = Duration::from_secs(15);
/// Nothing waits for ever; a transaction whose owner hangs gives its locks back.
const LIMITS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '60s'";
/// What writes on PostgreSQL walks indexes in their order, whatever the statistics say: after a burst they are those of an
/// empty table, and a claim that sorts the whole queue for its first row is slower by the length of the queue. For the
/// same reason plans are made once a connection: making one takes longer than claiming.
pub(crate) const WRITER_SETTINGS: &str = "SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off; \
    SET jit = off; SET plan_cache_mode = force_generic_plan";
/// How long the first connection may take.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was idle for so long is asked whether it still lives before it is used.
const FRESH: Duration = Duration::from_secs(1);
const SQLITE_READERS: u32 = 4;
/// Pages that one connection keeps in memory, in KiB (which is what the sign says).
const SQLITE_CACHE: &str = "-8000";
/// Statements that a connection keeps prepared. The texts of those that work on several at once vary with how many.
const STATEMENTS: usize = 512;
const POSTGRES_WRITERS: u32 = 12;
const POSTGRES_READERS: u32 = 8;

/// Pools of one database.
pub(crate) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    /// For LISTEN; `None` on SQLite.
    pub(super) postgres: Option<PgPool>,
}

impl Connections {
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    pub(crate) async fn close(self) {
        for connection in [self.writer, self.reader] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close");
            }
        }
    }
}

pub(crate) async fn connect(url: &str) -> Result<Connections> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => sqlite(url).await,
        Some("postgres" | "postgresql") => postgres(url).await,
        Some(_) | None => Err(StoreError::corrupt(
            "the database url names neither database; it must begin with sqlite:// or postgres://",
        )),
    }
}

async fn sqlite(url: &str) -> Result<Connections> {
    let options = SqliteConnectOptions::from_str(url)?
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .pragma("cache_size", SQLITE_CACHE)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    private_file(options.get_filename())?;
    // A file can't go away between two statements: nobody needs to ask first.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await?;
    let reader: SqlitePool = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .test_before_acquire(false)
        .acquire_timeout(PATIENCE)
        .connect_with(options.pragma("query_only", "1"))
        .await?;
    Ok(Connections {
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        postgres: None,
    })
}

/// Two pools: who holds a transaction and reads beside it must not wait for those who wait for a transaction.
async fn postgres(url: &str) -> Result<Connections> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("alethia")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    must_answer(&options).await?;
    let writer = postgres_pool(options.clone(), POSTGRES_WRITERS, WRITER_SETTINGS).await?;
    let reader = postgres_pool(options, POSTGRES_READERS, "SET default_transaction_read_only = on").await?;
    Ok(Connections {
        writer: SqlxPostgresConnector::from_sqlx_postgres_pool(writer.clone()),
        reader: SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
        postgres: Some(writer),
    })
}

/// A pool tries again and again until its patience ends; one connection says at once what is wrong.
async fn must_answer(options: &PgConnectOptions) -> Result<()> {
    let connecting = PgConnection::connect_with(options);
    let late = |_| sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    Ok(timeout(FIRST_PATIENCE, connecting).await.map_err(late)??.close().await?)
}

async fn postgres_pool(options: PgConnectOptions, size: u32, more: &'static str) -> Result<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let settings = AssertSqlSafe(format!("{LIMITS}; {more}"));
            Box::pin(async move { connection.execute(settings).await.map(|_| ()) })
        })
        .connect_with(options);
    Ok(pool.await?)
}

/// SQLite gives its other files the mode of this one.
fn private_file(path: &Path) -> Result<()> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(|_| ())
        .map_err(|error| StoreError::corrupt(format!("can't open the database {}: {error}", path.display())))
}
