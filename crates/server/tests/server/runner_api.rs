//! Claims, and what a Runner may not do.

use std::time::Duration;

use alethia_api::{
    client::RunnerClient,
    jobs::NewJob,
    problem::Code,
    runner::{ClaimRequest, Heartbeat},
    runners::NewRunner,
};
use alethia_domain::lifecycle::{JobStatus, JobType};
use alethia_store::{identities, jobs};

use crate::support::{Console, claim_request, code, document, eventually, key, new_job, refused, take};

#[tokio::test]
async fn a_waiting_runner_gets_a_job_as_soon_as_there_is_one() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let waiting = tokio::spawn(async move { runner.claim(&claim_request(30)).await });
    let job = console.create_job(spec, JobType::Plan).await;
    let claim = tokio::time::timeout(Duration::from_secs(4), waiting).await.expect("before the slow poll");
    let claim = claim.unwrap().unwrap().unwrap();
    assert_eq!((claim.job_id, claim.attempt), (job.id, 1));
    assert_eq!(claim.document["queues"][0]["name"], "orders");
    assert_eq!(console.job(job.id).await.status, JobStatus::Claimed);
    let runners = console.client.runners(&Default::default()).await.unwrap();
    assert!(runners.items[0].online);
    assert_eq!(runners.items[0].jobs, [job.id]);
    assert_eq!(runners.items[0].tool.as_deref(), Some("terraform 1.11.4"));
}

#[tokio::test]
async fn a_runner_of_another_contract_gets_no_job() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let problem = refused(runner.claim(&ClaimRequest { contract: 99, ..claim_request(0) }).await);
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.detail.contains("speaks version 99 of the contract"), "{}", problem.detail);
    let too_long = refused(runner.claim(&claim_request(31)).await);
    assert_eq!(too_long.errors[0].path, "wait_seconds");
}

#[tokio::test]
async fn a_job_goes_only_to_a_runner_with_its_labels() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let plain = console.runner().await;
    let labelled = NewRunner { name: "labelled".to_owned(), labels: vec!["eu".to_owned(), "big".to_owned()] };
    let registered = console.client.register_runner(&labelled).await.unwrap();
    let labelled = RunnerClient::new(&console.server.url(), &registered.token).unwrap();
    let new = NewJob { required_labels: vec!["eu".to_owned()], ..new_job(JobType::Plan) };
    let job = console.client.create_job(spec, &new, &key()).await.unwrap();
    assert!(plain.claim(&claim_request(0)).await.unwrap().is_none());
    assert_eq!(labelled.claim(&claim_request(0)).await.unwrap().unwrap().job_id, job.id);
}

/// Such as one whose plan a later version can't read: it must not take every Runner down with it.
#[tokio::test]
async fn a_job_that_can_not_be_told_holds_up_no_other() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let plan = console.create_job(spec, JobType::Plan).await.id;
    console.client.cancel_job(plan).await.unwrap();
    let store = &console.server.app().store;
    let sandbox = identities::by_name(store, identities::SANDBOX).await.unwrap();
    let broken = jobs::NewJob {
        job_type: JobType::Deploy,
        spec_id: spec,
        revision: 1,
        snapshot: serde_json::json!({}),
        snapshot_hash: String::new(),
        identity_id: sandbox.id,
        plan_job_id: Some(plan),
        retry_of: None,
        destroy: false,
        required_labels: Vec::new(),
        assigned_runner_id: None,
        former_status: None,
        author: "ada".to_owned(),
    };
    let tx = store.begin().await.unwrap();
    let broken = jobs::insert(&tx, &broken, console.server.app().now()).await.unwrap();
    tx.commit().await.unwrap();
    let mut other = document(&["orders"]);
    other["name"] = "other".into();
    let other = console.put(other).await.spec.id;
    let good = console.create_job(other, JobType::Plan).await;
    let runner = console.runner().await;
    let taken = tokio::time::timeout(Duration::from_secs(4), take(&runner)).await.expect("without a pause");
    assert_eq!(taken.claim.job_id, good.id);
    assert_eq!(console.job(broken).await.status, JobStatus::Queued);
}

