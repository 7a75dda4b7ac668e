//! What the platform keeps: SQLite or PostgreSQL for rows, a folder or a bucket for states, plans and finished logs.
//!
//! The only crate with SQL. One module a noun; its functions take a [`Reader`] (the [`Store`] or a [`Tx`]) where they
//! look and a [`Tx`] where they change. Use cases open and commit transactions:
//!
//! ```text
//! let tx = store.begin().await?;
//! let job = jobs::insert(&tx, new_job, now).await?;
//! tx.commit().await?;          // events are written, then the doorbell rings
//! ```
//!
//! A dropped transaction is rolled back. Times and ids are truncated and bound in one place; status columns are written
//! by `transition`, `claim`, `release`, `start`, `finish`, `cancel`, `kill` and `lose_lease` alone, each with the old status in its
//! condition and an event beside it. Functions that take the whole [`Store`] keep content in the blob store before they
//! write the row that names it. Nothing here decides who may do what, and nothing reads a clock.

pub mod audit;
pub mod backup;
pub mod blobs;
pub mod components;
mod db;
pub mod doorbell;
mod error;
pub mod events;
pub mod idempotency;
pub mod identities;
pub mod jobs;
pub mod keys;
pub mod logs;
pub mod news;
mod page;
pub mod plans;
pub mod queue;
pub mod retention;
pub mod revisions;
pub mod runners;
mod schema;
pub mod seal;
pub mod settings;
pub mod specs;
pub mod states;
pub mod tokens;
pub mod zones;

pub use db::{Reader, Store, StoreConfig, Tx};
pub use error::{Conflict, StateRefusal, StoreError};
pub use page::{Page, PageRequest};

/// What functions of this crate return.
pub type Result<T> = std::result::Result<T, StoreError>;
