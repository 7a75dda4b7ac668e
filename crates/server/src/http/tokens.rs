//! API tokens.

use alethia_api::{
    page::{Page, PageQuery},
    tokens::{CreatedToken, NewToken, Token},
};
use alethia_domain::ids::TokenId;
use axum::{Json, extract::State, http::StatusCode};

use super::extract::{Body, Id, IdempotencyKey, Query};
use crate::{
    app::{self, App},
    auth::Owner,
    error::Result,
};

/// API tokens, newest first, without their secrets.
#[utoipa::path(get, path = "/tokens", tag = "Tokens", params(PageQuery),
    responses((status = 200, description = "A page of tokens", body = Page<Token>)))]
pub(super) async fn list(
    owner: Owner,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>> {
    app::tokens::list(&app, &owner, &page).await.map(Json)
}

/// Makes an API token; its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/tokens", tag = "Tokens", request_body = NewToken,
    params(("idempotency-key" = Option<String>, Header, description = "Under one key it is done once; for a day its answer comes again, with the secret")),
    responses((status = 201, description = "The token and its secret", body = CreatedToken)))]
pub(super) async fn create(
    owner: Owner,
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>)> {
    let token = app::tokens::create(&app, &owner, new, key).await?;
    Ok((StatusCode::CREATED, Json(token)))
}

/// Revokes an API token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "Tokens", params(("id" = TokenId, Path)),
    responses((status = 204, description = "It is worthless now")))]
pub(super) async fn delete(owner: Owner, State(app): State<App>, Id(id): Id<TokenId>) -> Result<StatusCode> {
    app::tokens::revoke(&app, &owner, id).await.map(|()| StatusCode::NO_CONTENT)
}
