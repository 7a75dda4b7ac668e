//! Makes a platform from a backup, in a database that has none.
//!
//! The backup is read twice: first to know that it is whole, then to load it. All rows are written in one transaction,
//! after the blobs that they name, into the schema that the backup was taken from; then the migrations of today run, as
//! in any upgrade. A failure leaves an empty database, and a second try may follow.
//!
//! Time went by since the snapshot, and nobody knows what Runners did. So an attempt that was alive then is over: its
//! job ends as that of any lost Runner. A job that waited and would change a cloud is cancelled: it may have run long
//! ago, from a state that the backup does not know. A person looks, and starts it anew.

use std::{collections::BTreeMap, path::Path};

use alethia_domain::{
    ids::JobId,
    lifecycle::{JobStatus, JobType},
};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use serde_json::{Map, Value, json};

use super::{
    About, Contents, Progress, Summary, Tell,
    archive::{self, Part, Parts},
    must_have_keys,
    tables::{self, Table},
};
use crate::{
    Result, Store, StoreConfig, StoreError, Tx, audit,
    blobs::{BlobKey, Blobs},
    db::{Connections, Query, connect, values},
    jobs, schema,
    seal::{KeyFile, Keyring},
};

/// How far counters are ahead of the backup: what the lost platform still gave out after it must not come again, or
/// whoever follows a stream would wait for numbers that are behind.
const COUNTERS_AHEAD: i64 = 1_000_000;

/// Where a platform is restored to.
#[derive(Clone, Debug)]
pub struct Target {
    /// As in [`StoreConfig`].
    pub database_url: String,
    /// As in [`StoreConfig`].
    pub blobs_url: String,
    /// The key file. Made when it is not there and the backup has the keys.
    pub key: KeyFile,
}

/// Restores a backup into an empty database. Tells what it was, and which jobs were cancelled.
///
/// # Errors
/// When the backup is not whole, is of a later version, or is sealed with a key that is not there; when the database
/// is not empty. Nothing is changed then.
pub async fn restore(
    file: &Path,
    target: &Target,
    now: DateTime<Utc>,
    tell: Tell<'_>,
) -> Result<(Summary, Vec<JobId>)> {
    let summary = super::verify(file, None, tell).await?;
    let steps = known_schema(&summary.about)?;
    let make_key = summary.about.with_key && !target.key.exists();
    if !make_key {
        must_have_keys(&summary.about, &target.key.ids()?)?;
    }
    let connections = connect(&target.database_url).await?;
    must_be_empty(&connections).await?;
    if make_key {
        target.key.make_from(&key(file).await?)?;
    }
    load(file, &connections, target, (&summary, steps), tell).await?;
    connections.close().await;

    let config = StoreConfig {
        database_url: target.database_url.clone(),
        blobs_url: target.blobs_url.clone(),
        keyring: target.key.keyring()?,
    };
    let store = Store::open(&config, now).await?;
    let cancelled = cancel_what_waits(&store, &summary.about, now).await;
    store.close().await;
    Ok((summary, cancelled?))
}

/// How many of today's migrations the backup had.
fn known_schema(about: &About) -> Result<usize> {
    if schema::names().starts_with(&about.schema) {
        return Ok(about.schema.len());
    }
    Err(StoreError::corrupt(format!(
        "the backup was made by alethia {}, whose database this version does not know; restore it with that version",
        about.alethia
    )))
}

async fn must_be_empty(connections: &Connections) -> Result<()> {
    let writer = connections.writer();
    let rows = writer.query_all_raw(tables::catalog(writer.get_database_backend())).await?;
    match rows.first() {
        None => Ok(()),
        Some(_) => Err(StoreError::corrupt(
            "the database is not empty; a backup is restored into a new data folder or a new database",
        )),
    }
}

async fn key(file: &Path) -> Result<Vec<u8>> {
    let mut parts = Parts::open(file).await?;
    while let Some(part) = parts.next().await? {
        if part.name == archive::KEY {
            return Ok(part.content.to_vec());
        }
    }
    Err(StoreError::corrupt("the backup says that the keys are in it, but they are not"))
}

async fn load(
    file: &Path,
    connections: &Connections,
    target: &Target,
    (summary, steps): (&Summary, usize),
    tell: Tell<'_>,
) -> Result<()> {
    let blobs = Blobs::open(&target.blobs_url)?;
    let transaction = schema::migrate_to(connections.writer(), steps).await?;
    let backend = transaction.get_database_backend();
    check_references_later(&transaction).await?;
    let found = tables::tables(&transaction.query_all_raw(tables::catalog(backend)).await?)?;
    let tables: BTreeMap<String, Table> =
        found.into_iter().map(|table| (table.name.clone(), table)).collect();
    let mut parts = Parts::open(file).await?;
    let mut loaded = Contents { counters: summary.contents.counters.clone(), ..Contents::default() };
    while let Some(part) = parts.next().await? {
        if let Some(name) = part.name.strip_prefix(archive::BLOBS) {
            blobs.put_sealed(&BlobKey::from_column(name.to_owned()), part.content).await?;
            loaded.blobs += 1;
            tell(Progress::Blobs { done: loaded.blobs, total: summary.contents.blobs });
        } else if part.name.starts_with(archive::TABLES) {
            let (table, rows) = write_rows(&transaction, &tables, &part).await?;
            let count = loaded.rows.entry(table.clone()).or_default();
            *count += rows;
            tell(Progress::Rows { table, rows: *count });
        }
    }
    must_be_complete(&loaded, &summary.contents)?;
    set_counters(&transaction, &loaded.counters).await?;
    end_attempts(&transaction, summary.about.taken_at).await?;
    check_references_now(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn write_rows(
    transaction: &DatabaseTransaction,
    tables: &BTreeMap<String, Table>,
    part: &Part,
) -> Result<(String, u64)> {
    let name = part.name[archive::TABLES.len()..].split('/').next().unwrap_or_default();
    let table = tables.get(name).ok_or_else(|| StoreError::corrupt(format!("there is no table {name}")))?;
    let lines = part.content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice(line).map_err(StoreError::corrupt));
    let lines = lines.collect::<Result<Vec<Map<String, Value>>>>()?;
    for lines in lines.chunks(table.most_rows()) {
        transaction.execute_raw(table.insert(transaction.get_database_backend(), lines)?).await?;
    }
    Ok((table.name.clone(), lines.len() as u64))
}

fn must_be_complete(loaded: &Contents, wanted: &Contents) -> Result<()> {
    let is_same = loaded.blobs == wanted.blobs
        && wanted.rows.iter().all(|(table, rows)| loaded.rows.get(table).copied().unwrap_or(0) == *rows);
    is_same.then_some(()).ok_or_else(|| StoreError::corrupt("the backup holds other rows than it says"))
}

/// Rows come table by table, those that they refer to maybe later.
async fn check_references_later(transaction: &DatabaseTransaction) -> Result<()> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        references(transaction, "DEFERRABLE INITIALLY DEFERRED").await
    } else {
        transaction.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
        Ok(())
    }
}

