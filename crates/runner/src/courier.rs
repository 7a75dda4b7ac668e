//! Delivers states that were left behind, beside the jobs: at the start of the Runner, and whenever one is put on the
//! shelf.
//!
//! An attempt that is not over yet may still write its state itself. Later the Console keeps the state beside the lock
//! that was left behind, and a person decides. Tried until there is a definite answer.

use std::{sync::Arc, time::Duration};

use alethia_api::{
    client::{ClientError, JobClient},
    problem::Code,
};
use alethia_domain::ids::SpecId;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{agent::Shared, retry::jittered, shelf::Kept};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Delivers until the Runner ends.
pub(crate) async fn run(shared: Arc<Shared>, ending: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let is_empty = round(&shared).await;
        let again = async {
            if is_empty {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(jittered(pause)).await;
        };
        tokio::select! {
            () = ending.cancelled() => return,
            () = shared.work.shelf().news() => pause = FIRST_PAUSE,
            () = again => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// Offers everything once; tells whether nothing is left to be offered.
async fn round(shared: &Shared) -> bool {
    let all = match shared.work.shelf().all() {
        Ok(all) => all,
        Err(error) => {
            tracing::error!(%error, "states that were left behind can't be looked for");
            return false;
        }
    };
    let mut is_empty = true;
    for kept in all {
        is_empty &= offer(shared, kept).await;
    }
    is_empty
}

/// Tells whether there was a definite answer.
async fn offer(shared: &Shared, kept: Kept) -> bool {
    let (job, place) = (kept.ticket.job_id, kept.place().display().to_string());
    let state = match kept.state() {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(%error, place, "a state that was left behind can't be read");
            return false;
        }
    };
    let client = shared.console.attempt(job, &kept.ticket.job_token);
    let cleared = match deliver(&client, kept.ticket.spec_id, state).await {
        Ok(()) => {
            tracing::info!(%job, "a state that Terraform could not write was delivered");
            kept.remove()
        }
        Err(error) if is_final(&error) => {
            tracing::error!(%job, %error, place, "the Console refused a state that Terraform could not write");
            kept.set_aside(&error.to_string())
        }
        Err(error) => {
            tracing::warn!(%job, %error, place, "a state that was left behind is not delivered yet");
            return false;
        }
    };
    if let Err(error) = cleared {
        tracing::error!(%error, place, "a state that was delivered can't be cleared away");
    }
    true
}

async fn deliver(client: &JobClient, spec: SpecId, state: Bytes) -> Result<(), ClientError> {
    match client.write_state(spec, &Uuid::new_v4().to_string(), state.clone()).await {
        Err(error) if error.code() == Some(Code::LeaseLost) => client.rescue_state(state).await,
        written => written,
    }
}

/// Whether the Console will never take it. A Console of another version may not know what is asked.
fn is_final(error: &ClientError) -> bool {
    match error.code() {
        Some(
            Code::Unauthenticated
            | Code::Forbidden
            | Code::Invalid
            | Code::Conflict
            | Code::TooLarge
            | Code::PreconditionFailed
            | Code::IdempotencyMismatch
            | Code::StateLocked,
        ) => true,
        Some(Code::NotFound | Code::LeaseLost | Code::Unavailable | Code::Internal) | None => false,
    }
}
