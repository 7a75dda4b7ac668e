//! An attempt at a job, known by the token that came with its claim: the fence of everything a Runner writes.
//!
//! A token of an attempt that is over is known, but good for nothing: 409, so that the Runner stops instead of asking
//! for another token. Every write checks the fence again, in its own transaction.

use std::collections::HashMap;

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::JobType,
};
use alethia_store::jobs::{self, Fence};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::credential;
use crate::{
    app::App,
    error::{Error, Result},
    secret::TokenKind,
};

/// Proof that the caller is the current attempt at a job.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The job and the attempt.
    pub fence: Fence,
    /// What the job does.
    pub job_type: JobType,
    /// Spec of the job.
    pub spec_id: SpecId,
}

impl Attempt {
    /// Refuses another Spec than the one of the job.
    pub(crate) fn must_be_of(&self, spec: SpecId) -> Result<()> {
        if self.spec_id == spec { Ok(()) } else { Err(Error::not_found("state of the spec", spec)) }
    }
}

impl FromRequestParts<App> for Attempt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        match known(parts, app).await? {
            (attempt, alive) if alive || !app.store.checks_fences() => Ok(attempt),
            _ => Err(Error::LeaseLost),
        }
    }
}

/// Proof that the caller has, or had, an attempt at a job. Good for what may come late, and for nothing else.
#[derive(Clone, Copy, Debug)]
pub struct FormerAttempt(pub Attempt);

impl FromRequestParts<App> for FormerAttempt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        known(parts, app).await.map(|(attempt, _)| Self(attempt))
    }
}

/// The attempt of the token, and whether it is not over.
async fn known(parts: &mut Parts, app: &App) -> Result<(Attempt, bool)> {
    let token = credential::token(&parts.headers, TokenKind::Job)?;
    let known = jobs::authenticate(&app.store, &token.hash()).await?;
    let known = known.ok_or(Error::Unauthenticated("the job token is unknown"))?;
    refuse_other_job(parts, app, known.fence.job_id).await?;
    let jobs::JobCredential { fence, job_type, spec_id, alive } = known;
    Ok((Attempt { fence, job_type, spec_id }, alive))
}

/// On routes that name a job, it must be the one of the token.
async fn refuse_other_job(parts: &mut Parts, app: &App, own: JobId) -> Result<()> {
    let path = Path::<HashMap<String, String>>::from_request_parts(parts, app).await;
    let named = path.ok().and_then(|Path(segments)| segments.get("id").cloned());
    match named {
        Some(id) if id.parse() != Ok(own) => Err(Error::not_found("job of this token with the id", id)),
        Some(_) | None => Ok(()),
    }
}
