//! Tables and columns as the schema has them, and rows as lines of JSON.
//!
//! Both databases have the same declared types, so one reader and one writer of values serve both. A column that holds
//! nothing is left out of its line; JSON `null` in a column of JSON is something.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, QueryResult, Statement, Value as Bound};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Result, StoreError};

/// What is not part of a platform: which Consoles run, what is to be removed, and what the migrator notes itself.
const LEFT_OUT: [&str; 3] = ["consoles", "discarded_blobs", "seaql_migrations"];

const POSTGRES: &str = "SELECT c.table_name::text AS name, c.column_name::text AS field, c.data_type::text AS kind \
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
    WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
    ORDER BY c.table_name, c.ordinal_position";
const SQLITE: &str = "SELECT m.name AS name, p.name AS field, p.type AS kind \
    FROM sqlite_master m JOIN pragma_table_info(m.name) p \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid";

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Uuid,
    Time,
    Json,
    Whole,
    Flag,
    Text,
    Bytes,
}

/// The statement that reads the columns of all tables.
pub(super) fn catalog(backend: DbBackend) -> Statement {
    let sql = if backend == DbBackend::Postgres { POSTGRES } else { SQLITE };
    Statement::from_string(backend, sql)
}

/// The tables of a platform, from the answer to [`catalog`].
pub(super) fn tables(rows: &[QueryResult]) -> Result<Vec<Table>> {
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows {
        let (table, name): (String, String) = (row.try_get("", "name")?, row.try_get("", "field")?);
        if LEFT_OUT.contains(&table.as_str()) {
            continue;
        }
        let kind = Kind::of(&row.try_get::<String>("", "kind")?).ok_or_else(|| {
            StoreError::corrupt(format!("the column {name} of {table} is of a type that no backup knows"))
        })?;
        tables.entry(table).or_default().push(Column { name, kind });
    }
    Ok(tables.into_iter().map(|(name, columns)| Table { name, columns }).collect())
}

impl Table {
    /// Whether its rows name blobs.
    pub(super) fn names_blobs(&self) -> bool {
        self.columns.iter().any(|column| column.name == "blob")
    }

    pub(super) fn select(&self, backend: DbBackend) -> Statement {
        Statement::from_string(backend, format!("SELECT {} FROM {}", self.columns(), self.name))
    }

    /// A row as a line.
    pub(super) fn line(&self, row: &QueryResult) -> Result<Map<String, Value>> {
        let mut line = Map::new();
        for Column { name, kind } in &self.columns {
            if let Some(value) = kind.read(row, name)? {
                line.insert(name.clone(), value);
            }
        }
        Ok(line)
    }

    /// How many rows fit into one statement; SQLite has the lower limit.
    pub(super) fn most_rows(&self) -> usize {
        (30_000 / self.columns.len().max(1)).clamp(1, 500)
    }

    /// The statement that writes lines.
    pub(super) fn insert(&self, backend: DbBackend, lines: &[Map<String, Value>]) -> Result<Statement> {
        let overriding = if backend == DbBackend::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
        let places = crate::events::places(lines.len(), self.columns.len());
        let sql = format!("INSERT INTO {} ({}){overriding} VALUES {places}", self.name, self.columns());
        let mut values = Vec::with_capacity(lines.len() * self.columns.len());
        for line in lines {
            if let Some(unknown) =
                line.keys().find(|key| self.columns.iter().all(|column| column.name != **key))
            {
                return Err(StoreError::corrupt(format!("there is no column {unknown} in {}", self.name)));
            }
            for Column { name, kind } in &self.columns {
                values.push(kind.bind(line.get(name)).ok_or_else(|| {
                    StoreError::corrupt(format!("{name} of a row of {} can't be read", self.name))
                })?);
            }
        }
        Ok(Statement::from_sql_and_values(backend, sql, values))
    }

    fn columns(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }
}

impl Kind {
    fn of(declared: &str) -> Option<Self> {
        Some(match declared.to_ascii_lowercase().as_str() {
            "uuid" => Self::Uuid,
            "timestamptz" | "timestamp with time zone" => Self::Time,
            "jsonb" => Self::Json,
            "bigint" | "integer" => Self::Whole,
            "boolean" => Self::Flag,
            "text" => Self::Text,
            "bytea" => Self::Bytes,
            _ => return None,
        })
    }

    fn read(self, row: &QueryResult, name: &str) -> Result<Option<Value>> {
        Ok(match self {
            Self::Uuid => row.try_get::<Option<Uuid>>("", name)?.map(|id| id.to_string().into()),
            Self::Time => row.try_get::<Option<DateTime<Utc>>>("", name)?.map(|at| at.to_rfc3339().into()),
            Self::Json => row.try_get::<Option<Value>>("", name)?,
            Self::Whole => row.try_get::<Option<i64>>("", name)?.map(Value::from),
            Self::Flag => row.try_get::<Option<bool>>("", name)?.map(Value::from),
            Self::Text => row.try_get::<Option<String>>("", name)?.map(Value::from),
            Self::Bytes => {
                row.try_get::<Option<Vec<u8>>>("", name)?.map(|bytes| STANDARD.encode(bytes).into())
            }
        })
    }

    /// The value to bind; `None` when it is not of this kind.
    fn bind(self, value: Option<&Value>) -> Option<Bound> {
        let text = value.and_then(Value::as_str);
        Some(match (self, value) {
            (Self::Uuid, None) => Bound::Uuid(None),
            (Self::Uuid, Some(_)) => Bound::Uuid(Some(text?.parse().ok()?)),
            (Self::Time, None) => Bound::ChronoDateTimeUtc(None),
            (Self::Time, Some(_)) => Bound::ChronoDateTimeUtc(Some(text?.parse().ok()?)),
            (Self::Json, None) => Bound::Json(None),
            (Self::Json, Some(value)) => Bound::Json(Some(Box::new(value.clone()))),
            (Self::Whole, None) => Bound::BigInt(None),
            (Self::Whole, Some(value)) => Bound::BigInt(Some(value.as_i64()?)),
            (Self::Flag, None) => Bound::Bool(None),
            (Self::Flag, Some(value)) => Bound::Bool(Some(value.as_bool()?)),
            (Self::Text, None) => Bound::String(None),
            (Self::Text, Some(_)) => Bound::String(Some(text?.to_owned())),
            (Self::Bytes, None) => Bound::Bytes(None),
            (Self::Bytes, Some(_)) => Bound::Bytes(Some(STANDARD.decode(text?).ok()?)),
        })
    }
}
