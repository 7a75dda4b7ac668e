//! What changes on the platform, as the events table keeps it and streams tell it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    component::ComponentRef,
    lifecycle::{ComponentStatus, FailureReason, JobStatus, JobType, SpecStatus},
};

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventChange {
    /// A Spec has a new Revision.
    RevisionAdded {
        /// Its number.
        revision: u32,
    },
    /// A Spec's status changed.
    SpecChanged {
        /// What it is now.
        status: SpecStatus,
    },
    /// A job was made or its status changed.
    JobChanged {
        /// What it does.
        job_type: JobType,
        /// What it is now.
        status: JobStatus,
        /// The current attempt.
        attempt: u32,
        /// Whether it is to end.
        cancel_requested: bool,
        /// Whether what it runs is to be killed.
        #[serde(default)]
        kill_requested: bool,
        /// Why it FAILED, or is CANCELLED without a word of its Runner.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A job came further.
    JobProgressed {
        /// Step that runs.
        step: String,
        /// Resources that are done.
        done: u32,
        /// Resources in all.
        total: u32,
    },
    /// A component changed.
    ComponentChanged {
        /// Which.
        component: ComponentRef,
        /// What it is now.
        status: ComponentStatus,
        /// Why, when it FAILED.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Resources of it that are done.
        done: u32,
        /// Resources of it in all.
        total: u32,
    },
}

/// Why a job FAILED.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// The kind of reason.
    pub reason: FailureReason,
    /// What happened, first line first.
    pub message: String,
    /// Terraform address of the resource it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
