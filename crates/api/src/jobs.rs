//! Jobs: units of work that Runners execute.

use alethia_domain::{
    event::Failure,
    ids::{JobId, RunnerId, SpecId},
    lifecycle::{JobStatus, JobType},
    plan::{PlanDigest, PlanSummary},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// What it does.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// Where it is.
    pub status: JobStatus,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// Name of the Spec.
    pub spec: String,
    /// Zone of the Spec.
    pub zone: String,
    /// Revision it works from.
    pub revision: u32,
    /// Plan it applies, for a DEPLOY or DESTROY that is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_job_id: Option<JobId>,
    /// Job that it tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// Whether a PLAN looks at the removal of everything.
    pub destroy: bool,
    /// Try that is the current one; 0 before the first.
    pub attempt: u32,
    /// Whether a person asked to end it.
    pub cancel_requested: bool,
    /// Whether a person then asked to kill what it runs.
    #[serde(default)]
    pub kill_requested: bool,
    /// Why it waits; only of a QUEUED job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Runner that has or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_id: Option<RunnerId>,
    /// Name of that Runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// Labels that a Runner must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_labels: Vec<String>,
    /// How far it is.
    pub progress: Progress,
    /// Why it FAILED, or is CANCELLED without a word of its Runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Whether its plan changes anything; only of a PLAN with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_changes: Option<bool>,
    /// Digest of its plan; only of a PLAN with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<PlanDigest>,
    /// Who asked for it.
    pub author: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a Runner started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// Why a job waits, as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// The kind of reason.
    pub reason: WaitReason,
    /// What it waits for, as the end of a sentence that begins with "waits for".
    pub detail: String,
    /// Its place in the line of all jobs that wait, 1 for the first; absent beyond the first thousand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// How many are before it, at most a thousand.
    pub ahead: u32,
}

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Another job of its Spec.
    JobOfSpec,
    /// Its Zone runs as many jobs as it may.
    ZoneFull,
    /// An attempt was lost; the next one waits a while.
    HeldBack,
    /// The only Runner that may have it is not there.
    RunnerOffline,
    /// No Runner that may have it is there.
    NoRunner,
    /// Every Runner that may have it has work.
    RunnersBusy,
    /// Nothing but its turn.
    Turn,
}

/// How a job is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelJob {
    /// Kill what it runs, whatever that leaves behind. Only after it was asked to end in order, and only as admin.
    #[serde(default)]
    pub force: bool,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Step that runs: `prepare`, `credentials`, `init`, `plan`, `apply`, `destroy`, `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Resources that are done.
    pub done: u32,
    /// Resources in all; 0 before it is known.
    pub total: u32,
}

/// A job to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// PLAN, DEPLOY or DESTROY.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// Plan to apply exactly; it must have ended with success and still fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_job_id: Option<JobId>,
    /// For a PLAN: look at the removal of everything.
    #[serde(default)]
    pub destroy: bool,
    /// The Spec's name, repeated: needed to DESTROY a production Spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// Labels that a Runner must have, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_labels: Vec<String>,
    /// The only Runner that may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_runner_id: Option<RunnerId>,
}

impl NewJob {
    /// A job that is bound to no plan and that any Runner may have.
    pub fn new(job_type: JobType) -> Self {
        Self {
            job_type,
            plan_job_id: None,
            destroy: false,
            confirm: None,
            required_labels: Vec::new(),
            assigned_runner_id: None,
        }
    }
}

/// Which jobs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// Only those of this Spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_id: Option<SpecId>,
    /// Only those with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// How many rows, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The plan that a PLAN job made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The job.
    pub job_id: JobId,
    /// What it is bound to.
    pub digest: PlanDigest,
    /// What it would change.
    pub summary: PlanSummary,
}
