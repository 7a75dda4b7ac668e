//! Runners: registered by a person, known by a token that is shown once.

use alethia_api::{
    page::{Page, PageQuery},
    runners::{NewRunner, RegisteredRunner, Runner},
};
use alethia_store::{StoreError, runners};
use chrono::{DateTime, TimeDelta, Utc};

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::Result,
    secret::{Token, TokenKind},
};

/// A Runner that did not ask for work for so long is taken as gone.
const ONLINE_FOR: TimeDelta = TimeDelta::seconds(45);

/// Runners, the newest first.
///
/// # Errors
/// When the query is wrong or the store is not available.
pub async fn list(app: &App, _: &Viewer, query: &PageQuery) -> Result<Page<Runner>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let (page, now) = (runners::list(&app.store, request).await?, app.now());
    Ok(page::answer(page, |runner| view(runner, now)))
}

/// Registers a Runner.
///
/// # Errors
/// When the name is none or taken, or the labels are wrong.
pub async fn register(
    app: &App,
    admin: &Admin,
    new: NewRunner,
    key: Option<String>,
) -> Result<RegisteredRunner> {
    check::name("name", &new.name)?;
    check::labels("labels", &new.labels)?;
    let (once, now) = (Once::new(admin, key, "runners".to_owned(), &new), app.now());
    let tx = app.store.begin().await?;
    if let Some(runner) = once.answer(&tx, now).await? {
        return Ok(runner);
    }
    let token = Token::generate(TokenKind::Runner);
    let runner = runners::NewRunner { name: new.name, labels: new.labels, token_hash: token.hash() };
    let runner = view(runners::insert(&tx, &runner, now).await?, now);
    let registered = RegisteredRunner { runner, token: token.reveal().to_owned() };
    once.keep(&tx, &registered).await?;
    audit::done(&tx, &admin.name, "runner.register", &registered.runner.name, audit::nothing(), now).await?;
    tx.commit().await?;
    Ok(registered)
}

/// Registers a Runner under a name that it may have had before; what it had before is worthless then.
///
/// # Errors
/// When the name is none or the store is not available.
pub async fn register_again(app: &App, admin: &Admin, name: &str) -> Result<Token> {
    check::name("name", name)?;
    let (tx, now) = (app.store.begin().await?, app.now());
    match runners::remove(&tx, name, now).await {
        Ok(()) | Err(StoreError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let token = Token::generate(TokenKind::Runner);
    let new = runners::NewRunner { name: name.to_owned(), labels: Vec::new(), token_hash: token.hash() };
    runners::insert(&tx, &new, now).await?;
    audit::done(&tx, &admin.name, "runner.register", name, audit::nothing(), now).await?;
    tx.commit().await?;
    Ok(token)
}

/// Removes a Runner.
///
/// # Errors
/// When there is none of that name.
pub async fn remove(app: &App, admin: &Admin, name: &str) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    runners::remove(&tx, name, now).await?;
    audit::done(&tx, &admin.name, "runner.remove", name, audit::nothing(), now).await?;
    Ok(tx.commit().await?)
}

fn view(runner: runners::Runner, now: DateTime<Utc>) -> Runner {
    let runners::Runner { id, name, labels, version, tool, last_seen_at, jobs, created_at } = runner;
    let online = last_seen_at.is_some_and(|seen| now - seen < ONLINE_FOR);
    Runner { id, name, labels, online, version, tool, last_seen_at, jobs, created_at }
}
