//! Why a use case did not do what it was asked: the one vocabulary of `app`, free of transport.
//!
//! `http::problem` turns it into a response, in that one place; whoever adds a page does the same once. A refusal says
//! what is allowed instead wherever the lifecycles know it.

use alethia_api::problem::FieldProblem;
use alethia_domain::{lifecycle::IllegalTransition, role::Role};
use serde_json::Value;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong.
    #[error("the request has {}", faults(.0))]
    Invalid(Vec<FieldProblem>),
    /// The request can't be read at all.
    #[error("{0}")]
    Malformed(String),
    /// There is no such thing.
    #[error("there is no {what} {name}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which name or id.
        name: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The state of things does not allow it.
    #[error("{detail}")]
    Conflict {
        /// What stands against it.
        detail: String,
        /// What is allowed now.
        permitted: Vec<&'static str>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Something was changed in between.
    #[error("{0}")]
    PreconditionFailed(String),
    /// The Idempotency-Key was used with another request.
    #[error("this Idempotency-Key was used before with another request")]
    IdempotencyMismatch,
    /// The attempt that wrote is not the current one.
    #[error("this attempt at the job is over; nothing was changed")]
    LeaseLost,
    /// The state is locked by somebody else, whose lock this is.
    #[error("the state is locked")]
    StateLocked(Value),
    /// No or a wrong token.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The token may not do that.
    #[error("this needs the role {needed}; {name} is {role}")]
    Forbidden {
        /// Who asked.
        name: String,
        /// What that token is.
        role: Role,
        /// What it would need to be.
        needed: Role,
    },
    /// The body, page or file is larger than allowed.
    #[error("{what} is larger than the {limit} bytes allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not now; try again.
    #[error("{0}")]
    Unavailable(String),
    /// Something that the Console stands on does not answer; trying again may help.
    #[error("the {what} is not available")]
    Down {
        /// What does not answer.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A fault of the Console.
    #[error("the Console failed at {doing}")]
    Internal {
        /// What it was doing.
        doing: &'static str,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why something is [`Error::Down`] that was not even asked: it is known to be, and that was logged when it began.
#[derive(Debug, thiserror::Error)]
#[error("it does not answer")]
pub(crate) struct Away;

/// What a use case gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One wrong field.
    pub fn field(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { path: path.into(), message: message.into() }])
    }

    /// There is no such thing, and nothing to add.
    pub fn not_found(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound { what, name: name.to_string(), hint: None }
    }

    /// The state of things stands against it, and nothing to add.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict { detail: detail.into(), permitted: Vec::new(), hint: None }
    }

    /// What a status does not allow, with what it allows.
    pub fn illegal(transition: &IllegalTransition, permitted: Vec<&'static str>) -> Self {
        Self::Conflict { detail: transition.to_string(), permitted, hint: None }
    }

    /// A fault of the Console.
    pub fn internal(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { doing, source: source.into() }
    }
}

fn faults(problems: &[FieldProblem]) -> String {
    match problems {
        [one] => format!("a fault in {}: {}", one.path, one.message),
        many => format!("faults in {} fields", many.len()),
    }
}
