//! What becomes of jobs whose Runner falls silent.

use std::time::Duration;

use alethia_api::{problem::Code, runner::Heartbeat};
use alethia_domain::lifecycle::{FailureReason, JobStatus, JobType, SpecStatus};
use serde_json::json;

use crate::support::{Console, code, document, eventually, take, take_and_start};

async fn impatient() -> Console {
    Console::with(|config| config.lease = Duration::from_millis(1500)).await
}

#[tokio::test]
async fn a_deploy_whose_runner_is_lost_fails_and_says_what_to_do() {
    let console = impatient().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let lock = reqwest::Method::from_bytes(b"LOCK").unwrap();
    let lock = console.open_request(lock, &format!("/api/v1/state/{spec}"));
    let lock =
        lock.basic_auth("job", Some(&taken.claim.job_token)).json(&json!({ "ID": "one", "Who": "it" }));
    assert!(lock.send().await.unwrap().status().is_success());
    eventually(|| async { console.job(job.id).await.status == JobStatus::Failed }).await;
    let failure = console.job(job.id).await.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::RunnerLost);
    let after = console.spec(spec).await.spec;
    assert_eq!(after.status, SpecStatus::Failed);
    let reason = after.status_reason.unwrap();
    let next =
        format!("alethia state unlock default/shop; then try again with: alethia jobs retry {}", job.id);
    assert!(reason.ends_with(&next), "{reason}");
    assert_eq!(code(taken.job.heartbeat(&Heartbeat::default()).await), Code::LeaseLost);
}

#[tokio::test]
async fn a_plan_whose_runner_is_lost_runs_again_and_the_old_attempt_is_fenced_off() {
    let console = impatient().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Plan).await;
    let lost = take_and_start(&runner).await;
    let again = tokio::time::timeout(Duration::from_secs(5), take(&runner)).await;
    let again = again.expect("as soon as the pause ends, before the slow poll");
    assert_eq!((again.claim.job_id, again.claim.attempt), (job.id, 2));
    let late = lost.job.upload_plan_file(b"late".as_slice().into()).await;
    assert_eq!(code(late), Code::LeaseLost);
    again.job.start().await.unwrap();
}

#[tokio::test]
async fn a_claimed_deploy_goes_back_to_the_queue() {
    let console = impatient().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    console.create_job(spec, JobType::Deploy).await;
    let lost = take(&runner).await;
    let again = take(&runner).await;
    assert_eq!(again.claim.attempt, 2);
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Queued);
    assert_eq!(code(lost.job.start().await), Code::LeaseLost);
}
