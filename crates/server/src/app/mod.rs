//! Use cases: what the Console can be asked to do, free of transport. One file a noun.
//!
//! Each takes the proof that its caller may do that, decides by the lifecycles, and does its work in one transaction
//! with its audit entry. Each gives wire types: handlers and pages add nothing to them.

pub mod attempts;
mod audit;
pub mod backend;
mod check;
pub mod claims;
pub mod finish;
pub mod health;
pub mod identities;
pub mod jobs;
pub mod keys;
pub mod logs;
mod once;
mod page;
pub mod plans;
pub mod refusals;
mod reports;
pub mod revisions;
pub mod runners;
pub mod specs;
pub mod states;
pub mod stream;
pub mod tokens;
pub mod zones;

use std::{ops::Deref, sync::Arc};

use alethia_store::{Conflict, StateRefusal, Store, StoreError, logs::Appends, queue::Claims};
use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use self::{claims::Room, stream::Feeds};
use crate::{
    auth::{Failures, Remembered},
    config::Config,
    error::{Away, Error, Result},
    metrics::Metrics,
};

/// What use cases need. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// What use cases need.
pub struct Inner {
    /// What the platform keeps.
    pub store: Store,
    /// What the Console was told at its start.
    pub config: Config,
    /// What it counts.
    pub metrics: Metrics,
    /// Cancelled when the Console is told to end: it says that it is not ready, and goes on for a while.
    pub(crate) ending: CancellationToken,
    /// Cancelled when it ends.
    pub stop: CancellationToken,
    /// How many more streams may be opened.
    pub(crate) streams: Arc<Semaphore>,
    /// What streams of the same job share.
    pub(crate) feeds: Feeds,
    /// How often which address came without a valid token.
    pub(crate) failures: Failures,
    /// Job tokens that came lately.
    pub(crate) remembered: Remembered,
    /// Where appends to logs come together.
    pub(crate) appends: Appends,
    /// Where claims wait.
    pub(crate) room: Room,
    /// Where claims come together.
    pub(crate) claims: Claims,
    /// Rings when another key is to seal.
    pub(crate) rotated: Notify,
    /// How many more claims may wait.
    pub(crate) places: Arc<Semaphore>,
}

impl App {
    /// Use cases over an open store.
    pub fn new(store: Store, config: Config, stop: CancellationToken) -> Self {
        let streams = Arc::new(Semaphore::new(config.limits.streams));
        let places = Arc::new(Semaphore::new(config.limits.claims));
        let feeds = Feeds::default();
        let (ending, failures) = (CancellationToken::new(), Failures::default());
        let inner = Inner {
            store,
            config,
            metrics: Metrics::new(),
            stop,
            streams,
            feeds,
            room: Room::default(),
            claims: Claims::default(),
            rotated: Notify::new(),
            ending,
            failures,
            remembered: Remembered::default(),
            appends: Appends::default(),
            places,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The time, as exact as both databases keep it.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    /// What `work` gives; [`Error::Down`] as soon as the database does not answer any more, instead of all its patience.
    pub(crate) async fn while_available<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut available = self.store.available();
        tokio::select! {
            biased;
            Ok(_) = available.wait_for(|available| !*available) => {
                Err(Error::Down { what: "database", source: Box::new(Away) })
            }
            done = work => done,
        }
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { noun, key } => Self::not_found(noun, key),
            StoreError::Conflict(Conflict::IdempotencyMismatch) => Self::IdempotencyMismatch,
            StoreError::Conflict(conflict @ Conflict::ClaimedMeanwhile) => {
                Self::Unavailable(conflict.to_string())
            }
            StoreError::Conflict(conflict) => Self::conflict(conflict.to_string()),
            StoreError::Stale { .. } => Self::PreconditionFailed(error.to_string()),
            StoreError::Illegal(transition) => Self::illegal(&transition, Vec::new()),
            StoreError::LeaseLost { .. } => Self::LeaseLost,
            StoreError::StateRefused(StateRefusal::Malformed(what)) => {
                Self::Malformed(format!("the content is no Terraform state: {what}"))
            }
            StoreError::StateRefused(refusal) => Self::conflict(refusal.to_string()),
            StoreError::Unavailable { what, source } => Self::Down { what, source },
            StoreError::Corrupt(what) => Self::internal("reading what is kept", what),
        }
    }
}
