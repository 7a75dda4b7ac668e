//! The replies of the state backend, call by call: exact statuses and bodies, on both databases.
//!
//! Terraform's client accepts 200 and 204 for a read, 200 for the rest, and reads the holder's lock from a 423. The rest
//! of a refusal is for people: a problem that says what is wrong.

use std::time::Duration;

use alethia_domain::lifecycle::JobType;
use alethia_store::{PageRequest, audit};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Console, Taken, document, success, take_and_start};

/// An attempt at a DEPLOY, and the address of its state.
struct Backend {
    console: Console,
    taken: Taken,
    path: String,
}

impl Backend {
    /// One on each database.
    async fn both() -> [Self; 2] {
        let database = alethia_testkit::postgres::Postgres::shared().unwrap().create_database().unwrap();
        let slow = |config: &mut alethia_server::Config| {
            config.lease = Duration::from_secs(600);
            config.limits.state = 100_000;
        };
        let sqlite = Console::with(slow).await;
        let postgres = Console::with(|config| {
            slow(config);
            config.database = database;
        });
        [Self::of(sqlite).await, Self::of(postgres.await).await]
    }

    async fn of(console: Console) -> Self {
        let spec = console.put(document(&["orders"])).await.spec.id;
        let runner = console.runner().await;
        console.create_job(spec, JobType::Deploy).await;
        let taken = take_and_start(&runner).await;
        Self { console, taken, path: format!("/api/v1/state/{spec}") }
    }

    fn request(&self, method: &str, query: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.console.open_request(method, &format!("{}{query}", self.path))
    }

    fn call(&self, method: &str, query: &str) -> RequestBuilder {
        self.request(method, query).basic_auth("job", Some(&self.taken.claim.job_token))
    }

    /// Calls with a body, and gives the status and the body of the answer.
    async fn says(&self, method: &str, query: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        answer(self.call(method, query).header("content-type", "application/json").body(body)).await
    }

    /// Calls, and gives the status and the detail of the problem.
    async fn refuses(&self, method: &str, query: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let (status, body) = self.says(method, query, body).await;
        (status, detail(&body))
    }
}

