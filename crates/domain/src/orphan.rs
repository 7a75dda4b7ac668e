//! Locks on states that were left behind: the attempt that took one is over, and nobody releases it any more.
//!
//! Why one was left says how much to trust what the state tells: a Runner that was lost, or a Terraform that was killed,
//! may have made more than it wrote down. `alethia recover` makes a plan of the difference.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a lock was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrphanReason {
    /// The Runner was lost while Terraform held it.
    RunnerLost,
    /// A person had Terraform killed.
    Killed,
    /// The job ended, and Terraform had not released it.
    LeftBehind,
}

impl OrphanReason {
    /// The word in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunnerLost => "runner_lost",
            Self::Killed => "killed",
            Self::LeftBehind => "left_behind",
        }
    }

    /// The same as part of a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::RunnerLost => "its Runner was lost",
            Self::Killed => "its Terraform was killed",
            Self::LeftBehind => "it ended without releasing it",
        }
    }
}

impl fmt::Display for OrphanReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
