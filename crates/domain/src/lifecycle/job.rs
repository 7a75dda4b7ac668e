//! QUEUED -> CLAIMED -> PROCESSING -> SUCCESS | FAILED | CANCELLED.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::IllegalTransition;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobType {
    /// Verify that cloud credentials work.
    ConnectionTest,
    /// Discover what exists in the cloud.
    FetchResources,
    /// Initialize the workspace.
    Bootstrap,
    /// Find out what a deployment would change.
    Plan,
    /// Change the cloud to what the Spec says.
    Deploy,
    /// Remove everything the Spec has in the cloud.
    Destroy,
    /// Provision Runner infrastructure.
    DeployWorker,
    /// Tear down Runner infrastructure.
    DestroyWorker,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Waiting for a Runner.
    Queued,
    /// A Runner has it and prepares.
    Claimed,
    /// Terraform runs.
    Processing,
    /// Done.
    Success,
    /// Ended with an error.
    Failed,
    /// Ended by a person.
    Cancelled,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// A Runner takes it.
    Claim,
    /// The Runner gives it back: it ends, and has not begun.
    Release,
    /// The Runner begins.
    Start,
    /// A person asks to end it.
    Cancel,
    /// The Runner reports success.
    Succeed,
    /// The Runner reports an error.
    Fail,
    /// The Runner reports that it ended the work because it was asked to.
    AcknowledgeCancel,
    /// The lease ended without a sign of the Runner.
    LoseLease(Lost),
}

/// What a lost lease means for a job that was being processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It only read and has tries left: it may run again.
    Retry,
    /// It may have changed something, or has no tries left: a person decides.
    Abandon,
}

/// Why a job FAILED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Terraform said no.
    Terraform,
    /// The plan no longer fits: something changed since it was made.
    PlanOutdated,
    /// The Runner could not prepare: no Terraform, no disk, no credentials.
    Runner,
    /// The Runner was lost in the middle.
    RunnerLost,
    /// It took longer than allowed.
    Timeout,
}

/// How often a job that only reads is tried.
const MOST_ATTEMPTS: u32 = 3;
/// Pause before the second try; it doubles with every further one.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);

impl Lost {
    /// What becomes of a job whose Runner fell silent. One that was only claimed runs again in any case.
    pub const fn of(job_type: JobType, status: JobStatus, attempt: u32) -> Self {
        match status {
            JobStatus::Processing if job_type.is_mutating() || attempt >= MOST_ATTEMPTS => Self::Abandon,
            JobStatus::Queued
            | JobStatus::Claimed
            | JobStatus::Processing
            | JobStatus::Success
            | JobStatus::Failed
            | JobStatus::Cancelled => Self::Retry,
        }
    }

    /// How long a job waits after an attempt was lost before it runs again.
    pub fn pause(attempt: u32) -> TimeDelta {
        FIRST_PAUSE * 2_i32.pow(attempt.saturating_sub(1).min(8))
    }
}

impl JobType {
    /// Every type.
    pub const ALL: [Self; 8] = [
        Self::ConnectionTest,
        Self::FetchResources,
        Self::Bootstrap,
        Self::Plan,
        Self::Deploy,
        Self::Destroy,
        Self::DeployWorker,
        Self::DestroyWorker,
    ];

    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionTest => "CONNECTION_TEST",
            Self::FetchResources => "FETCH_RESOURCES",
            Self::Bootstrap => "BOOTSTRAP",
            Self::Plan => "PLAN",
            Self::Deploy => "DEPLOY",
            Self::Destroy => "DESTROY",
            Self::DeployWorker => "DEPLOY_WORKER",
            Self::DestroyWorker => "DESTROY_WORKER",
        }
    }

    /// Whether it may change the cloud, and so is never run again without being asked.
    pub const fn is_mutating(self) -> bool {
        match self {
            Self::ConnectionTest | Self::FetchResources | Self::Plan => false,
            Self::Bootstrap | Self::Deploy | Self::Destroy | Self::DeployWorker | Self::DestroyWorker => true,
        }
    }

    /// Which job is taken first; larger is sooner.
    pub const fn priority(self) -> i16 {
        match self {
            Self::Deploy | Self::Destroy => 20,
            Self::Plan => 10,
            Self::ConnectionTest
            | Self::FetchResources
            | Self::Bootstrap
            | Self::DeployWorker
            | Self::DestroyWorker => 0,
        }
    }
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Claimed, Self::Processing, Self::Success, Self::Failed, Self::Cancelled];

    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Claimed => "CLAIMED",
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Claimed | Self::Processing => false,
            Self::Success | Self::Failed | Self::Cancelled => true,
        }
    }

    /// The status after an event.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub fn next(self, event: &JobEvent) -> Result<Self, IllegalTransition> {
        use JobEvent::{AcknowledgeCancel, Cancel, Claim, Fail, LoseLease, Release, Start, Succeed};
        match (self, event) {
            (Self::Queued, Claim) => Ok(Self::Claimed),
            (Self::Queued | Self::Claimed, Cancel) => Ok(Self::Cancelled),
            (Self::Claimed, Start) => Ok(Self::Processing),
            (Self::Claimed, Release | LoseLease(Lost::Retry | Lost::Abandon)) => Ok(Self::Queued),
            (Self::Processing, Cancel) => Ok(Self::Processing),
            (Self::Processing, Succeed) => Ok(Self::Success),
            (Self::Processing, Fail | LoseLease(Lost::Abandon)) => Ok(Self::Failed),
            (Self::Processing, AcknowledgeCancel) => Ok(Self::Cancelled),
            (Self::Processing, LoseLease(Lost::Retry)) => Ok(Self::Queued),
            (Self::Queued, Release | Start | Succeed | Fail | AcknowledgeCancel | LoseLease(_))
            | (Self::Claimed, Claim | Succeed | Fail | AcknowledgeCancel)
            | (Self::Processing, Claim | Release | Start)
            | (
                Self::Success | Self::Failed | Self::Cancelled,
                Claim | Release | Start | Cancel | Succeed | Fail | AcknowledgeCancel | LoseLease(_),
            ) => Err(IllegalTransition { subject: "job", status: self.as_str(), event: event.as_str() }),
        }
    }

    /// Whether a person may have the same done again, as a new job.
    pub const fn can_retry(self) -> bool {
        match self {
            Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Claimed | Self::Processing | Self::Success => false,
        }
    }

    /// Whether a person may ask to end it.
    pub fn can_cancel(self) -> bool {
        self.next(&JobEvent::Cancel).is_ok()
    }
}

impl JobEvent {
    /// Every event.
    pub const ALL: [Self; 9] = [
        Self::Claim,
        Self::Release,
        Self::Start,
        Self::Cancel,
        Self::Succeed,
        Self::Fail,
        Self::AcknowledgeCancel,
        Self::LoseLease(Lost::Retry),
        Self::LoseLease(Lost::Abandon),
    ];

    /// The word in errors and snapshots.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Start => "start",
            Self::Cancel => "cancel",
            Self::Succeed => "succeed",
            Self::Fail => "fail",
            Self::AcknowledgeCancel => "acknowledge cancel",
            Self::LoseLease(Lost::Retry) => "lose lease (retry)",
            Self::LoseLease(Lost::Abandon) => "lose lease (abandon)",
        }
    }
}

impl FailureReason {
    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::PlanOutdated => "plan_outdated",
            Self::Runner => "runner",
            Self::RunnerLost => "runner_lost",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for JobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|job_type| job_type.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text:?} is no job type"))
    }
}

impl FromStr for JobStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("{text:?} is no job status; they are {all}")
        })
    }
}