async fn answer(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn detail(problem: &str) -> String {
    let problem: Value = serde_json::from_str(problem).unwrap_or_else(|_| panic!("no problem: {problem}"));
    problem["detail"].as_str().unwrap().to_owned()
}

fn state(serial: u64, lineage: &str) -> String {
    json!({ "version": 4, "serial": serial, "lineage": lineage, "resources": [] }).to_string()
}

fn lock(id: &str) -> Value {
    json!({
        "ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "job@runner", "Version": "1.11.4",
        "Created": "2026-01-01T00:00:00Z", "Path": "",
    })
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn told(status: u16, detail: &str) -> (u16, String) {
    (status, detail.to_owned())
}

#[tokio::test]
async fn read_write_and_delete() {
    for backend in Backend::both().await {
        assert_eq!(backend.says("GET", "", "").await, told(204, ""));
        assert_eq!(backend.says("DELETE", "", "").await, ok(), "nothing is there, and that is fine");
        assert_eq!(backend.says("POST", "", state(4, "one")).await, ok());
        assert_eq!(backend.says("POST", "", state(4, "one")).await, ok(), "the same again");
        assert_eq!(backend.says("GET", "", "").await, (200, state(4, "one")));
        let back = backend.refuses("POST", "", state(3, "one")).await;
        assert_eq!(back, told(409, "serial 3 does not follow serial 4"));
        let other = json!({ "version": 4, "serial": 4, "lineage": "one", "resources": [], "outputs": {} });
        let other = backend.refuses("POST", "", other.to_string()).await;
        assert_eq!(other, told(409, "serial 4 does not follow serial 4"), "the same serial, other content");
        let foreign = backend.refuses("POST", "", state(9, "two")).await;
        assert_eq!(foreign, told(409, "lineage \"two\" is not \"one\""));
        assert_eq!(backend.says("DELETE", "", "").await, ok());
        assert_eq!(backend.says("GET", "", "").await, told(204, ""));
        let forgotten = backend.refuses("POST", "", state(4, "one")).await;
        assert_eq!(forgotten, told(409, "serial 4 does not follow serial 4"), "a forgotten state stays so");
        assert_eq!(backend.says("POST", "", state(1, "two")).await, ok(), "another begins");
    }
}

#[tokio::test]
async fn lock_and_unlock() {
    for backend in Backend::both().await {
        let body = |id: &str| lock(id).to_string();
        assert_eq!(backend.says("UNLOCK", "", body("one")).await, ok(), "none is held, and that is fine");
        assert_eq!(backend.says("LOCK", "", body("one")).await, ok());
        assert_eq!(backend.says("LOCK", "", body("one")).await, ok(), "the same again");
        let (status, holder) = backend.says("LOCK", "", body("two")).await;
        let holder: Value = serde_json::from_str(&holder).unwrap();
        assert_eq!((status, holder), (423, lock("one")), "who, what and since when");
        for (method, query) in [("POST", ""), ("POST", "?ID=two"), ("DELETE", ""), ("DELETE", "?ID=two")] {
            let (status, holder) = backend.says(method, query, state(1, "one")).await;
            let holder: Value = serde_json::from_str(&holder).unwrap();
            assert_eq!((status, holder), (423, lock("one")), "{method} {query}");
        }
        assert_eq!(backend.says("POST", "?ID=one", state(1, "one")).await, ok());
        let other = backend.refuses("UNLOCK", "", body("two")).await;
        assert_eq!(other, told(409, "the state is not locked with id \"two\""));
        assert_eq!(backend.says("UNLOCK", "", r#"{"ID": "one"}"#).await, ok(), "the id alone");
        let gone = backend.refuses("POST", "?ID=one", state(2, "one")).await;
        assert_eq!(gone, told(409, "the state is not locked with id \"one\""));
        assert_eq!(backend.says("LOCK", "", body("two")).await, ok());
        assert_eq!(backend.says("UNLOCK", "", "").await, ok(), "as terraform force-unlock sends it");
        assert_eq!(backend.says("LOCK", "", body("three")).await, ok());
    }
}

#[tokio::test]
async fn what_is_no_body_of_its_call() {
    for backend in Backend::both().await {
        for (body, why) in [
            ("", "the content is no Terraform state: it is no JSON object"),
            ("no state", "the content is no Terraform state: it is no JSON object"),
            ("[1]", "the content is no Terraform state: it is no JSON object"),
            (
                r#"{"serial": 1}"#,
                "the content is no Terraform state: missing field `lineage` at line 1 column 13",
            ),
        ] {
            assert_eq!(backend.refuses("POST", "", body).await, told(400, why), "{body:?}");
        }
        for (body, why) in [
            ("{", "the lock is no JSON: EOF while parsing an object at line 1 column 1"),
            ("{}", "the lock can't be read: a lock needs an ID"),
            ("[]", "the lock can't be read: a lock needs an ID"),
        ] {
            assert_eq!(backend.refuses("LOCK", "", body).await, told(400, why), "{body:?}");
        }
        let damaged = backend.call("POST", "").header("content-md5", STANDARD.encode(Md5::digest(b"other")));
        let (status, body) = answer(damaged.body(state(1, "one"))).await;
        let why = "the body does not fit its Content-MD5; nothing was changed";
        assert_eq!((status, detail(&body)), told(400, why));
        let sound = STANDARD.encode(Md5::digest(state(1, "one").as_bytes()));
        let sound = backend.call("POST", "").header("content-md5", sound).body(state(1, "one"));
        assert_eq!(answer(sound).await, ok());
        let large = format!("{{\"x\": \"{}\"}}", "x".repeat(100_000));
        let why = "the body is larger than the 100000 bytes allowed";
        assert_eq!(backend.refuses("POST", "", large).await, told(413, why));
        let mut long = lock("one");
        long["Info"] = "x".repeat(20_000).into();
        let why = "the lock is larger than the 16384 bytes allowed";
        assert_eq!(backend.refuses("LOCK", "", long.to_string()).await, told(413, why));
        let patch = backend.refuses("PATCH", "", "{}").await;
        assert_eq!(patch, told(405, &format!("{} does not take PATCH", backend.path)));
    }
}

#[tokio::test]
async fn who_may_not() {
    for backend in Backend::both().await {
        backend.says("POST", "", state(1, "one")).await;
        let calls = ["GET", "POST", "DELETE", "LOCK", "UNLOCK"];
        for method in calls {
            let stranger = backend.request(method, "").basic_auth("job", Some("alj_unknown"));
            let (status, body) = answer(stranger.json(&lock("one"))).await;
            assert_eq!((status, detail(&body)), told(401, "the job token is unknown"), "{method}");
            let nobody = answer(backend.request(method, "").json(&lock("one"))).await;
            assert_eq!(nobody.0, 401, "{method}");
        }
        let elsewhere =
            backend.console.open_request(Method::GET, "/api/v1/state/018f0000-0000-7000-8000-000000000000");
        let elsewhere = answer(elsewhere.basic_auth("job", Some(&backend.taken.claim.job_token))).await;
        assert_eq!(elsewhere.0, 404, "the state of another Spec");
        backend.taken.job.finish(&success()).await.unwrap();
        for method in calls {
            let (status, body) = backend.says(method, "", lock("one").to_string()).await;
            let problem: Value = serde_json::from_str(&body).unwrap();
            let why = "this attempt at the job is over; nothing was changed";
            assert_eq!(
                (status, &problem["code"], &problem["detail"]),
                (409, &json!("lease_lost"), &json!(why))
            );
            let shown = if method == "LOCK" { json!(format!("none, but {why}")) } else { Value::Null };
            assert_eq!(problem["ID"], shown, "{method}: what Terraform shows of it");
        }
    }
}

#[tokio::test]
async fn a_lock_of_another_attempt_that_an_attempt_releases_stands_in_the_audit() {
    for backend in Backend::both().await {
        assert_eq!(backend.says("LOCK", "", lock("one").to_string()).await, ok());
        backend.taken.job.finish(&success()).await.unwrap();
        let spec = backend.taken.claim.spec_id;
        let audited = async |console: &Console| {
            let entries =
                audit::list(&console.server.app().store, PageRequest::first(50)).await.unwrap().items;
            entries.into_iter().map(|kept| kept.entry).find(|entry| entry.action == "state.unlock")
        };
        let runner = alethia_api::runners::NewRunner { name: "second".to_owned(), labels: Vec::new() };
        let runner = backend.console.client.register_runner(&runner).await.unwrap();
        let runner =
            alethia_api::client::RunnerClient::new(&backend.console.server.url(), &runner.token).unwrap();
        backend.console.create_job(spec, JobType::Plan).await;
        let taken = take_and_start(&runner).await;
        let backend = Backend { taken, ..backend };
        assert_eq!(backend.says("LOCK", "", lock("two").to_string()).await.0, 423);
        assert_eq!(audited(&backend.console).await, None);
        assert_eq!(backend.says("UNLOCK", "", "").await, ok());
        let entry = audited(&backend.console).await.expect("it is kept");
        assert_eq!(entry.actor, format!("job {}", backend.taken.claim.job_id));
        assert_eq!((entry.subject, &entry.detail["lock"]), (spec.to_string(), &json!("one")));
    }
}
