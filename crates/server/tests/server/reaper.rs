//! What becomes of jobs whose Runner falls silent.

use std::time::Duration;

use alethia_api::{
    client::RunnerClient,
    logs::LogChunk,
    problem::Code,
    runner::{AppendLogs, Heartbeat},
};
use alethia_domain::lifecycle::{FailureReason, JobStatus, JobType, SpecStatus};
use alethia_server::Config;
use alethia_store::{
    Store, StoreConfig,
    idempotency::{self, Answer, Key},
    seal::Keyring,
};
use chrono::{DateTime, TimeDelta, Utc};
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
async fn a_plan_whose_runner_is_lost_while_it_is_cancelled_says_so() {
    let console = impatient().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Plan).await.id;
    take_and_start(&runner).await;
    assert_eq!(console.client.cancel_job(job).await.unwrap().status, JobStatus::Processing);
    eventually(|| async { console.job(job).await.status == JobStatus::Cancelled }).await;
    let failure = console.job(job).await.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::RunnerLost);
    assert_eq!(failure.hint, Some(format!("alethia jobs retry {job}")));
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

/// The Runner could not renew its lease while no Console was there.
#[tokio::test]
async fn a_console_that_has_just_started_takes_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = |lease| Config { lease: Duration::from_secs(lease), ..Config::new(folder.path()) };
    let first = Console::with(|default| *default = config(1)).await;
    let spec = first.put(document(&["orders"])).await.spec.id;
    let job = first.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&first.runner().await).await;
    first.server.shutdown().await;
    eventually(|| async { Utc::now() > taken.claim.lease_expires_at + TimeDelta::seconds(1) }).await;
    let store = Store::open(&stopped(&config(1)), Utc::now()).await.unwrap();
    let old = keep_old_answer(&store).await;
    store.close().await;

    let second = Console::with(|default| *default = config(600)).await;
    is_forgotten(&second, &old).await; // the first round is over
    assert_eq!(second.job(job.id).await.status, JobStatus::Processing);
    let runner = RunnerClient::new(&second.server.url(), "any").unwrap();
    runner.job(&taken.claim).heartbeat(&Heartbeat::default()).await.unwrap();
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
    let key = keep_old_answer(&console.server.app().store).await;
    is_forgotten(&console, &key).await;
}

/// The store of a Console that does not run.
fn stopped(config: &Config) -> StoreConfig {
    StoreConfig {
        database_url: config.database.clone(),
        blobs_url: config.blobs.clone(),
        keyring: Keyring::from_file(&config.master_key_file()).unwrap(),
    }
}

async fn keep_old_answer(store: &Store) -> Key {
    let key = Key { key: "once".to_owned(), author: "ada".to_owned(), route: "zones".to_owned() };
    let tx = store.begin().await.unwrap();
    assert!(idempotency::begin(&tx, &key, "a request", yesterday()).await.unwrap().is_none());
    let answer = Answer { status: 201, body: json!({ "token": "shown once" }) };
    idempotency::complete(&tx, &key, &answer).await.unwrap();
    tx.commit().await.unwrap();
    key
}

async fn is_forgotten(console: &Console, key: &Key) {
    let store = &console.server.app().store;
    eventually(|| async {
        let tx = store.begin().await.unwrap();
        idempotency::begin(&tx, key, "another request", yesterday()).await.is_ok()
    })
    .await;
}

fn yesterday() -> DateTime<Utc> {
    Utc::now() - TimeDelta::hours(25)
}
