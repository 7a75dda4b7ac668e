//! Statements and rows: values are bound and columns are read in one place.
//!
//! What goes in is made fit here: times keep microseconds (PostgreSQL has no more), text has no NUL (PostgreSQL refuses
//! it). Every whole number is a BIGINT. Words such as statuses go in by `as_str` and come out by serde.

use std::fmt::Display;

use alethia_domain::{
    component::ComponentKind,
    ids::{CloudIdentityId, JobId, RunnerId, SpecId, TokenId, ZoneId},
    lifecycle::{ComponentStatus, JobStatus, JobType, SpecStatus},
    orphan::OrphanReason,
    role::Role,
    spec::Provider,
    stage::Stage,
};
use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable, Value};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Store, Tx};
use crate::{Result, StoreError};

/// Something that rows can be read from: the [`Store`], which sees what is committed, or a [`Tx`], which also sees
/// what it did itself.
pub trait Reader: Sync {
    #[doc(hidden)]
    fn connection(&self) -> Connection<'_>;
}

/// What a [`Reader`] reads with.
pub struct Connection<'a>(pub(super) Kind<'a>);

pub(super) enum Kind<'a> {
    Pool(&'a DatabaseConnection),
    Transaction(&'a Tx),
}

impl Reader for Store {
    fn connection(&self) -> Connection<'_> {
        Connection(Kind::Pool(self.reading()))
    }
}

impl Reader for Tx {
    fn connection(&self) -> Connection<'_> {
        Connection(Kind::Transaction(self))
    }
}

impl Connection<'_> {
    pub(crate) fn backend(&self) -> DbBackend {
        match self.0 {
            Kind::Pool(pool) => pool.get_database_backend(),
            Kind::Transaction(tx) => tx.backend(),
        }
    }

    async fn query(self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        match self.0 {
            Kind::Pool(pool) => Ok(pool.query_all_raw(statement).await?),
            Kind::Transaction(tx) => tx.query(statement).await,
        }
    }
}

/// Queries, for everything that rows can be read from.
pub(crate) trait Query: Reader {
    /// Every row.
    fn all(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<Vec<Row>>> + Send {
        async move { Ok(self.connection().query(sql, values).await?.into_iter().map(Row).collect()) }
    }

    /// The first row, if there is one.
    fn optional(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<Option<Row>>> + Send {
        async move { Ok(self.all(sql, values).await?.into_iter().next()) }
    }

    /// The first row, which is always there.
    fn one(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<Row>> + Send {
        async move {
            let row = self.optional(sql, values).await?;
            row.ok_or_else(|| StoreError::corrupt("a statement gave no row where it always gives one"))
        }
    }

    /// Whether this is PostgreSQL.
    fn is_postgres(&self) -> bool {
        self.connection().backend() == DbBackend::Postgres
    }
}

impl<R: Reader> Query for R {}

/// One row of an answer.
pub(crate) struct Row(QueryResult);

impl Row {
    pub(crate) fn get<T: TryGetable>(&self, column: &str) -> Result<T> {
        Ok(self.0.try_get("", column)?)
    }

    /// A whole number of any width.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| StoreError::corrupt(format!("{column} holds {number}")))
    }

    pub(crate) fn optional_number<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>> {
        let number: Option<i64> = self.get(column)?;
        number.map(|_| self.number(column)).transpose()
    }

    /// A status, a kind, a role: what serde reads from a plain string.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let word: String = self.get(column)?;
        parse(column, serde_json::from_value(word.into()))
    }

    pub(crate) fn optional_word<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let word: Option<String> = self.get(column)?;
        word.map(|word| parse(column, serde_json::from_value(word.into()))).transpose()
    }

    /// A JSON column.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let value: serde_json::Value = self.get(column)?;
        parse(column, serde_json::from_value(value))
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let value: Option<serde_json::Value> = self.get(column)?;
        value.map(|value| parse(column, serde_json::from_value(value))).transpose()
    }

    /// A document that is kept as text, so that it comes back as it went in.
    pub(crate) fn document(&self, column: &str) -> Result<serde_json::Value> {
        let text: String = self.get(column)?;
        parse(column, serde_json::from_str(&text))
    }

    /// An id.
    pub(crate) fn id<T: Id>(&self, column: &str) -> Result<T> {
        self.get(column).map(T::from_uuid)
    }

    pub(crate) fn optional_id<T: Id>(&self, column: &str) -> Result<Option<T>> {
        let id: Option<Uuid> = self.get(column)?;
        Ok(id.map(T::from_uuid))
    }
}

