//! Specs: written as Revisions, never changed in place.
//!
//! A document is checked again here, whoever checked it before: what a Revision holds can be deployed.

use alethia_api::{
    page::Page,
    problem::FieldProblem,
    specs::{Component, PutSpec, Spec, SpecDetail, SpecQuery},
};
use alethia_domain::{
    ids::{SpecId, ZoneId},
    plan::{canonical_json, sha256_hex},
    spec::{self, Document},
};
use alethia_store::{Reader, StoreError, Tx, components, identities, revisions, specs, states};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{App, audit, check, page, zones};
use crate::{
    auth::{Admin, Operator, Viewer},
    error::{Error, Result},
};

/// What the Spec must be like for a write to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Anything,
    /// There is one.
    Existing,
    /// There is none.
    Nothing,
    /// This Revision is its newest.
    Revision(u32),
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It made the Spec.
    Created,
    /// It made a Revision.
    Revised,
    /// Nothing: the document is the one of the newest Revision.
    Unchanged,
}

/// Writes a new Revision, and makes the Spec where there is none.
///
/// # Errors
/// When the document is wrong, or the Spec is not as expected.
pub async fn put(
    app: &App,
    operator: &Operator,
    zone: &str,
    name: &str,
    put: PutSpec,
    expected: Expected,
) -> Result<(Written, SpecDetail)> {
    check::text("message", put.message.as_deref())?;
    let document = resolve(&put.document)?;
    must_be(&document, zone, name)?;
    let (tx, now) = (app.store.begin().await?, app.now());
    let zone = zones::to_write(&tx, zone).await?;
    let existing = locked(&tx, zone.id, name).await?;
    let new = revision(&tx, &document, put.document, &operator.name, put.message).await?;
    if !is_written(&tx, expected, existing.as_ref(), &new.hash).await? {
        must_be_expected(expected, existing.as_ref())?;
    }
    let (written, id) = match existing {
        None => (Written::Created, specs::insert(&tx, zone.id, name, &new, now).await?),
        Some(spec) => {
            must_stay_in_place(&tx, &spec, &new).await?;
            (append(&tx, &spec, &new, now).await?, spec.id)
        }
    };
    if written != Written::Unchanged {
        components::sync(&tx, id, &document.components(), now).await?;
        audit::done(&tx, &operator.name, "spec.put", id, json!({ "hash": new.hash }), now);
    }
    let spec = detail(&tx, id).await?;
    tx.commit().await?;
    Ok((written, spec))
}

/// A Spec by id.
///
/// # Errors
/// When there is none.
pub async fn get(app: &App, _: &Viewer, id: SpecId) -> Result<SpecDetail> {
    detail(&app.store, id).await
}

/// A Spec by Zone and name.
///
/// # Errors
/// When there is none.
pub async fn get_by_name(app: &App, _: &Viewer, zone: &str, name: &str) -> Result<SpecDetail> {
    let zone = zones::by_name(&app.store, zone).await?;
    let spec = specs::find(&app.store, zone.id, name).await?;
    let spec = spec.ok_or_else(|| Error::not_found("spec", format!("{}/{name}", zone.name)))?;
    detail(&app.store, spec.id).await
}

/// Specs, the newest first.
///
/// # Errors
/// When the query is wrong, or there is no such Zone.
pub async fn list(app: &App, _: &Viewer, query: &SpecQuery) -> Result<Page<Spec>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let zone = match &query.zone {
        Some(name) => Some(zones::by_name(&app.store, name).await?.id),
        None => None,
    };
    let page = specs::list(&app.store, zone, request).await?;
    Ok(page::answer(page, view))
}

/// Deletes a Spec that has nothing in the cloud.
///
/// # Errors
/// When there is none, or it may still have something in the cloud.
pub async fn delete(app: &App, admin: &Admin, id: SpecId) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    let spec = specs::get(&tx, id).await?;
    specs::delete(&tx, id).await?;
    let detail = json!({ "zone": spec.zone, "name": spec.name });
    audit::done(&tx, &admin.name, "spec.delete", id, detail, now);
    Ok(tx.commit().await?)
}

/// A document with its defaults, or everything that is wrong with it.
pub(super) fn resolve(written: &Value) -> Result<Document> {
    spec::resolve(written).map_err(|problems| Error::Invalid(problems.into_iter().map(fault).collect()))
}

/// The Revision that a document makes.
pub(super) async fn revision(
    tx: &Tx,
    document: &Document,
    written: Value,
    author: &str,
    message: Option<String>,
) -> Result<revisions::NewRevision> {
    let identity = identities::by_name(tx, &document.cloud.identity).await;
    let identity = identity.map_err(|error| match error {
        StoreError::NotFound { .. } => Error::field(
            "cloud.identity",
            format!("there is no Cloud Identity {:?}; an admin makes one", document.cloud.identity),
        ),
        other => other.into(),
    })?;
    Ok(revisions::NewRevision {
        stage: document.stage,
        provider: document.cloud.provider,
        region: document.cloud.region.clone(),
        identity_id: identity.id,
        hash: sha256_hex(&canonical_json(&written)),
        document: written,
        author: author.to_owned(),
        message,
    })
}