async fn check_references_now(transaction: &DatabaseTransaction) -> Result<()> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
        references(transaction, "NOT DEFERRABLE").await?;
    }
    Ok(())
}

/// Whoever may make the tables may say when PostgreSQL checks what they refer to.
async fn references(transaction: &DatabaseTransaction, when: &str) -> Result<()> {
    let sql = "SELECT conrelid::regclass::text AS name, quote_ident(conname) AS constraint FROM pg_constraint \
        WHERE contype = 'f' AND connamespace = current_schema()::regnamespace";
    let all = Statement::from_string(transaction.get_database_backend(), sql);
    for row in transaction.query_all_raw(all).await? {
        let (table, constraint): (String, String) =
            (row.try_get("", "name")?, row.try_get("", "constraint")?);
        transaction
            .execute_unprepared(&format!("ALTER TABLE {table} ALTER CONSTRAINT {constraint} {when}"))
            .await?;
    }
    Ok(())
}

async fn set_counters(transaction: &DatabaseTransaction, counters: &BTreeMap<String, i64>) -> Result<()> {
    let backend = transaction.get_database_backend();
    for (table, last) in counters {
        let next = last.saturating_add(COUNTERS_AHEAD);
        let statements = if backend == DbBackend::Postgres {
            vec![("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", values![table, next])]
        } else {
            vec![
                ("DELETE FROM sqlite_sequence WHERE name = $1", values![table]),
                ("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", values![table, next]),
            ]
        };
        for (sql, values) in statements {
            transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        }
    }
    Ok(())
}

/// No Runner has a job of the restored platform; its leases were over at the snapshot. What would change a cloud is held
/// back for good until [`cancel_what_waits`], also when that never comes.
async fn end_attempts(transaction: &DatabaseTransaction, at: DateTime<Utc>) -> Result<()> {
    let backend = transaction.get_database_backend();
    for sql in [
        "UPDATE job_attempts SET ended_at = $1 WHERE ended_at IS NULL",
        "UPDATE provision_jobs SET lease_expires_at = $1 WHERE lease_expires_at IS NOT NULL",
    ] {
        transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values![at])).await?;
    }
    let words: Vec<String> =
        JobType::ALL.iter().filter(|kind| kind.is_mutating()).map(|kind| format!("'{kind}'")).collect();
    let hold = format!(
        "UPDATE provision_jobs SET not_before = $1 WHERE status = 'QUEUED' AND job_type IN ({})",
        words.join(", ")
    );
    let never = at + TimeDelta::days(36_500);
    transaction.execute_raw(Statement::from_sql_and_values(backend, hold, values![never])).await?;
    Ok(())
}

async fn cancel_what_waits(store: &Store, about: &About, now: DateTime<Utc>) -> Result<Vec<JobId>> {
    let sql = "SELECT id, job_type FROM provision_jobs WHERE status = 'QUEUED' ORDER BY id";
    let tx = store.begin().await?;
    let mut cancelled = Vec::new();
    for row in tx.all(sql, values![]).await? {
        if row.word::<JobType>("job_type")?.is_mutating() {
            let id = row.id("id")?;
            cancel(&tx, id, now).await?;
            cancelled.push(id);
        }
    }
    let entry = audit::Entry {
        actor: "restore".to_owned(),
        action: "platform.restore".to_owned(),
        subject: "platform".to_owned(),
        allowed: true,
        detail: json!({ "taken_at": about.taken_at, "by": about.alethia, "cancelled": cancelled }),
    };
    audit::append(&tx, entry, now);
    tx.commit().await?;
    Ok(cancelled)
}

async fn cancel(tx: &Tx, id: JobId, now: DateTime<Utc>) -> Result<()> {
    let job = jobs::get(tx, id).await?;
    if jobs::cancel(tx, id, now).await? == JobStatus::Cancelled {
        let reason = "a backup was restored while a DEPLOY waited; look at its plan and deploy again";
        jobs::withdraw(tx, &job, Some(reason), now).await?;
    }
    Ok(())
}

impl KeyFile {
    fn keyring(&self) -> Result<Keyring> {
        Keyring::from_file(self.path())
    }
}
