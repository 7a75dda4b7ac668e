//! A state that Terraform could not write: delivered, or kept where a person finds it.
//!
//! Terraform leaves `errored.tfstate` behind when the state backend did not take the last version. Losing it would mean
//! resources in the cloud that nobody knows of.

use std::{path::Path, time::Duration};

use super::terraform;
use crate::{
    job::Job,
    stop::{Stop, StopSignal},
    workdir::ERRORED_STATE,
};

/// How long the delivery may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delivers the state that Terraform left behind, if it did.
pub(super) async fn deliver_state(job: &mut Job) {
    let file = job.workspace().folder.root().join(ERRORED_STATE);
    if !file.exists() {
        return;
    }
    job.log.write("Terraform could not write its state; delivering it again").await;
    if push(job).await {
        job.log.write("the state was delivered").await;
    } else {
        keep(job, &file).await;
    }
}

/// The delivery goes on when the job is cancelled, but not when the lease is lost: then it would be refused anyway.
async fn push(job: &mut Job) -> bool {
    let (ours, stop) = (job.stop.clone(), StopSignal::new());
    let until = stop.clone();
    let arguments = ["state", "push", "-lock-timeout=10s", ERRORED_STATE];
    let push = terraform::run_until(job, &arguments, None, &stop, |_| {});
    let watch = async {
        tokio::select! {
            _ = ours.at_least(Stop::Abort) => {}
            () = tokio::time::sleep(PATIENCE) => {}
        }
        until.raise(Stop::Abort);
        std::future::pending::<bool>().await
    };
    tokio::select! {
        pushed = push => pushed.is_ok(),
        never = watch => never,
    }
}

async fn keep(job: &mut Job, file: &Path) {
    let text = match job.shared.work.rescue(job.claim.job_id, file) {
        Ok(kept) => format!(
            "the state could not be delivered; it is kept on the Runner's machine in {}. Push it with `terraform state push` before the next deployment",
            kept.display()
        ),
        Err(error) => format!("the state could not be delivered, and could not be kept either: {error}"),
    };
    tracing::error!(job = %job.claim.job_id, "{text}");
    job.log.write(&text).await;
}
