//! An attempt at a job, known by the token that came with its claim: the fence of everything a Runner writes.
//!
//! A token of an attempt that is over is known, but good for nothing: 409, so that the Runner stops instead of asking
//! for another token. Every write checks the fence again, in its own transaction.
//!
//! What a token stands for never changes: it is read once and remembered. Whether the attempt is over is read at every
//! request that takes an [`Attempt`].

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::JobType,
};
use alethia_store::jobs::{self, Fence};
use axum::{
    extract::{FromRequestParts, RawPathParams},
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

/// Proof that the caller has, or had, an attempt at a job. Good for what may come late, and for what finds out by the fence
/// whether it does.
#[derive(Clone, Copy, Debug)]
pub struct FormerAttempt(pub Attempt);

/// What tokens stand for that came lately, by their digest.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<String, Attempt>>);

/// Tokens that are remembered at most.
const MOST: usize = 4096;

impl FromRequestParts<App> for Attempt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let (attempt, alive) = look_up(app, digest(parts)?).await?;
        refuse_other_job(parts, app, attempt.fence.job_id).await?;
        if alive || !app.store.checks_fences() { Ok(attempt) } else { Err(Error::LeaseLost) }
    }
}

impl FromRequestParts<App> for FormerAttempt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let digest = digest(parts)?;
        let attempt = match app.remembered.get(&digest) {
            Some(attempt) => attempt,
            None => look_up(app, digest).await?.0,
        };
        refuse_other_job(parts, app, attempt.fence.job_id).await?;
        Ok(Self(attempt))
    }
}

impl Remembered {
    fn get(&self, digest: &str) -> Option<Attempt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).copied()
    }

    /// Where there are too many, all are read once more.
    fn add(&self, digest: String, attempt: Attempt) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= MOST {
            attempts.clear();
        }
        attempts.insert(digest, attempt);
    }
}

fn digest(parts: &Parts) -> Result<String> {
    Ok(credential::token(&parts.headers, TokenKind::Job)?.hash())
}

/// The attempt of a token, and whether it is not over.
async fn look_up(app: &App, digest: String) -> Result<(Attempt, bool)> {
    let known = jobs::authenticate(&app.store, &digest).await?;
    let known = known.ok_or(Error::Unauthenticated("the job token is unknown"))?;
    let jobs::JobCredential { fence, job_type, spec_id, alive } = known;
    let attempt = Attempt { fence, job_type, spec_id };
    app.remembered.add(digest, attempt);
    Ok((attempt, alive))
}

/// On routes that name a job, it must be the one of the token.
async fn refuse_other_job(parts: &mut Parts, app: &App, own: JobId) -> Result<()> {
    let Ok(path) = RawPathParams::from_request_parts(parts, app).await else { return Ok(()) };
    match path.iter().find(|(name, _)| *name == "id") {
        Some((_, id)) if id.parse() != Ok(own) => Err(Error::not_found("job of this token with the id", id)),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let remembered = Remembered::default();
        let fence = Fence { job_id: JobId::generate(), attempt: 1 };
        let attempt = Attempt { fence, job_type: JobType::Plan, spec_id: SpecId::generate() };
        for number in 0..=MOST {
            remembered.add(number.to_string(), attempt);
            assert_eq!(remembered.get(&number.to_string()).unwrap().fence, fence);
        }
        assert!(remembered.0.lock().unwrap().len() <= MOST);
    }
}
