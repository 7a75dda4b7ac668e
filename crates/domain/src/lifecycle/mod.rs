//! The three lifecycles: what a job, a Spec and a component can go through.
//!
//! Each is an enum with one total `next`. Permissions, buttons and error texts are derived from it; nothing else
//! decides what may follow what. The status x event grids stand as snapshots beside the tests.

mod component;
mod job;
mod spec;

pub use component::{Change, ComponentEvent, ComponentStatus};
pub use job::{FailureReason, JobEvent, JobStatus, JobType, Lost};
pub use spec::{SpecEvent, SpecStatus};

/// An event that the current status does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject} is {status}, which does not allow {event}")]
pub struct IllegalTransition {
    /// What was to change: `job`, `spec` or `component`.
    pub subject: &'static str,
    /// Its status.
    pub status: &'static str,
    /// What was to happen to it.
    pub event: &'static str,
}