fn parse<T>(column: &str, parsed: serde_json::Result<T>) -> Result<T> {
    parsed.map_err(|error| StoreError::corrupt(format!("{column} can't be read: {error}")))
}

/// A typed id.
pub(crate) trait Id {
    fn from_uuid(id: Uuid) -> Self;
}

/// Something that can be bound.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value;
}

/// Values of a statement, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::ToValue::to_value(&$value)),*] };
}
pub(crate) use values;

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl Id for $name {
            fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl ToValue for $name {
            fn to_value(&self) -> Value {
                self.0.into()
            }
        }

        impl ToValue for Option<$name> {
            fn to_value(&self) -> Value {
                self.map(|id| id.0).into()
            }
        }
    )*};
}
ids!(CloudIdentityId, JobId, RunnerId, SpecId, TokenId, ZoneId);

macro_rules! words {
    ($($name:ident),*) => {$(
        impl ToValue for $name {
            fn to_value(&self) -> Value {
                self.as_str().into()
            }
        }

        impl ToValue for Option<$name> {
            fn to_value(&self) -> Value {
                self.map(|word| word.as_str()).into()
            }
        }
    )*};
}
words!(ComponentKind, ComponentStatus, JobStatus, JobType, OrphanReason, Role, SpecStatus, Stage);

impl ToValue for Provider {
    fn to_value(&self) -> Value {
        match self {
            Self::Aws => "aws".into(),
        }
    }
}

impl ToValue for DateTime<Utc> {
    fn to_value(&self) -> Value {
        self.trunc_subsecs(6).into()
    }
}

impl ToValue for Option<DateTime<Utc>> {
    fn to_value(&self) -> Value {
        self.map(|time| time.trunc_subsecs(6)).into()
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        self.replace('\0', "\u{fffd}").into()
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        self.as_str().to_value()
    }
}

impl ToValue for Option<String> {
    fn to_value(&self) -> Value {
        self.as_deref().to_value()
    }
}

impl ToValue for Option<&str> {
    fn to_value(&self) -> Value {
        self.map(|text| text.replace('\0', "\u{fffd}")).into()
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value {
        self.clone().into()
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (*self).to_value()
    }
}

macro_rules! numbers {
    ($($name:ty),*) => {$(
        impl ToValue for $name {
            fn to_value(&self) -> Value {
                i64::try_from(*self).unwrap_or(i64::MAX).into()
            }
        }
    )*};
}
numbers!(i16, u16, u32, u64, i64, usize);

impl ToValue for Option<u32> {
    fn to_value(&self) -> Value {
        self.map(i64::from).into()
    }
}

impl ToValue for Option<u64> {
    fn to_value(&self) -> Value {
        self.map(|number| i64::try_from(number).unwrap_or(i64::MAX)).into()
    }
}

impl ToValue for Option<i64> {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl ToValue for Uuid {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl ToValue for Option<Uuid> {
    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

/// A JSON column's value, without the NUL that PostgreSQL refuses.
pub(crate) fn json(value: &impl serde::Serialize) -> Value {
    let value = serde_json::to_value(value).expect("what the domain holds always serializes");
    Value::from(without_nul(value))
}

/// A document as text.
pub(crate) fn text(value: &serde_json::Value) -> String {
    value.to_string()
}

fn without_nul(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match value {
        String(text) => String(text.replace('\0', "\u{fffd}")),
        Array(items) => Array(items.into_iter().map(without_nul).collect()),
        Object(fields) => Object(
            fields
                .into_iter()
                .map(|(key, value)| (key.replace('\0', "\u{fffd}"), without_nul(value)))
                .collect(),
        ),
        Null | Bool(_) | Number(_) => value,
    }
}

/// `key` in words, for an error.
pub(crate) fn found<T>(row: Option<T>, noun: &'static str, key: impl Display) -> Result<T> {
    row.ok_or_else(|| StoreError::not_found(noun, key.to_string()))
}
