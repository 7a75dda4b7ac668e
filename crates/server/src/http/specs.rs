//! Specs and their Revisions. The ETag of a Spec is the number of its newest Revision.

use alethia_api::{
    page::{Page, PageQuery},
    specs::{
        DiffQuery, PutSpec, Revision, RevisionDetail, RevisionDiff, Rollback, Spec, SpecDetail, SpecQuery,
    },
};
use alethia_domain::ids::SpecId;
use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};

use super::extract::{Body, Id, IdempotencyKey, Precondition, Query, Segments};
use crate::{
    app::{self, App, specs::Written},
    auth::{Admin, Operator, Viewer},
    error::Result,
};

type Tagged = ([(HeaderName, String); 1], Json<SpecDetail>);

/// Writes a new Revision, and makes the Spec where there is none. The same document again makes no Revision.
#[utoipa::path(put, path = "/zones/{zone}/specs/{name}", tag = "Specs", request_body = PutSpec,
    params(("zone" = String, Path), ("name" = String, Path),
        ("if-match" = Option<String>, Header, description = "Only if this Revision is still the newest, such as \"3\""),
        ("if-none-match" = Option<String>, Header, description = "`*`: only if there is no such Spec")),
    responses((status = 200, description = "The Spec", body = SpecDetail),
        (status = 201, description = "The new Spec", body = SpecDetail)))]
pub(super) async fn put(
    operator: Operator,
    State(app): State<App>,
    Segments((zone, name)): Segments<(String, String)>,
    Precondition(expected): Precondition,
    Body(put): Body<PutSpec>,
) -> Result<(StatusCode, Tagged)> {
    let (written, spec) = app::specs::put(&app, &operator, &zone, &name, put, expected).await?;
    let status = match written {
        Written::Created => StatusCode::CREATED,
        Written::Revised | Written::Unchanged => StatusCode::OK,
    };
    Ok((status, tagged(spec)))
}

/// A Spec by Zone and name.
#[utoipa::path(get, path = "/zones/{zone}/specs/{name}", tag = "Specs",
    params(("zone" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The Spec", body = SpecDetail)))]
pub(super) async fn get_by_name(
    viewer: Viewer,
    State(app): State<App>,
    Segments((zone, name)): Segments<(String, String)>,
) -> Result<Tagged> {
    app::specs::get_by_name(&app, &viewer, &zone, &name).await.map(tagged)
}

/// Specs, newest first.
#[utoipa::path(get, path = "/specs", tag = "Specs", params(SpecQuery),
    responses((status = 200, description = "A page of Specs", body = Page<Spec>)))]
pub(super) async fn list(
    viewer: Viewer,
    State(app): State<App>,
    Query(query): Query<SpecQuery>,
) -> Result<Json<Page<Spec>>> {
    app::specs::list(&app, &viewer, &query).await.map(Json)
}

/// A Spec by id.
#[utoipa::path(get, path = "/specs/{id}", tag = "Specs", params(("id" = SpecId, Path)),
    responses((status = 200, description = "The Spec", body = SpecDetail)))]
pub(super) async fn get(viewer: Viewer, State(app): State<App>, Id(id): Id<SpecId>) -> Result<Tagged> {
    app::specs::get(&app, &viewer, id).await.map(tagged)
}

/// Deletes a Spec that has nothing in the cloud.
#[utoipa::path(delete, path = "/specs/{id}", tag = "Specs", params(("id" = SpecId, Path)),
    responses((status = 204, description = "It is gone")))]
pub(super) async fn delete(admin: Admin, State(app): State<App>, Id(id): Id<SpecId>) -> Result<StatusCode> {
    app::specs::delete(&app, &admin, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Revisions, newest first.
#[utoipa::path(get, path = "/specs/{id}/revisions", tag = "Specs", params(("id" = SpecId, Path), PageQuery),
    responses((status = 200, description = "A page of Revisions", body = Page<Revision>)))]
pub(super) async fn revisions(
    viewer: Viewer,
    State(app): State<App>,
    Id(id): Id<SpecId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Revision>>> {
    app::revisions::list(&app, &viewer, id, &page).await.map(Json)
}

/// One Revision with its document.
#[utoipa::path(get, path = "/specs/{id}/revisions/{number}", tag = "Specs",
    params(("id" = SpecId, Path), ("number" = u32, Path)),
    responses((status = 200, description = "The Revision", body = RevisionDetail)))]
pub(super) async fn revision(
    viewer: Viewer,
    State(app): State<App>,
    Segments((id, number)): Segments<(SpecId, u32)>,
) -> Result<Json<RevisionDetail>> {
    app::revisions::get(&app, &viewer, id, number).await.map(Json)
}

/// What differs between two Revisions; the last two when none is named.
#[utoipa::path(get, path = "/specs/{id}/diff", tag = "Specs", params(("id" = SpecId, Path), DiffQuery),
    responses((status = 200, description = "What differs", body = RevisionDiff)))]
pub(super) async fn diff(
    viewer: Viewer,
    State(app): State<App>,
    Id(id): Id<SpecId>,
    Query(query): Query<DiffQuery>,
) -> Result<Json<RevisionDiff>> {
    app::revisions::diff(&app, &viewer, id, &query).await.map(Json)
}

/// Makes an older Revision the newest again, as a new Revision.
#[utoipa::path(post, path = "/specs/{id}/rollback", tag = "Specs", request_body = Rollback,
    params(("id" = SpecId, Path),
        ("if-match" = Option<String>, Header, description = "Only if this Revision is still the newest, such as \"3\""),
        ("idempotency-key" = Option<String>, Header, description = "Under one key it is done once")),
    responses((status = 200, description = "The Spec", body = SpecDetail)))]
pub(super) async fn rollback(
    operator: Operator,
    State(app): State<App>,
    Id(id): Id<SpecId>,
    Precondition(expected): Precondition,
    IdempotencyKey(key): IdempotencyKey,
    Body(rollback): Body<Rollback>,
) -> Result<Tagged> {
    app::revisions::rollback(&app, &operator, id, rollback, expected, key).await.map(tagged)
}

fn tagged(spec: SpecDetail) -> Tagged {
    ([(header::ETAG, format!("\"{}\"", spec.spec.revision))], Json(spec))
}
