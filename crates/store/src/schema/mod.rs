//! The schema, forward only. One SQL text for both databases: PostgreSQL takes the type names for what they are, SQLite
//! takes any. Only a number that the database gives out is written differently, and that is a placeholder.
//!
//! A migration that was released is never edited; a change is a new file.

use alethia_domain::component::ComponentKind;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait::async_trait,
};

use crate::Result;

const FIRST: &str = include_str!("0001_first.sql");

/// Any number, the same in every Console: only one migrates at a time.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(4121955001)";

struct Migrator;

struct First;

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First)]
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

/// Brings the schema up to date, in one transaction.
pub(crate) async fn migrate(connection: &DatabaseConnection) -> Result<()> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_raw(Statement::from_string(DbBackend::Postgres, MIGRATION_LOCK)).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await?;
    Ok(())
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
