//! The schema, forward only. One SQL text for both databases: PostgreSQL takes the type names for what they are, SQLite
//! takes any. Only a number that the database gives out is written differently, and that is a placeholder.
//!
//! A migration that was released is never edited; a change is a new file.

use alethia_domain::component::ComponentKind;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait::async_trait,
};

use crate::{Result, StoreError};

const FIRST: &str = include_str!("0001_first.sql");

/// Only one Console migrates at a time (any number, the same in all), and it takes the time that it takes.
const MIGRATE_ALONE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
    SELECT pg_advisory_xact_lock(4121955001)";

/// What changed since, in this order.
const CHANGES: [Change; 8] = [
    Change { name: "0002_zone_limits", sql: include_str!("0002_zone_limits.sql") },
    Change { name: "0003_orphaned_locks", sql: include_str!("0003_orphaned_locks.sql") },
    Change { name: "0004_forced_cancel", sql: include_str!("0004_forced_cancel.sql") },
    Change { name: "0005_queue_turns", sql: include_str!("0005_queue_turns.sql") },
    Change { name: "0006_searched_jobs", sql: include_str!("0006_searched_jobs.sql") },
    Change { name: "0007_sealing_keys", sql: include_str!("0007_sealing_keys.sql") },
    Change { name: "0008_live_specs", sql: include_str!("0008_live_specs.sql") },
    Change { name: "0009_waiting_jobs", sql: include_str!("0009_waiting_jobs.sql") },
];

struct Migrator;

struct First;

/// A file of the schema that is nothing but SQL.
#[derive(Clone, Copy)]
struct Change {
    name: &'static str,
    sql: &'static str,
}

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all: Vec<Box<dyn MigrationTrait>> = vec![Box::new(First)];
        all.extend(CHANGES.map(|change| Box::new(change) as Box<dyn MigrationTrait>));
        all
    }
}

impl MigrationName for First {
    fn name(&self) -> &str {
        "0001_first"
    }
}

#[async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(&for_backend(FIRST, connection.get_database_backend())).await?;
        for kind in ComponentKind::ALL {
            connection.execute_unprepared(&component_view(kind)).await?;
        }
        Ok(())
    }
}

impl MigrationName for Change {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(&for_backend(self.sql, connection.get_database_backend())).await?;
        Ok(())
    }
}

/// Brings the schema up to date, in one transaction.
pub(crate) async fn migrate(connection: &DatabaseConnection) -> Result<()> {
    let transaction = up::<Migrator>(connection, None).await?;
    transaction.commit().await?;
    Ok(())
}

/// Brings an empty database to where it was after so many migrations. The caller commits.
pub(crate) async fn migrate_to(connection: &DatabaseConnection, steps: usize) -> Result<DatabaseTransaction> {
    up::<Migrator>(connection, u32::try_from(steps).ok()).await
}

/// Names of all migrations, in their order.
pub(crate) fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Refuses a database that is not exactly where this version would bring it.
pub(crate) async fn must_be_current(connection: &DatabaseConnection) -> Result<()> {
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let all = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection
        .query_all_raw(all)
        .await
        .map_err(|_| StoreError::corrupt("there is no platform in this database"))?;
    let applied: Vec<String> =
        rows.iter().map(|row| row.try_get("", "version")).collect::<std::result::Result<_, _>>()?;
    if applied == names() {
        return Ok(());
    }
    Err(StoreError::corrupt(
        "the database was written by another version of alethia; use the version that its Console runs",
    ))
}

async fn up<M: MigratorTrait>(
    connection: &DatabaseConnection,
    steps: Option<u32>,
) -> Result<DatabaseTransaction> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(MIGRATE_ALONE).await?;
    }
    M::up(&transaction, steps).await.map_err(explain)?;
    Ok(transaction)
}

/// The one thing that the migrator says in words of its own is that it does not know a migration that was applied.
fn explain(error: DbErr) -> StoreError {
    match error {
        DbErr::Custom(_) => StoreError::corrupt(
            "the database was written by a later version of alethia; run that version, or restore a backup",
        ),
        other => other.into(),
    }
}

fn for_backend(sql: &str, backend: DbBackend) -> String {
    let counter = match backend {
        DbBackend::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
    };
    sql.replace("{counter}", counter)
}

/// The relation that people know by the name of the section, such as `spec_databases`.
fn component_view(kind: ComponentKind) -> String {
    format!(
        "CREATE VIEW spec_{section} AS SELECT id, spec_id, name, status, status_reason, outputs, \
         outputs ->> 'endpoint' AS endpoint, outputs ->> 'arn' AS arn, created_at, updated_at \
         FROM components WHERE kind = '{kind}'",
        section = kind.section(),
    )
}

#[cfg(test)]
mod tests {
    use alethia_testkit::postgres::Postgres;
    use sea_orm::Database;

    use super::*;

    /// The next version, whose last change does not fit.
    struct Broken;

    #[async_trait]
    impl MigratorTrait for Broken {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let sql =
                "ALTER TABLE zones ADD COLUMN half TEXT; UPDATE zones SET half = 'x'; SELECT no FROM nowhere";
            let mut all = Migrator::migrations();
            all.push(Box::new(Change { name: "9999_broken", sql }));
            all
        }
    }

    #[tokio::test]
    async fn a_migration_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite://{}?mode=rwc", folder.path().join("alethia.db").display());
        for url in [sqlite, Postgres::shared().unwrap().create_database().unwrap()] {
            let connection = Database::connect(&url).await.unwrap();
            migrate(&connection).await.unwrap();
            assert!(up::<Broken>(&connection, None).await.is_err());
            assert!(connection.execute_unprepared("SELECT half FROM zones").await.is_err());
            must_be_current(&connection).await.unwrap();
            migrate(&connection).await.unwrap();
        }
    }
}
