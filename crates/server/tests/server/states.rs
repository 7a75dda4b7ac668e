//! Terraform's state backend, call by call, and what people do with states.

use alethia_api::{
    client::RunnerClient,
    problem::Code,
    states::{RestoreState, UnlockState},
};
use alethia_domain::{ids::SpecId, lifecycle::JobType};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::{Console, Taken, code, document, refused, success, take_and_start};

/// A DEPLOY under way, and its state backend as Terraform sees it.
struct Backend {
    console: Console,
    spec: SpecId,
    runner: RunnerClient,
    taken: Taken,
}

impl Backend {
    async fn start() -> Self {
        let console = Console::start().await;
        let spec = console.put(document(&["orders"])).await.spec.id;
        let runner = console.runner().await;
        console.create_job(spec, JobType::Deploy).await;
        let taken = take_and_start(&runner).await;
        Self { console, spec, runner, taken }
    }

    fn call(&self, method: &str, query: &str) -> RequestBuilder {
        let path = format!("/api/v1/state/{}{query}", self.spec);
        let request = self.console.open_request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
        request.basic_auth("job", Some(&self.taken.claim.job_token))
    }

    async fn status(&self, method: &str, query: &str, body: &Value) -> StatusCode {
        self.call(method, query).json(body).send().await.unwrap().status()
    }
}

