//! What people were told: every job whose making was acknowledged, and what the Console said wrongly to their faces.

use std::sync::{Mutex, PoisonError};

use alethia_api::jobs::Job;
use alethia_domain::ids::{JobId, SpecId};

/// A job that somebody was told of.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) job: JobId,
    pub(crate) spec: SpecId,
    /// Whether a request to end it was acknowledged.
    pub(crate) cancelled: bool,
}

/// What people were told.
#[derive(Debug, Default)]
pub(crate) struct History {
    made: Mutex<Vec<Made>>,
    wrong: Mutex<Vec<String>>,
}

impl History {
    pub(crate) fn made(&self, job: &Job) {
        lock(&self.made).push(Made { job: job.id, spec: job.spec_id, cancelled: false });
    }

    pub(crate) fn cancelled(&self, job: JobId) {
        lock(&self.made).iter_mut().filter(|made| made.job == job).for_each(|made| made.cancelled = true);
    }

    /// Something that must not be said or done.
    pub(crate) fn wrong(&self, what: String) {
        lock(&self.wrong).push(what);
    }

    pub(crate) fn all(&self) -> Vec<Made> {
        lock(&self.made).clone()
    }

    pub(crate) fn all_wrong(&self) -> Vec<String> {
        lock(&self.wrong).clone()
    }
}

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
