//! Runners of the contract before this one: their recorded words are taken, word by word; others are told what is.

use alethia_api::{CONTRACT_VERSION, CONTRACT_VERSIONS, problem::Problem};
use alethia_domain::{
    lifecycle::{JobStatus, JobType},
    plan::{canonical_json, sha256_hex},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Console, document};

/// What a Runner of contract 1 says in a PLAN, as it was recorded; only what a plan was made from is the job's own.
const RECORDED: &str = include_str!("recorded/contract-1.json");

#[test]
fn a_console_takes_its_own_contract_and_the_one_before() {
    assert_eq!(CONTRACT_VERSIONS, CONTRACT_VERSION - 1..=CONTRACT_VERSION);
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    assert_eq!(
        recorded["claim"]["contract"],
        *CONTRACT_VERSIONS.start(),
        "record the contract before this one"
    );
}

#[tokio::test]
async fn the_recorded_words_of_the_contract_before_do_a_job() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let token = console.runner_token("old").await;
    let job = console.create_job(spec, JobType::Plan).await;
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let say = async |token: &str, method: Method, path: &str, body: &Value| {
        let request = console.open_request(method, &format!("/api/v1/runner{path}")).bearer_auth(token);
        let response = request.json(body).send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {} {}",
            response.status(),
            response.text().await.unwrap()
        );
        response
    };
    let claim: Value = say(&token, Method::POST, "/claim", &recorded["claim"]).await.json().await.unwrap();
    let attempt = claim["job_token"].as_str().unwrap();
    for key in recorded["reads_of_a_claim"].as_array().unwrap() {
        assert!(claim.get(key.as_str().unwrap()).is_some(), "{key} is missing in {claim:#}");
    }
    let path = |what: &str| format!("/jobs/{}/{what}", job.id);
    say(attempt, Method::POST, &path("start"), &Value::Null).await;
    let told: Value =
        say(attempt, Method::POST, &path("heartbeat"), &recorded["heartbeat"]).await.json().await.unwrap();
    assert_eq!(told["instruction"], "continue");
    say(attempt, Method::POST, &path("logs"), &recorded["logs"]).await;
    say(attempt, Method::POST, &path("progress"), &recorded["progress"]).await;
    let file = console.open_request(Method::PUT, &format!("/api/v1/runner{}", path("plan/file")));
    let file =
        file.bearer_auth(attempt).header("content-type", "application/octet-stream").body("a plan file");
    assert!(file.send().await.unwrap().status().is_success());
    let mut plan = recorded["plan"].clone();
    plan["basis"]["snapshot"] = sha256_hex(&canonical_json(&claim["document"])).into();
    plan["basis"]["identity"] = claim["identity"].clone();
    say(attempt, Method::PUT, &path("plan"), &plan).await;
    say(attempt, Method::POST, &path("finish"), &recorded["finish"]).await;
    assert_eq!(console.job(job.id).await.status, JobStatus::Success);
}

#[tokio::test]
async fn a_runner_of_another_contract_is_told_which_ones_are_taken() {
    let console = Console::start().await;
    let token = console.runner_token("new").await;
    for contract in [CONTRACT_VERSIONS.start() - 1, CONTRACT_VERSION + 1] {
        let body = json!({ "contract": contract, "version": "9.9.9", "tool": "terraform 1.11.4", "wait_seconds": 0 });
        let request = console.open_request(Method::POST, "/api/v1/runner/claim").bearer_auth(&token);
        let response = request.json(&body).send().await.unwrap();
        assert_eq!(response.status(), 409);
        let problem: Problem = response.json().await.unwrap();
        let taken = format!("takes {} to {}", CONTRACT_VERSIONS.start(), CONTRACT_VERSIONS.end());
        assert!(problem.detail.contains(&taken), "{}", problem.detail);
        assert!(problem.hint.unwrap().starts_with("run a Runner of version "));
    }
}
