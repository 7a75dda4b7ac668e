//! What changed, as a stream of server-sent events.
//!
//! The id of an event is its number in the events table; `Last-Event-ID` resumes after it. A job's stream also
//! carries its log; log events have the id of the last event before them, joined with a log cursor: `<event>.<log>`.

use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::logs::LogChunk;

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

/// One message of a job's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StreamMessage {
    /// SSE event `change`.
    Change(Event),
    /// SSE event `log`.
    Log(LogChunk),
}
