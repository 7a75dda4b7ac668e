//! Lines of a job's log, in chunks numbered from 1 without a gap inside one attempt.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Several lines that were written together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogChunk {
    /// Attempt that wrote it.
    pub attempt: u32,
    /// Number in the attempt, from 1.
    pub sequence: u64,
    /// When the Runner closed it.
    pub at: DateTime<Utc>,
    /// Redacted text of whole lines, at most 64 KiB.
    pub text: String,
}

/// Which chunks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Only chunks after this cursor: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many chunks, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// Only lines with this text, whatever the case of its letters, 1 to 200 bytes. A page may then be empty though more
    /// follows; where there is no `next`, the end was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}
