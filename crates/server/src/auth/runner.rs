//! Runners, known by their own token. It is good for claims alone.

use alethia_domain::ids::RunnerId;
use alethia_store::runners;
use axum::{extract::FromRequestParts, http::request::Parts};

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
}

impl FromRequestParts<App> for RunnerCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = credential::token(&parts.headers, TokenKind::Runner)?;
        let known = runners::by_token_hash(&app.store, &token.hash()).await?;
        let known =
            known.ok_or(Error::Unauthenticated("the Runner's token is unknown, or it was removed"))?;
        Actor::is(parts, &format!("runner {}", known.name));
        Ok(Self { id: known.id, name: known.name, labels: known.labels })
    }
}
