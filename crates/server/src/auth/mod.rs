//! Who asks, and what they may do. Use cases take one of these types as proof; only this module makes them.
//!
//! Three kinds of callers, three kinds of tokens, and none is taken for another: people and programs ([`Viewer`],
//! [`Operator`], [`Admin`], [`Owner`]), Runners ([`RunnerCaller`]), attempts at jobs ([`Attempt`]). Only SHA-256 of
//! tokens is kept; what is looked up is that digest, so a comparison tells nothing about the token itself.
//!
//! Refusals of a known caller go to the audit log (`http::audit`); requests without a valid token do not, because
//! anybody could fill it with them: they are counted and logged.

mod attempt;
mod credential;
mod failures;
mod person;
mod runner;

use std::sync::{Arc, OnceLock};

pub(crate) use attempt::Remembered;
pub use attempt::{Attempt, FormerAttempt};
pub(crate) use failures::Failures;
pub use person::{Admin, Operator, Owner, Person, Viewer};
pub use runner::RunnerCaller;

/// Where extractors leave the name of the caller, for the audit log.
#[derive(Clone, Default)]
pub(crate) struct Actor(Arc<OnceLock<String>>);

impl Actor {
    /// Who it was, if that is known.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Keeps the name; the first one counts.
    fn is(parts: &axum::http::request::Parts, name: &str) {
        if let Some(actor) = parts.extensions.get::<Self>() {
            actor.0.get_or_init(|| name.to_owned());
        }
    }
}
