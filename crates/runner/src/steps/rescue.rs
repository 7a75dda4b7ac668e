//! A state that Terraform could not write: delivered, or kept until it is.
//!
//! Terraform leaves `errored.tfstate` behind when the state backend did not take the last version. Losing it would mean
//! resources in the cloud that nobody knows of. While the attempt is not over, the Runner writes it in Terraform's place;
//! what is left after that goes to the shelf.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    job::Job,
    retry::{CallError, persist},
    shelf,
    workdir::ERRORED_STATE,
};

/// Delivers the state that Terraform left behind, if it did.
pub(super) async fn deliver_state(job: &mut Job) {
    let root = job.workspace().folder.root();
    if !root.join(ERRORED_STATE).exists() {
        return;
    }
    job.log.write("Terraform could not write its state; delivering it").await;
    let written = match shelf::read(&root) {
        Ok(state) => write(job, state).await,
        Err(error) => Some(error.to_string()),
    };
    match written {
        None => job.log.write("the state was delivered").await,
        Some(why) => keep(job, &why).await,
    }
}

/// Writes it as long as it takes, but not beyond the attempt; tells why it was not taken.
async fn write(job: &Job, state: Bytes) -> Option<String> {
    let (spec, lock) = (job.claim.spec_id, Uuid::new_v4().to_string());
    let written = persist(&job.stop, || job.client.write_state(spec, &lock, state.clone()));
    tokio::select! {
        written = written => match written {
            Ok(()) => None,
            Err(error @ (CallError::LeaseLost | CallError::Refused(_))) => Some(error.to_string()),
        },
        () = job.impatience() => Some("this Runner ends".to_owned()),
    }
}

async fn keep(job: &mut Job, why: &str) {
    let text = match job.shared.work.shelf().take_from(job.workspace().folder.path()) {
        Ok(place) => format!(
            "the state could not be written: {why}. It is kept on the Runner's machine in {} and delivered from there",
            place.display()
        ),
        Err(error) => format!("the state could not be written: {why}. It can't be kept either: {error}"),
    };
    tracing::error!(job = %job.claim.job_id, "{text}");
    job.log.write(&text).await;
}
