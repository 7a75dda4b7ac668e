//! What the Console does, in its order, on the real store: each function is one use case in one transaction, without
//! who may do it, audit and HTTP. What follows from a loss, a success or a failure is `domain`'s to decide, here as there.
//!
//! A use case may be cut off in the middle (a database that goes away): nothing of it may be left then.

mod attempts;
mod jobs;
mod states;

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    event::Failure,
    ids::{JobId, SpecId},
    lifecycle::{FailureReason, JobType},
};
use alethia_store::{
    Result, StoreError, Tx, components,
    jobs::{Fence, Job},
    logs, revisions, runners, specs, zones,
};
use chrono::TimeDelta;

use crate::world::World;

/// How long an attempt is valid without a heartbeat.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A job that a person asks for.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) job_type: JobType,
    /// Whether a PLAN is of the removal.
    pub(crate) destroy: bool,
    /// The PLAN that a DEPLOY or DESTROY is bound to.
    pub(crate) plan: Option<JobId>,
    pub(crate) retry_of: Option<&'a Job>,
    pub(crate) label: Option<&'a str>,
    /// What makes a repeated request be done once.
    pub(crate) key: &'a str,
}

/// What a Revision wants: the databases of odd and even ones differ.
pub(crate) fn wanted(revision: u32) -> [ComponentRef; 2] {
    let name = if revision % 2 == 1 { "orders" } else { "events" };
    [ComponentRef::singleton(ComponentKind::Network), ComponentRef::named(ComponentKind::Database, name)]
}

pub(crate) fn failure(reason: FailureReason) -> Failure {
    Failure { reason, message: "it failed".to_owned(), address: None, hint: None }
}

/// What an attempt at a PLAN puts.
pub(crate) fn plan_file(fence: Fence) -> Vec<u8> {
    format!("plan of attempt {}", fence.attempt).into_bytes()
}

impl World<'_> {
    /// Commits, or is cut off before.
    async fn close(&self, tx: Tx) -> Result<()> {
        if self.cut_off.take() {
            drop(tx);
            return Err(StoreError::Unavailable { what: "database", source: "it was cut off".into() });
        }
        tx.commit().await
    }

    pub(crate) async fn set_limit(&self, zone: usize, max_jobs: Option<u32>) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        zones::limit(&tx, self.bench.zones[zone], max_jobs).await?;
        self.close(tx).await
    }

    /// Removes a Runner and registers another one in its place.
    pub(crate) async fn replace_runner(&mut self, number: usize) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let old = runners::get(&tx, self.runners[number]).await?;
        runners::remove(&tx, &old.name, self.now).await?;
        let name = format!("r{}", uuid::Uuid::now_v7().simple());
        let new = runners::NewRunner { token_hash: name.clone(), name, labels: Vec::new() };
        let new = runners::insert(&tx, &new, self.now).await?;
        self.close(tx).await?;
        self.runners[number] = new.id;
        Ok(())
    }

    pub(crate) async fn revise(&self, spec: SpecId) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let number = specs::get(&tx, spec).await?.revision + 1;
        revisions::append(&tx, spec, None, &self.bench.revision(number), self.now).await?;
        components::sync(&tx, spec, &wanted(number), self.now).await?;
        self.close(tx).await
    }

    /// Moves the logs of jobs that are over to the blob store.
    pub(crate) async fn compact(&self) -> Result<()> {
        for job in logs::to_compact(&self.bench.store, 50).await? {
            logs::compact(&self.bench.store, job).await?;
        }
        Ok(())
    }
}
