//! Runners, known by their own token. It is good for claims alone.

use alethia_domain::ids::RunnerId;
use alethia_store::runners;
use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Utc};

use super::{Actor, credential};
use crate::{
    app::App,
    error::{Error, Result},
    secret::TokenKind,
};

/// Proof that the caller is a Runner.
#[derive(Clone, Debug)]
pub struct RunnerCaller {
    /// Which.
    pub id: RunnerId,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// What was noted of it last: its version, its tool, and when.
    noted: Option<(Option<String>, Option<String>, DateTime<Utc>)>,
}

impl RunnerCaller {
    /// Whether it was noted a moment ago, and said the same of itself then.
    pub(crate) fn was_noted(&self, version: &str, tool: &str, now: DateTime<Utc>) -> bool {
        self.noted.as_ref().is_some_and(|(noted_version, noted_tool, at)| {
            noted_version.as_deref() == Some(version)
                && noted_tool.as_deref() == Some(tool)
                && now - *at < runners::NOTED_FOR
        })
    }
}

impl FromRequestParts<App> for RunnerCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = credential::token(&parts.headers, TokenKind::Runner)?;
        let known = runners::by_token_hash(&app.store, &token.hash()).await?;
        let known =
            known.ok_or(Error::Unauthenticated("the Runner's token is unknown, or it was removed"))?;
        Actor::is(parts, &format!("runner {}", known.name));
        let runners::Runner { id, name, labels, version, tool, last_seen_at, .. } = known;
        Ok(Self { id, name, labels, noted: last_seen_at.map(|at| (version, tool, at)) })
    }
}
