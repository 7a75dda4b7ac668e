//! What people were told: every job whose making was acknowledged, and what the Console said wrongly to their faces.

use std::sync::{Mutex, PoisonError};

use alethia_api::{jobs::Job, logs::LogChunk};
use alethia_domain::ids::{JobId, SpecId};
use tokio_util::task::TaskTracker;

/// A job that somebody was told of.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) job: JobId,
    pub(crate) spec: SpecId,
    /// Whether a request to end it was acknowledged.
    pub(crate) cancelled: bool,
}

/// What somebody was told who followed a job.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub(crate) job: JobId,
    pub(crate) chunks: Vec<LogChunk>,
    /// Why it ended before the end.
    pub(crate) broke: Option<String>,
}

/// What people were told.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Those who follow a job.
    pub(crate) watchers: TaskTracker,
    followed: Mutex<Vec<Followed>>,
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

    pub(crate) fn followed(&self, followed: Followed) {
        lock(&self.followed).push(followed);
    }

    pub(crate) fn all_followed(&self) -> Vec<Followed> {
        lock(&self.followed).clone()
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
