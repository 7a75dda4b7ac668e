//! DRAFT -> QUEUED -> PROVISIONING -> ACTIVE -> DESTROYING -> DESTROYED, and FAILED from the two in which Terraform runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::IllegalTransition;

/// Where a Spec is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SpecStatus {
    /// Written, not yet deployed.
    Draft,
    /// A DEPLOY job waits for a Runner.
    Queued,
    /// A Runner applies it.
    Provisioning,
    /// It exists as described.
    Active,
    /// A Runner removes it.
    Destroying,
    /// It is gone.
    Destroyed,
    /// Provisioning or destruction failed; it can be tried again.
    Failed,
}

/// What can happen to a Spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecEvent {
    /// A DEPLOY job was created.
    QueueDeploy,
    /// A DEPLOY job ended before it started; the Spec gets its former status back.
    WithdrawDeploy(SpecStatus),
    /// A Runner started the DEPLOY job.
    StartDeploy,
    /// A DESTROY job was created.
    QueueDestroy,
    /// A Runner started the DESTROY job.
    StartDestroy,
    /// The job that was running succeeded.
    Succeed,
    /// The job that was running failed or was cancelled.
    Fail,
}

impl SpecStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Queued,
        Self::Provisioning,
        Self::Active,
        Self::Destroying,
        Self::Destroyed,
        Self::Failed,
    ];

    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Queued => "QUEUED",
            Self::Provisioning => "PROVISIONING",
            Self::Active => "ACTIVE",
            Self::Destroying => "DESTROYING",
            Self::Destroyed => "DESTROYED",
            Self::Failed => "FAILED",
        }
    }

    /// The status after an event.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub fn next(self, event: &SpecEvent) -> Result<Self, IllegalTransition> {
        use SpecEvent::{
            Fail, QueueDeploy, QueueDestroy, StartDeploy, StartDestroy, Succeed, WithdrawDeploy,
        };
        match (self, event) {
            (Self::Draft | Self::Active | Self::Failed | Self::Destroyed, QueueDeploy) => Ok(Self::Queued),
            (
                Self::Queued,
                WithdrawDeploy(former @ (Self::Draft | Self::Active | Self::Failed | Self::Destroyed)),
            ) => Ok(*former),
            (Self::Queued, StartDeploy) => Ok(Self::Provisioning),
            (Self::Active | Self::Failed, QueueDestroy) => Ok(self),
            (Self::Active | Self::Failed, StartDestroy) => Ok(Self::Destroying),
            (Self::Provisioning, Succeed) => Ok(Self::Active),
            (Self::Destroying, Succeed) => Ok(Self::Destroyed),
            (Self::Provisioning | Self::Destroying, Fail) => Ok(Self::Failed),
            (
                Self::Draft | Self::Destroyed,
                WithdrawDeploy(_) | StartDeploy | QueueDestroy | StartDestroy | Succeed | Fail,
            )
            | (
                Self::Queued,
                WithdrawDeploy(Self::Queued | Self::Provisioning | Self::Destroying)
                | QueueDeploy
                | QueueDestroy
                | StartDestroy
                | Succeed
                | Fail,
            )
            | (
                Self::Provisioning | Self::Destroying,
                QueueDeploy | WithdrawDeploy(_) | StartDeploy | QueueDestroy | StartDestroy,
            )
            | (Self::Active | Self::Failed, WithdrawDeploy(_) | StartDeploy | Succeed | Fail) => {
                Err(IllegalTransition { subject: "spec", status: self.as_str(), event: event.as_str() })
            }
        }
    }

    /// Whether it may be deployed.
    pub fn can_deploy(self) -> bool {
        self.next(&SpecEvent::QueueDeploy).is_ok()
    }

    /// Whether it may be destroyed.
    pub fn can_destroy(self) -> bool {
        self.next(&SpecEvent::QueueDestroy).is_ok()
    }
}

impl SpecEvent {
    /// The word in errors and snapshots.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::QueueDeploy => "deploy",
            Self::WithdrawDeploy(_) => "withdraw deploy",
            Self::StartDeploy => "start deploy",
            Self::QueueDestroy => "destroy",
            Self::StartDestroy => "start destroy",
            Self::Succeed => "succeed",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for SpecStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SpecStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text:?} is no spec status"))
    }
}