/// A Spec with its document and its components.
pub(super) async fn detail(reader: &impl Reader, id: SpecId) -> Result<SpecDetail> {
    let spec = specs::get(reader, id).await?;
    let newest = revisions::get(reader, id, spec.revision).await?;
    let components = components::list(reader, id).await?;
    let components = components.into_iter().map(component).collect();
    Ok(SpecDetail { spec: view(spec), document: newest.document, components })
}

/// Whether the Revision after the expected one is this document already: the same request, whose answer was lost.
async fn is_written(tx: &Tx, expected: Expected, existing: Option<&specs::Spec>, hash: &str) -> Result<bool> {
    match (expected, existing) {
        (Expected::Revision(number), Some(spec)) if number.checked_add(1) == Some(spec.revision) => {
            Ok(revisions::get(tx, spec.id, spec.revision).await?.revision.hash == hash)
        }
        _ => Ok(false),
    }
}

/// Whether a Spec is as a write expects it.
pub(super) fn must_be_expected(expected: Expected, existing: Option<&specs::Spec>) -> Result<()> {
    match (expected, existing) {
        (Expected::Anything, _) | (Expected::Existing, Some(_)) | (Expected::Nothing, None) => Ok(()),
        (Expected::Revision(number), Some(spec)) if number == spec.revision => Ok(()),
        (Expected::Revision(number), Some(spec)) => Err(Error::PreconditionFailed(format!(
            "the spec is at revision {} now, not {number}: somebody changed it in between",
            spec.revision
        ))),
        (Expected::Revision(_) | Expected::Existing, None) => {
            Err(Error::PreconditionFailed("there is no such spec yet".to_owned()))
        }
        (Expected::Nothing, Some(spec)) => Err(Error::PreconditionFailed(format!(
            "the spec is there already, at revision {}",
            spec.revision
        ))),
    }
}

/// What exists in the cloud is found again only where it was made: while there is something, a Spec stays in its region
/// and does not change between the sandbox and a real cloud. It also stays in its stage, which is part of every name and
/// which protects production: a file of another environment with the same name shall not replace this one.
pub(super) async fn must_stay_in_place(
    tx: &Tx,
    spec: &specs::Spec,
    new: &revisions::NewRevision,
) -> Result<()> {
    let resources = states::current(tx, spec.id).await?.map_or(0, |state| state.resources);
    if resources == 0 && spec.active_job.is_none() {
        return Ok(());
    }
    let refuse = |path: &str, place: &str| {
        let message =
            format!("it has something in {place}; destroy it first, or write another Spec beside it");
        Err(Error::field(path, message))
    };
    if spec.stage != new.stage {
        return refuse("stage", &format!("the {} environment", spec.stage));
    }
    if (spec.provider, &spec.region) != (new.provider, &new.region) {
        return refuse("cloud.region", &spec.region);
    }
    let old = identities::get(tx, spec.identity_id).await?;
    let next = identities::get(tx, new.identity_id).await?;
    if old.access.as_str() != next.access.as_str() {
        return refuse("cloud.identity", &format!("the cloud that {} leads into", old.name));
    }
    Ok(())
}

/// The Spec of that name, taken for this transaction.
async fn locked(tx: &Tx, zone: ZoneId, name: &str) -> Result<Option<specs::Spec>> {
    let Some(found) = specs::find(tx, zone, name).await? else { return Ok(None) };
    specs::lock(tx, found.id).await?;
    Ok(Some(specs::get(tx, found.id).await?))
}

async fn append(
    tx: &Tx,
    spec: &specs::Spec,
    new: &revisions::NewRevision,
    now: DateTime<Utc>,
) -> Result<Written> {
    let newest = revisions::get(tx, spec.id, spec.revision).await?;
    if newest.revision.hash == new.hash {
        return Ok(Written::Unchanged);
    }
    revisions::append(tx, spec.id, Some(spec.revision), new, now).await?;
    Ok(Written::Revised)
}

fn must_be(document: &Document, zone: &str, name: &str) -> Result<()> {
    let fault = |path: &str, found: &str, asked: &str| FieldProblem {
        path: path.to_owned(),
        message: format!("it is {found:?}, but the address says {asked:?}"),
    };
    let zone_fault = (document.zone != zone).then(|| fault("zone", &document.zone, zone));
    let name_fault = (document.name != name).then(|| fault("name", &document.name, name));
    let faults: Vec<FieldProblem> = zone_fault.into_iter().chain(name_fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn fault(problem: spec::Problem) -> FieldProblem {
    let path = problem.path.clone();
    let message = spec::Problem { path: String::new(), ..problem }.to_string();
    FieldProblem { path, message }
}

fn view(spec: specs::Spec) -> Spec {
    Spec {
        id: spec.id,
        zone_id: spec.zone_id,
        zone: spec.zone,
        name: spec.name,
        stage: spec.stage,
        provider: spec.provider,
        region: spec.region,
        identity: spec.identity,
        status: spec.status,
        status_reason: spec.status_reason,
        revision: spec.revision,
        deployed_revision: spec.deployed_revision,
        active_job: spec.active_job,
        created_at: spec.created_at,
        updated_at: spec.updated_at,
    }
}

fn component(component: components::Component) -> Component {
    let components::Component { component, status, status_reason, outputs, updated_at } = component;
    Component { component, status, status_reason, outputs, updated_at }
}
