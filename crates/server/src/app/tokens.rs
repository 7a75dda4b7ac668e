//! API tokens: made by an owner, shown once, revoked at any time. The owner's own is made at the first start.

use alethia_api::{
    page::{Page, PageQuery},
    tokens::{CreatedToken, NewToken, Token},
};
use alethia_domain::{ids::TokenId, role::Role};
use alethia_store::{Store, StoreError, tokens};
use chrono::{DateTime, Utc};

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::Owner,
    error::{Error, Result},
    secret,
};

/// Name of the token that is made at the first start.
const OWNER: &str = "owner";

/// API tokens, the newest first.
///
/// # Errors
/// When the query is wrong or the store is not available.
pub async fn list(app: &App, _: &Owner, query: &PageQuery) -> Result<Page<Token>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let page = tokens::list(&app.store, request).await?;
    Ok(page::answer(page, view))
}

/// Makes an API token.
///
/// # Errors
/// When the name is none or taken, or it would have expired already.
pub async fn create(app: &App, owner: &Owner, new: NewToken, key: Option<String>) -> Result<CreatedToken> {
    let now = app.now();
    check::name("name", &new.name)?;
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::field("expires_at", "it is in the past"));
    }
    let once = Once::new(owner, key, "tokens".to_owned(), &new);
    let tx = app.store.begin().await?;
    if let Some(token) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(token);
    }
    let secret = secret::Token::generate(secret::TokenKind::Api);
    let NewToken { name, role, expires_at } = new;
    let new = tokens::NewToken { name, role, token_hash: secret.hash(), expires_at };
    let token = view(tokens::insert(&tx, &new, now).await?);
    let created = CreatedToken { token, secret: secret.reveal().to_owned() };
    once.keep(&tx, &created).await?;
    audit::done(&tx, &owner.name, "token.create", &created.token.name, role_detail(role), now);
    tx.commit().await?;
    Ok(created)
}

/// Revokes an API token.
///
/// # Errors
/// When there is none.
pub async fn revoke(app: &App, owner: &Owner, id: TokenId) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    tokens::delete(&tx, id).await?;
    audit::done(&tx, &owner.name, "token.revoke", id, audit::nothing(), now);
    Ok(tx.commit().await?)
}

/// Makes sure that the owner's token is known. Consoles with folders of their own have owners' tokens of their own.
pub(crate) async fn ensure_owner(
    store: &Store,
    token: &secret::Token,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    if tokens::by_hash(&tx, &token.hash(), now).await?.is_some() {
        return Ok(());
    }
    let taken = tokens::exists(&tx, OWNER).await?;
    let name = if taken { format!("{OWNER}-{}", &token.hash()[..8]) } else { OWNER.to_owned() };
    let new = tokens::NewToken { name, role: Role::Owner, token_hash: token.hash(), expires_at: None };
    tokens::insert(&tx, &new, now).await?;
    tx.commit().await
}

fn role_detail(role: Role) -> serde_json::Value {
    serde_json::json!({ "role": role })
}

fn view(token: tokens::Token) -> Token {
    let tokens::Token { id, name, role, expires_at, created_at } = token;
    Token { id, name, role, expires_at, created_at }
}
