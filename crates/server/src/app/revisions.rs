//! Revisions of a Spec: looked at, compared, brought back. Bringing one back makes a new one, so that history only grows.

use alethia_api::{
    page::{Page, PageQuery},
    specs::{DiffQuery, FieldChange, Revision, RevisionDetail, RevisionDiff, Rollback, SpecDetail},
};
use alethia_domain::{ids::SpecId, spec};
use alethia_store::{components, revisions, specs};
use serde_json::json;

use super::{
    App, audit,
    once::Once,
    page,
    specs::{Expected, detail, must_be_expected, must_stay_in_place, resolve, revision},
};
use crate::{
    auth::{Operator, Viewer},
    error::{Error, Result},
};

/// Revisions, the newest first.
///
/// # Errors
/// When there is no such Spec, or the query is wrong.
pub async fn list(app: &App, _: &Viewer, spec: SpecId, query: &PageQuery) -> Result<Page<Revision>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    specs::get(&app.store, spec).await?;
    let page = revisions::list(&app.store, spec, request).await?;
    Ok(page::answer(page, view))
}

/// One Revision with its document.
///
/// # Errors
/// When there is none.
pub async fn get(app: &App, _: &Viewer, spec: SpecId, number: u32) -> Result<RevisionDetail> {
    let found = revisions::get(&app.store, spec, number).await?;
    Ok(RevisionDetail { revision: view(found.revision), document: found.document })
}

/// What differs between two Revisions; the last two when none is named.
///
/// # Errors
/// When there is no such Revision, or there is none before the newest.
pub async fn diff(app: &App, _: &Viewer, spec: SpecId, query: &DiffQuery) -> Result<RevisionDiff> {
    let newest = specs::get(&app.store, spec).await?.revision;
    let to = query.to.unwrap_or(newest);
    let from = query.from.unwrap_or(to.saturating_sub(1));
    if from == 0 {
        return Err(Error::field("from", format!("revision {to} is the first; there is none before it")));
    }
    let older = revisions::get(&app.store, spec, from).await?;
    let newer = revisions::get(&app.store, spec, to).await?;
    let changes = spec::diff(&older.document, &newer.document).into_iter().map(change).collect();
    Ok(RevisionDiff { from, to, changes })
}

/// Makes an older Revision the newest again, as a new Revision.
///
/// # Errors
/// When there is no such Revision, its document is not valid any more, or the Spec is not as expected.
pub async fn rollback(
    app: &App,
    operator: &Operator,
    id: SpecId,
    rollback: Rollback,
    expected: Expected,
    key: Option<String>,
) -> Result<SpecDetail> {
    let once = Once::new(operator, key, format!("specs/{id}/rollback"), &rollback);
    let (tx, now) = (app.store.begin().await?, app.now());
    if let Some(spec) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(spec);
    }
    specs::lock(&tx, id).await?;
    let current = specs::get(&tx, id).await?;
    must_be_expected(expected, Some(&current))?;
    let older = revisions::get(&tx, id, rollback.revision).await?;
    let document = resolve(&older.document)?;
    let message = Some(format!("roll back to revision {}", rollback.revision));
    let new = revision(&tx, &document, older.document, &operator.name, message).await?;
    must_stay_in_place(&tx, &current, &new).await?;
    if rollback.revision != current.revision {
        revisions::append(&tx, id, Some(current.revision), &new, now).await?;
        components::sync(&tx, id, &document.components(), now).await?;
        audit::done(&tx, &operator.name, "spec.rollback", id, json!({ "to": rollback.revision }), now);
    }
    let spec = detail(&tx, id).await?;
    once.keep(&tx, &spec).await?;
    tx.commit().await?;
    Ok(spec)
}

fn view(revision: revisions::Revision) -> Revision {
    let revisions::Revision { number, hash, author, message, created_at } = revision;
    Revision { number, hash, author, message, created_at }
}

fn change(change: spec::FieldChange) -> FieldChange {
    let spec::FieldChange { path, before, after } = change;
    FieldChange { path, before, after }
}
