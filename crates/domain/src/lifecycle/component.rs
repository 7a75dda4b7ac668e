//! PENDING, CREATING, ACTIVE, UPDATING, FAILED, DESTROYING, DESTROYED: each component by itself, driven by Terraform.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::IllegalTransition;

/// Where a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ComponentStatus {
    /// Awaiting first provisioning.
    Pending,
    /// Being created.
    Creating,
    /// It exists as described.
    Active,
    /// A change is being applied.
    Updating,
    /// Creation, change or removal failed.
    Failed,
    /// Being torn down.
    Destroying,
    /// Gone.
    Destroyed,
}

/// What Terraform does to a component as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing.
    None,
    /// Make it.
    Create,
    /// Change it, parts of it made or removed included.
    Update,
    /// Remove something it consists of and make it anew.
    Replace,
    /// Remove it.
    Destroy,
}

/// What can happen to a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentEvent {
    /// Terraform began to make or change it.
    Build,
    /// Terraform began to remove it.
    Remove,
    /// All that was to be made or changed is; or there was nothing to do.
    Settle,
    /// All of it is gone.
    Vanish,
    /// Something of it failed.
    Fail,
}

impl ComponentStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Creating,
        Self::Active,
        Self::Updating,
        Self::Failed,
        Self::Destroying,
        Self::Destroyed,
    ];

    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Failed => "FAILED",
            Self::Destroying => "DESTROYING",
            Self::Destroyed => "DESTROYED",
        }
    }

    /// What the success of a job means for it, whatever was reported: it is there if it was wanted, and gone if not. `None`
    /// when it is so already.
    pub const fn at_success(self, is_wanted: bool) -> Option<ComponentEvent> {
        match (is_wanted, self) {
            (true, Self::Active) | (false, Self::Destroyed) => None,
            (true, _) => Some(ComponentEvent::Settle),
            (false, _) => Some(ComponentEvent::Vanish),
        }
    }

    /// Whether something is being done to it. A job that fails leaves no component so.
    pub const fn is_in_progress(self) -> bool {
        match self {
            Self::Creating | Self::Updating | Self::Destroying => true,
            Self::Pending | Self::Active | Self::Failed | Self::Destroyed => false,
        }
    }

    /// The status after an event.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub fn next(self, event: &ComponentEvent) -> Result<Self, IllegalTransition> {
        use ComponentEvent::{Build, Fail, Remove, Settle, Vanish};
        match (self, event) {
            (Self::Pending | Self::Creating | Self::Failed | Self::Destroyed, Build) => Ok(Self::Creating),
            (Self::Active | Self::Updating, Build) => Ok(Self::Updating),
            (
                Self::Pending
                | Self::Creating
                | Self::Active
                | Self::Updating
                | Self::Failed
                | Self::Destroying,
                Remove,
            ) => Ok(Self::Destroying),
            (Self::Pending | Self::Creating | Self::Active | Self::Updating | Self::Failed, Settle) => {
                Ok(Self::Active)
            }
            (
                Self::Pending
                | Self::Creating
                | Self::Active
                | Self::Updating
                | Self::Failed
                | Self::Destroying
                | Self::Destroyed,
                Vanish,
            ) => Ok(Self::Destroyed),
            (
                Self::Pending
                | Self::Creating
                | Self::Active
                | Self::Updating
                | Self::Failed
                | Self::Destroying,
                Fail,
            ) => Ok(Self::Failed),
            (Self::Destroying, Build | Settle) | (Self::Destroyed, Remove | Settle | Fail) => {
                Err(IllegalTransition { subject: "component", status: self.as_str(), event: event.as_str() })
            }
        }
    }
}

impl Change {
    /// The word in the API and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Destroy => "destroy",
        }
    }
}

impl ComponentEvent {
    /// Every event.
    pub const ALL: [Self; 5] = [Self::Build, Self::Remove, Self::Settle, Self::Vanish, Self::Fail];

    /// The word in errors and snapshots.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Remove => "remove",
            Self::Settle => "settle",
            Self::Vanish => "vanish",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for ComponentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ComponentStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text:?} is no component status"))
    }
}
