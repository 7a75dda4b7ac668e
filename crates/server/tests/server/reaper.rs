//! What becomes of jobs whose Runner falls silent.

use std::time::Duration;

use alethia_api::{
    logs::LogChunk,
    problem::Code,
    runner::{AppendLogs, Heartbeat},
};
use alethia_domain::lifecycle::{FailureReason, JobStatus, JobType, SpecStatus};
use alethia_store::idempotency::{self, Answer, Key};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::support::{Console, code, document, eventually, success, take, take_and_start};

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
    assert!(reason.ends_with("bring it back with: alethia recover default/shop"), "{reason}");
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

#[tokio::test]
async fn leases_are_looked_after_while_logs_can_not_be_moved() {
    let console = impatient().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let blobs = console.server.app().config.data_dir.join("blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    std::fs::write(&blobs, "no folder").unwrap();
    let runner = console.runner().await;
    console.create_job(spec, JobType::Deploy).await;
    let first = take_and_start(&runner).await;
    let chunk = LogChunk { attempt: 1, sequence: 1, at: Utc::now(), text: "a line\n".to_owned() };
    first.job.append_logs(&AppendLogs { chunks: vec![chunk] }).await.unwrap();
    first.job.finish(&success()).await.unwrap();
    console.create_job(spec, JobType::Deploy).await;
    take(&runner).await;
    assert_eq!(take(&runner).await.claim.attempt, 2);
}

#[tokio::test]
async fn answers_under_a_key_are_forgotten_after_a_day() {
    let console = impatient().await;
    let store = &console.server.app().store;
    let then = Utc::now() - TimeDelta::hours(25);
    let key = Key { key: "once".to_owned(), author: "ada".to_owned(), route: "zones".to_owned() };
    let tx = store.begin().await.unwrap();
    assert!(idempotency::begin(&tx, &key, "a request", then).await.unwrap().is_none());
    let answer = Answer { status: 201, body: json!({ "token": "shown once" }) };
    idempotency::complete(&tx, &key, &answer).await.unwrap();
    tx.commit().await.unwrap();
    eventually(|| async {
        let tx = store.begin().await.unwrap();
        idempotency::begin(&tx, &key, "another request", then).await.is_ok()
    })
    .await;
}