fn state(serial: u64, lineage: &str) -> Value {
    let instance = json!({ "attributes": { "id": "queue" } });
    let queue =
        json!({ "mode": "managed", "type": "aws_sqs_queue", "name": "this", "instances": [instance] });
    json!({ "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "resources": [queue] })
}

fn lock(id: &str) -> Value {
    json!({
        "ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "job@runner", "Version": "1.11.4",
        "Created": "2026-01-01T00:00:00Z", "Path": "",
    })
}

#[tokio::test]
async fn where_there_is_no_state_a_read_answers_204() {
    let backend = Backend::start().await;
    let response = backend.call("GET", "").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_written_is_read_again() {
    let backend = Backend::start().await;
    let body = state(1, "one").to_string();
    let md5 = STANDARD.encode(Md5::digest(body.as_bytes()));
    let write = backend.call("POST", "").header("content-type", "application/json");
    let response = write.header("content-md5", md5).body(body.clone()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let response = backend.call("GET", "").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), body);
}

#[tokio::test]
async fn a_damaged_body_is_not_kept() {
    let backend = Backend::start().await;
    let md5 = STANDARD.encode(Md5::digest(b"something else"));
    let write = backend.call("POST", "").header("content-md5", md5).json(&state(1, "one"));
    assert_eq!(write.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let garbage = backend.call("POST", "").body("no state");
    assert_eq!(garbage.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(backend.status("GET", "", &json!({})).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_lock_is_held_by_one_and_tells_its_holder() {
    let backend = Backend::start().await;
    assert_eq!(backend.status("LOCK", "", &lock("one")).await, StatusCode::OK);
    assert_eq!(backend.status("LOCK", "", &lock("one")).await, StatusCode::OK, "again with the same id");
    let other = backend.call("LOCK", "").json(&lock("two")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::LOCKED);
    let holder: Value = serde_json::from_slice(&other.bytes().await.unwrap()).unwrap();
    assert_eq!(holder, lock("one"));
    assert_eq!(backend.status("UNLOCK", "", &lock("two")).await, StatusCode::CONFLICT);
    assert_eq!(backend.status("UNLOCK", "", &json!({ "ID": "one" })).await, StatusCode::OK, "force-unlock");
    assert_eq!(backend.status("LOCK", "", &lock("two")).await, StatusCode::OK);
    assert_eq!(backend.status("LOCK", "", &json!({})).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn while_locked_only_the_holder_writes() {
    let backend = Backend::start().await;
    backend.status("LOCK", "", &lock("one")).await;
    for query in ["", "?ID=two"] {
        let refused = backend.call("POST", query).json(&state(1, "one")).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::LOCKED, "{query:?}");
        let holder: Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
        assert_eq!(holder["ID"], "one");
    }
    assert_eq!(backend.status("POST", "?ID=one", &state(1, "one")).await, StatusCode::OK);
    assert_eq!(backend.status("DELETE", "", &json!({})).await, StatusCode::LOCKED);
    assert_eq!(backend.status("DELETE", "?ID=one", &json!({})).await, StatusCode::OK);
    assert_eq!(backend.status("GET", "", &json!({})).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_state_goes_forward_in_one_lineage() {
    let backend = Backend::start().await;
    assert_eq!(backend.status("POST", "", &state(3, "one")).await, StatusCode::OK);
    assert_eq!(backend.status("POST", "", &state(3, "one")).await, StatusCode::OK, "the same again");
    assert_eq!(backend.status("POST", "", &state(2, "one")).await, StatusCode::CONFLICT);
    assert_eq!(backend.status("POST", "", &state(4, "two")).await, StatusCode::CONFLICT);
    assert_eq!(backend.status("POST", "", &state(4, "one")).await, StatusCode::OK);
}

#[tokio::test]
async fn an_attempt_that_is_over_changes_nothing() {
    let backend = Backend::start().await;
    backend.taken.job.finish(&success()).await.unwrap();
    for method in ["POST", "DELETE", "LOCK", "UNLOCK"] {
        let status = backend.status(method, "", &lock("one")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{method}");
    }
    assert!(backend.console.client.state(backend.spec).await.unwrap().lock.is_none());
}

#[tokio::test]
async fn versions_are_kept_and_can_be_restored() {
    let backend = Backend::start().await;
    backend.status("POST", "", &state(1, "one")).await;
    backend
        .status("POST", "", &json!({ "version": 4, "serial": 2, "lineage": "one", "resources": [] }))
        .await;
    let client = &backend.console.client;
    let busy = client.restore_state(backend.spec, &RestoreState { serial: 1 }).await;
    assert_eq!(code(busy), Code::Conflict);
    backend.taken.job.finish(&success()).await.unwrap();
    let restored = client.restore_state(backend.spec, &RestoreState { serial: 1 }).await.unwrap();
    let current = restored.current.unwrap();
    assert_eq!((current.serial, current.resources, current.job_id), (3, 1, None));
    let versions = client.state_versions(backend.spec, &Default::default()).await.unwrap();
    let serials: Vec<u64> = versions.items.iter().map(|version| version.serial).collect();
    assert_eq!(serials, [3, 2, 1]);
    assert_eq!(client.state_content(backend.spec, 1).await.unwrap(), state(1, "one"));
    assert_eq!(client.state_content(backend.spec, 3).await.unwrap()["serial"], 3);
}

#[tokio::test]
async fn a_restore_under_one_key_is_done_once_also_when_two_come_together() {
    let backend = Backend::start().await;
    backend.status("POST", "", &state(1, "one")).await;
    backend.taken.job.finish(&success()).await.unwrap();
    let path = format!("/specs/{}/state/restore", backend.spec);
    let restore = || {
        let request = backend.console.request(Method::POST, &path).header("idempotency-key", "once");
        async { request.json(&json!({ "serial": 1 })).send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let (first, second) = tokio::join!(restore(), restore());
    assert_eq!(first, second);
    assert_eq!(first["current"]["serial"], 2);
    assert_eq!(restore().await, first);
    let versions = backend.console.client.state_versions(backend.spec, &Default::default()).await.unwrap();
    assert_eq!(versions.items.len(), 2);
}

#[tokio::test]
async fn a_lock_of_a_living_holder_needs_force() {
    let backend = Backend::start().await;
    backend.status("LOCK", "", &lock("one")).await;
    let client = &backend.console.client;
    let held = client.state(backend.spec).await.unwrap().lock.unwrap();
    assert!(held.holder_alive);
    assert_eq!(held.job_id, Some(backend.taken.claim.job_id));
    let unlock = |force| UnlockState { lock_id: "one".to_owned(), force };
    let problem = refused(client.unlock_state(backend.spec, &unlock(false)).await);
    assert!(problem.detail.contains("who is alive"), "{}", problem.detail);
    assert_eq!(problem.hint, Some(format!("alethia jobs cancel {}", backend.taken.claim.job_id)));
    let other = UnlockState { lock_id: "two".to_owned(), force: true };
    assert_eq!(code(client.unlock_state(backend.spec, &other).await), Code::Conflict);
    assert!(client.unlock_state(backend.spec, &unlock(true)).await.unwrap().lock.is_none());
}

#[tokio::test]
async fn a_lock_that_was_left_behind_is_released_without_force() {
    let backend = Backend::start().await;
    backend.status("LOCK", "", &lock("one")).await;
    let write = backend.status("POST", "?ID=one", &state(1, "one")).await;
    assert_eq!(write, StatusCode::OK);
    backend.taken.job.finish(&success()).await.unwrap();
    let client = &backend.console.client;
    assert!(!client.state(backend.spec).await.unwrap().lock.unwrap().holder_alive);
    let problem = refused(client.restore_state(backend.spec, &RestoreState { serial: 1 }).await);
    assert_eq!(problem.hint.as_deref(), Some("alethia recover default/shop"));
    let unlock = UnlockState { lock_id: "one".to_owned(), force: false };
    assert!(client.unlock_state(backend.spec, &unlock).await.unwrap().lock.is_none());
}

#[tokio::test]
async fn a_lock_has_a_size_and_a_plan_changes_no_state() {
    let backend = Backend::start().await;
    let mut large = lock("one");
    large["Info"] = "x".repeat(20_000).into();
    assert_eq!(backend.status("LOCK", "", &large).await, StatusCode::PAYLOAD_TOO_LARGE);
    backend.status("POST", "", &state(1, "one")).await;
    backend.taken.job.finish(&success()).await.unwrap();
    backend.console.create_job(backend.spec, JobType::Plan).await;
    let plan = take_and_start(&backend.runner).await;
    let backend = Backend { taken: plan, ..backend };
    assert_eq!(backend.status("LOCK", "", &lock("one")).await, StatusCode::OK);
    assert_eq!(backend.status("GET", "", &json!({})).await, StatusCode::OK);
    for method in ["POST", "DELETE"] {
        assert_eq!(
            backend.status(method, "?ID=one", &state(2, "one")).await,
            StatusCode::CONFLICT,
            "{method}"
        );
    }
    assert_eq!(backend.status("UNLOCK", "", &lock("one")).await, StatusCode::OK);
}
