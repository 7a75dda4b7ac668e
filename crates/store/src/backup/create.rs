//! Takes a backup: rows in one snapshot, then the blobs that they name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use futures::StreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, Statement, StreamTrait,
    TransactionTrait,
};

use super::{
    About, Contents, FORMAT, Progress, Summary, Tell,
    archive::{self, Writer},
    key_of,
    tables::{self, Table},
};
use crate::{
    Result, Store, StoreError,
    blobs::BlobKey,
    db::{Query, values},
    schema,
    seal::KeyFile,
};

/// About how much text of rows goes into one part.
const PART_BYTES: usize = 1 << 20;

/// Writes a backup into a new file that only its owner may read. Consoles may run meanwhile. With a key file, the keys
/// are in it.
///
/// # Errors
/// When the file is there already or can't be written, the database or the blob store is not available, or a blob that
/// a row names is gone. No file is left then.
pub async fn create(
    store: &Store,
    file: &Path,
    key: Option<&KeyFile>,
    now: DateTime<Utc>,
    tell: Tell<'_>,
) -> Result<Summary> {
    let about = about(store, key, now).await?;
    let mut writer = Writer::create(file, &about).await?;
    if let Some(key) = key {
        writer.part(archive::KEY, key.content()?.into()).await?;
    }
    let mut blobs = Names::create(file)?;
    let mut contents = rows(store, &mut writer, &mut blobs, tell).await?;
    contents.blobs = copy_blobs(store, &mut writer, blobs, &about, tell).await?;
    let contents = writer.finish(contents).await?;
    Ok(Summary { about, contents, opened: None })
}

async fn about(store: &Store, key: Option<&KeyFile>, now: DateTime<Utc>) -> Result<About> {
    let keys = store.all("SELECT id FROM sealing_keys ORDER BY id", values![]).await?;
    let about = About {
        format: FORMAT,
        alethia: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema::names(),
        taken_at: now,
        keys: keys.iter().map(|row| row.get("id")).collect::<Result<_>>()?,
        with_key: key.is_some(),
    };
    if let Some(key) = key {
        super::must_have_keys(&about, &key.ids()?)?;
    }
    Ok(about)
}

/// All rows, as they were at one moment.
async fn rows(store: &Store, writer: &mut Writer, blobs: &mut Names, tell: Tell<'_>) -> Result<Contents> {
    let snapshot = snapshot(store).await?;
    let backend = ConnectionTrait::get_database_backend(&snapshot);
    let mut contents = Contents::default();
    for table in tables::tables(&snapshot.query_all_raw(tables::catalog(backend)).await?)? {
        let rows = rows_of(&snapshot, &table, writer, blobs, tell).await?;
        contents.rows.insert(table.name, rows);
    }
    for row in snapshot.query_all_raw(counters(backend)).await? {
        let last: Option<i64> = row.try_get("", "last")?;
        contents.counters.insert(row.try_get("", "name")?, last.unwrap_or(0));
    }
    snapshot.rollback().await?;
    Ok(contents)
}

async fn rows_of(
    snapshot: &DatabaseTransaction,
    table: &Table,
    writer: &mut Writer,
    blobs: &mut Names,
    tell: Tell<'_>,
) -> Result<u64> {
    let mut stream =
        snapshot.stream_raw(table.select(ConnectionTrait::get_database_backend(snapshot))).await?;
    let (mut lines, mut count, mut part) = (Vec::new(), 0_u64, 0_u32);
    while let Some(row) = stream.next().await {
        let line = table.line(&row?)?;
        if table.names_blobs()
            && let Some(name) = line.get("blob").and_then(serde_json::Value::as_str)
        {
            blobs.add(name)?;
        }
        serde_json::to_writer(&mut lines, &line).map_err(StoreError::corrupt)?;
        lines.push(b'\n');
        count += 1;
        if lines.len() >= PART_BYTES {
            part += 1;
            writer.part(&part_name(table, part), std::mem::take(&mut lines).into()).await?;
            tell(Progress::Rows { table: table.name.clone(), rows: count });
        }
    }
    if !lines.is_empty() {
        writer.part(&part_name(table, part + 1), lines.into()).await?;
    }
    tell(Progress::Rows { table: table.name.clone(), rows: count });
    Ok(count)
}

fn part_name(table: &Table, part: u32) -> String {
    format!("{}{}/{part:06}.jsonl", archive::TABLES, table.name)
}

/// A transaction that sees the database as it is now, for as long as it takes.
async fn snapshot(store: &Store) -> Result<DatabaseTransaction> {
    let reader = store.reading();
    if reader.get_database_backend() != DbBackend::Postgres {
        return Ok(reader.begin().await?);
    }
    let snapshot =
        reader.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?;
    let patience = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
    snapshot.execute_unprepared(patience).await?;
    Ok(snapshot)
}

/// The last number that was given out, for each table whose rows the database numbers.
fn counters(backend: DbBackend) -> Statement {
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT c.table_name::text AS name, s.last_value AS last FROM information_schema.columns c \
             JOIN pg_sequences s ON format('%I.%I', s.schemaname, s.sequencename) \
                 = pg_get_serial_sequence(format('%I.%I', c.table_schema, c.table_name), c.column_name) \
             WHERE c.table_schema = current_schema() AND c.is_identity = 'YES'"
        }
        _ => "SELECT name, seq AS last FROM sqlite_sequence",
    };
    Statement::from_string(backend, sql)
}

async fn copy_blobs(
    store: &Store,
    writer: &mut Writer,
    mut blobs: Names,
    about: &About,
    tell: Tell<'_>,
) -> Result<u64> {
    let (total, mut done) = (blobs.count, 0);
    for name in blobs.read()? {
        let key = BlobKey::from_column(name.map_err(StoreError::corrupt)?);
        let sealed = store.blobs().sealed(&key).await?;
        if !key_of(&sealed).is_some_and(|id| about.keys.contains(&id)) {
            return Err(StoreError::corrupt(format!(
                "the blob {} is sealed with an unknown key",
                key.as_str()
            )));
        }
        writer.part(&format!("{}{}", archive::BLOBS, key.as_str()), sealed).await?;
        done += 1;
        tell(Progress::Blobs { done, total });
    }
    Ok(done)
}

/// Names of blobs, beside the backup: there may be more than memory is for. Gone with the value.
struct Names {
    file: PathBuf,
    writer: BufWriter<File>,
    count: u64,
}

impl Names {
    fn create(target: &Path) -> Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let file = target.with_file_name(format!(".{name}.{}.blobs", std::process::id()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        let made =
            made.map_err(|error| StoreError::corrupt(format!("can't write {}: {error}", file.display())))?;
        Ok(Self { file, writer: BufWriter::new(made), count: 0 })
    }

    fn add(&mut self, name: &str) -> Result<()> {
        self.count += 1;
        writeln!(self.writer, "{name}").map_err(StoreError::corrupt)
    }

    fn read(&mut self) -> Result<impl Iterator<Item = io::Result<String>> + use<>> {
        self.writer.flush().map_err(StoreError::corrupt)?;
        let file = File::open(&self.file).map_err(StoreError::corrupt)?;
        Ok(BufReader::new(file).lines())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(%error, file = %self.file.display(), "a leftover was not removed");
        }
    }
}
