//! Runners: registered by a person, known by a token that is shown once.

use alethia_api::{
    page::{Page, PageQuery},
    runners::{NewRunner, RegisteredRunner, Runner},
};
use alethia_store::{Conflict, StoreError, runners};
use chrono::{DateTime, TimeDelta, Utc};

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::{Error, Result},
    secret::{Token, TokenKind},
};

/// A Runner of which nothing was heard for so long is taken as gone: one that waits asks for work, one that works says so,
/// both more often.
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
        tx.commit().await?;
        return Ok(runner);
    }
    let token = Token::generate(TokenKind::Runner);
    let runner = runners::NewRunner { name: new.name, labels: new.labels, token_hash: token.hash() };
    let runner = view(runners::insert(&tx, &runner, now).await?, now);
    let registered = RegisteredRunner { runner, token: token.reveal().to_owned() };
    once.keep(&tx, &registered).await?;
    audit::done(&tx, &admin.name, "runner.register", &registered.runner.name, audit::nothing(), now);
    tx.commit().await?;
    Ok(registered)
}

/// Registers a Runner, or gives the one of that name another token; the one it had is worthless then.
///
/// # Errors
/// When the name is none or the store is not available.
pub async fn register_again(app: &App, admin: &Admin, name: &str) -> Result<Token> {
    check::name("name", name)?;
    let (tx, now) = (app.store.begin().await?, app.now());
    let token = Token::generate(TokenKind::Runner);
    if !runners::replace_token(&tx, name, &token.hash()).await? {
        let (name, token_hash) = (name.to_owned(), token.hash());
        runners::insert(&tx, &runners::NewRunner { name, labels: Vec::new(), token_hash }, now).await?;
    }
    audit::done(&tx, &admin.name, "runner.register", name, audit::nothing(), now);
    tx.commit().await?;
    Ok(token)
}

/// Removes a Runner.
///
/// # Errors
/// When there is none of that name, or a job that is not over is for it alone.
pub async fn remove(app: &App, admin: &Admin, name: &str) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    runners::remove(&tx, name, now).await.map_err(refusal)?;
    audit::done(&tx, &admin.name, "runner.remove", name, audit::nothing(), now);
    Ok(tx.commit().await?)
}

/// What stands against a removal, and what to do about it.
fn refusal(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(conflict @ Conflict::RunnerAwaited { job_id, .. }) => Error::Conflict {
            detail: conflict.to_string(),
            permitted: Vec::new(),
            hint: Some(format!("alethia jobs cancel {job_id}")),
        },
        other => other.into(),
    }
}

/// Whether something was heard of it lately.
pub(super) fn is_online(runner: &runners::Runner, now: DateTime<Utc>) -> bool {
    runner.last_seen_at.is_some_and(|seen| now - seen < ONLINE_FOR)
}

fn view(runner: runners::Runner, now: DateTime<Utc>) -> Runner {
    let online = is_online(&runner, now);
    let runners::Runner { id, name, labels, version, tool, last_seen_at, jobs, created_at } = runner;
    Runner { id, name, labels, online, version, tool, last_seen_at, jobs, created_at }
}

#[cfg(test)]
mod tests {
    use alethia_domain::ids::{JobId, RunnerId};

    use super::*;

    #[test]
    fn a_runner_that_is_silent_for_45_seconds_is_offline_whatever_it_had() {
        let now = Utc::now();
        let runner = |seconds, jobs: Vec<JobId>| runners::Runner {
            id: RunnerId::generate(),
            name: "blue".to_owned(),
            labels: Vec::new(),
            version: None,
            tool: None,
            last_seen_at: Some(now - TimeDelta::seconds(seconds)),
            jobs,
            created_at: now,
        };
        assert!(view(runner(44, Vec::new()), now).online);
        assert!(!view(runner(45, vec![JobId::generate()]), now).online);
    }
}