#[tokio::test]
async fn an_attempt_can_not_touch_another_job_or_spec() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let mut other = document(&["orders"]);
    other["name"] = "other".into();
    let other = console.put(other).await.spec.id;
    let runner = console.runner().await;
    console.create_job(spec, JobType::Plan).await;
    let taken = take(&runner).await;
    let foreign = console.create_job(other, JobType::Plan).await;
    for path in [format!("/runner/jobs/{}/start", foreign.id), "/runner/jobs/no-id/start".to_owned()] {
        let request = console.open_request(reqwest::Method::POST, &format!("/api/v1{path}"));
        let response = request.bearer_auth(&taken.claim.job_token).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let state = console.open_request(reqwest::Method::GET, &format!("/api/v1/state/{other}"));
    let response = state.bearer_auth(&taken.claim.job_token).send().await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn a_removed_runner_claims_nothing_and_its_job_goes_on() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    console.create_job(spec, JobType::Plan).await;
    let taken = take(&runner).await;
    console.client.remove_runner("runner").await.unwrap();
    assert_eq!(code(runner.claim(&claim_request(0)).await), Code::Unauthenticated);
    taken.job.heartbeat(&Heartbeat { step: Some("init".to_owned()), ..Heartbeat::default() }).await.unwrap();
}

#[tokio::test]
async fn a_runner_removed_while_it_waits_gets_no_job() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let waiting = tokio::spawn(async move { runner.claim(&claim_request(2)).await });
    eventually(|| async { console.client.runners(&Default::default()).await.unwrap().items[0].online }).await;
    console.client.remove_runner("runner").await.unwrap();
    let job = console.create_job(spec, JobType::Plan).await;
    assert!(waiting.await.unwrap().unwrap().is_none());
    assert_eq!(console.job(job.id).await.status, JobStatus::Queued);
}

#[tokio::test]
async fn no_job_waits_for_a_runner_that_was_removed() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = NewRunner { name: "blue".to_owned(), labels: Vec::new() };
    let blue = console.client.register_runner(&runner).await.unwrap().runner.id;
    let assigned = NewJob { assigned_runner_id: Some(blue), ..new_job(JobType::Plan) };
    let job = console.client.create_job(spec, &assigned, &key()).await.unwrap();
    let problem = refused(console.client.remove_runner("blue").await);
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.detail.contains(&job.id.to_string()), "{}", problem.detail);
    assert_eq!(problem.hint, Some(format!("alethia jobs cancel {}", job.id)));
    console.client.cancel_job(job.id).await.unwrap();
    console.client.remove_runner("blue").await.unwrap();
    let late = refused(console.client.create_job(spec, &assigned, &key()).await);
    assert_eq!(late.errors[0].path, "assigned_runner_id");
}

#[tokio::test]
async fn a_local_runner_registered_again_is_still_the_one_that_jobs_wait_for() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    console.server.register_local_runner("local").await.unwrap();
    let id = console.client.runners(&Default::default()).await.unwrap().items[0].id;
    let assigned = NewJob { assigned_runner_id: Some(id), ..new_job(JobType::Plan) };
    let job = console.client.create_job(spec, &assigned, &key()).await.unwrap();
    let token = console.server.register_local_runner("local").await.unwrap();
    let runner = RunnerClient::new(&console.server.url(), &token).unwrap();
    assert_eq!(runner.claim(&claim_request(0)).await.unwrap().unwrap().job_id, job.id);
}

#[tokio::test]
async fn a_local_runner_registered_again_has_a_new_token() {
    let console = Console::start().await;
    let first = console.server.register_local_runner("local").await.unwrap();
    let second = console.server.register_local_runner("local").await.unwrap();
    let claim = |token: &str| {
        let runner = RunnerClient::new(&console.server.url(), token).unwrap();
        async move { runner.claim(&claim_request(0)).await }
    };
    assert_eq!(code(claim(&first).await), Code::Unauthenticated);
    assert!(claim(&second).await.unwrap().is_none());
}

#[tokio::test]
async fn a_console_that_ends_sends_waiting_runners_home() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let waiting = tokio::spawn(async move { runner.claim(&claim_request(30)).await });
    eventually(|| async { console.client.runners(&Default::default()).await.unwrap().items[0].online }).await;
    let Console { server, .. } = console;
    tokio::time::timeout(Duration::from_secs(5), server.shutdown()).await.expect("it ends at once");
    assert!(waiting.await.unwrap().unwrap().is_none());
}
