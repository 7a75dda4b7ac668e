//! The audit entry of something done, in the transaction that does it. Refusals are in `refusals`.

use alethia_store::{Tx, audit};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Keeps that `actor` did `action` to `subject`.
pub(super) fn done(
    tx: &Tx,
    actor: &str,
    action: &str,
    subject: impl ToString,
    detail: Value,
    now: DateTime<Utc>,
) {
    let (actor, action, subject) = (actor.to_owned(), action.to_owned(), subject.to_string());
    let entry = audit::Entry { actor, action, subject, allowed: true, detail };
    audit::append(tx, entry, now);
}

/// Nothing else is to be known.
pub(super) fn nothing() -> Value {
    json!({})
}
