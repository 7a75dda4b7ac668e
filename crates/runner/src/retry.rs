//! Calls to the Console that are repeated while the attempt is ours.
//!
//! Only calls that may be repeated come here. A refusal is final, and one that says that the attempt is over stops the
//! whole job.

use std::{
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use alethia_api::{client::ClientError, problem::Code};

use crate::stop::{Stop, StopSignal};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Why a call was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The attempt is over.
    #[error("the attempt is no longer this Runner's")]
    LeaseLost,
    /// The Console refused.
    #[error(transparent)]
    Refused(#[from] ClientError),
}

/// Makes a call until it is answered or the attempt is over.
pub(crate) async fn persist<T, F>(stop: &StopSignal, mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match stop.unless_over(call()).await {
            None => return Err(CallError::LeaseLost),
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => error,
        };
        if ends_attempt(&error) {
            stop.raise(Stop::Over);
            return Err(CallError::LeaseLost);
        }
        if !error.is_transient() {
            return Err(error.into());
        }
        tracing::debug!(%error, "the Console gave no answer; trying again");
        if stop.unless_over(tokio::time::sleep(jittered(pause))).await.is_none() {
            return Err(CallError::LeaseLost);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Between half of a pause and all of it: many Runners that wait for one Console do not ask at the same time.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let chance = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause / 2 * u32::try_from(chance).expect("it is below 1000") / 1000
}

/// Whether the Console says that the token of the attempt is worth nothing any more.
pub(crate) fn ends_attempt(error: &ClientError) -> bool {
    matches!(error.code(), Some(Code::LeaseLost | Code::Unauthenticated))
}
