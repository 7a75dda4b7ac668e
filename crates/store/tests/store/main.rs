//! Every behaviour of the store, on SQLite and on a throw-away PostgreSQL: the same functions for both.

mod claims;
mod fixture;
mod identity;
mod jobs;
mod logs;
mod plans;
mod schema;
mod specs;
mod states;
mod streams;
mod zones;
