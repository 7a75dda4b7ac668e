//! Every behaviour of the store, on SQLite and on a throw-away PostgreSQL: the same functions for both.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

mod backup;
mod claims;
mod commits;
mod fixture;
mod identity;
mod jobs;
mod keys;
mod limits;
mod logs;
mod news;
mod plan_pin;
mod plans;
mod platform;
mod recovery;
mod retention;
mod schema;
mod specs;
mod states;
mod streams;
mod together;
mod upgrade;
mod waiting;
mod zones;
