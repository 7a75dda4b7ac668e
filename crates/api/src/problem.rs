//! What went wrong, as RFC 9457 problem details.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// URI of the kind of problem: `about:blank` or `/docs/errors#code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The kind of problem as a word for programs.
    pub code: Code,
    /// Faults of single fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// What is allowed in the current state instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<String>,
    /// What to do about it, as a command or a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A fault of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Path of the field, such as `databases[1].capacity.min`.
    pub path: String,
    /// What is wrong with it, what is allowed, a hint.
    pub message: String,
}

/// The kind of problem as a word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Fields are wrong.
    Invalid,
    /// No or a wrong token.
    Unauthenticated,
    /// The token may not do that.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The state of things does not allow it.
    Conflict,
    /// Something else was changed in between: read it again (If-Match).
    PreconditionFailed,
    /// The Idempotency-Key was used with another request.
    IdempotencyMismatch,
    /// The attempt that wrote is not the current one.
    LeaseLost,
    /// The state is locked by somebody else.
    StateLocked,
    /// The body, page or file is larger than allowed.
    TooLarge,
    /// Not now; try again.
    Unavailable,
    /// A fault of the Console.
    Internal,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        // The detail of a single fault says it already.
        for error in self.errors.iter().filter(|error| !self.detail.contains(&error.message)) {
            write!(f, "\n  {}: {}", error.path, error.message)?;
        }
        if !self.permitted.is_empty() {
            write!(f, "; allowed now: {}", self.permitted.join(", "))?;
        }
        Ok(())
    }
}
