//! Refusals of known callers, kept in the audit log. Called from one place, with the answer that was given.

use alethia_store::audit;
use serde_json::json;

use super::App;
use crate::error::Result;

/// Keeps that `actor` was refused `action` (a method and the pattern of a route) on `subject` (the path).
///
/// # Errors
/// When the database is not available.
pub async fn record(app: &App, actor: &str, action: &str, subject: &str, status: u16) -> Result<()> {
    let tx = app.store.begin().await?;
    let entry = audit::Entry {
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        allowed: false,
        detail: json!({ "status": status }),
    };
    audit::append(&tx, entry, app.now());
    Ok(tx.commit().await?)
}
