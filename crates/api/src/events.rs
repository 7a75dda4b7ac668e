//! What changed, as a stream of server-sent events.
//!
//! The id of an event is its number in the events table; `Last-Event-ID` resumes after it. A job's stream also
//! carries its log; log events have the id of the last event before them, joined with a log cursor: `<event>.<log>`.

use alethia_domain::{
    component::ComponentRef,
    ids::{JobId, SpecId},
    lifecycle::{ComponentStatus, JobStatus, JobType, SpecStatus},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{jobs::Failure, logs::LogChunk};

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Number; larger is later.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Spec it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_id: Option<SpecId>,
    /// Job it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// What.
    #[serde(flatten)]
    pub change: EventChange,
}

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
        /// Why it FAILED.
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

/// One message of a job's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StreamMessage {
    /// SSE event `change`.
    Change(Event),
    /// SSE event `log`.
    Log(LogChunk),
}
