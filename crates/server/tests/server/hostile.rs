//! Requests made to do harm, against every route that takes a body or a name: each is refused in a problem of ours, that
//! is short, and none is the Console's fault. The routes are read from the API's own description: a new one is covered.

use alethia_api::problem::{CONTENT_TYPE, Problem};
use alethia_domain::lifecycle::JobType;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Console, Taken, document, take_and_start};

/// Longest answer to a request that is refused, in bytes.
const LONGEST: usize = 64 << 10;
const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

/// A Console with small limits, and whoever may use its routes.
struct Target {
    console: Console,
    runner: String,
    taken: Taken,
}

/// A route as the description has it.
struct Route {
    method: Method,
    path: String,
    /// What its body is: `None` for a route without one.
    body: Option<String>,
}

impl Target {
    async fn start() -> Self {
        let console = Console::with(|config| {
            config.limits.body = 10_000;
            config.limits.logs = 20_000;
            config.limits.plan_file = 30_000;
            config.limits.state = 30_000;
        });
        let console = console.await;
        let spec = console.put(document(&["orders"])).await.spec.id;
        let runner = console.server.register_local_runner("local").await.unwrap();
        console.create_job(spec, JobType::Deploy).await;
        let client = alethia_api::client::RunnerClient::new(&console.server.url(), &runner).unwrap();
        let taken = take_and_start(&client).await;
        Self { console, runner, taken }
    }

    async fn routes(&self) -> Vec<Route> {
        let description = self.console.open_request(Method::GET, "/openapi.json").send().await.unwrap();
        let description: Value = serde_json::from_slice(&description.bytes().await.unwrap()).unwrap();
        let mut routes = Vec::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters")
            {
                let content = operation["requestBody"]["content"].as_object();
                let body = content.and_then(|content| content.keys().next().cloned());
                let method = method.to_uppercase().parse().unwrap();
                routes.push(Route { method, path: path.clone(), body });
            }
        }
        routes
    }

    /// A request by whoever may do it, with a name or an id in the place of each parameter.
    fn request(&self, route: &Route, name: &str) -> RequestBuilder {
        let of_runner = route.path.starts_with("/api/v1/runner/");
        let job = self.taken.claim.job_id.to_string();
        let id = if of_runner { job.as_str() } else { NOBODY };
        let path = route.path.replace("{id}", id).replace("{number}", "1").replace("{serial}", "1");
        let path = path.replace("{zone}", name).replace("{name}", name);
        let token = match route.path.as_str() {
            "/api/v1/runner/claim" => &self.runner,
            _ if of_runner => &self.taken.claim.job_token,
            _ => self.console.server.owner_token(),
        };
        self.console.open_request(route.method.clone(), &path).bearer_auth(token)
    }
}

/// Sends a request; its status, after a look at how it was refused.
async fn refused(case: &str, request: RequestBuilder) -> StatusCode {
    let response = request.send().await.unwrap_or_else(|error| panic!("{case}: {error}"));
    let status = response.status();
    assert!(!status.is_server_error(), "{case}: {status}");
    if status.is_client_error() {
        assert_eq!(response.headers()["content-type"], CONTENT_TYPE, "{case}");
        let body = response.bytes().await.unwrap();
        assert!(body.len() <= LONGEST, "{case}: an answer of {} bytes", body.len());
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.status, status.as_u16(), "{case}");
    }
    status
}

fn broken_json() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("cut short", b"{".to_vec()),
        ("deep", "[".repeat(9_000).into_bytes()),
        ("deep in a field", format!("{{\"name\": {}", "{\"a\":".repeat(1_500)).into_bytes()),
        ("no text", b"{\"name\": \"\xff\"}".to_vec()),
        ("half a character", b"{\"name\": \"\\ud800\"}".to_vec()),
        ("two documents", b"{} {}".to_vec()),
        ("no JSON", b"name: a".to_vec()),
    ]
}

#[tokio::test]
async fn a_broken_or_oversized_body_is_refused_by_every_route_that_takes_one() {
    let target = Target::start().await;
    let mut tried = 0;
    for route in target.routes().await {
        let Some(kind) = &route.body else { continue };
        let send = |body: Vec<u8>| target.request(&route, "a").header("content-type", kind).body(body);
        let case = |what: &str| format!("{} {}: {what}", route.method, route.path);
        let large = refused(&case("large"), send(vec![b'['; 100_000])).await;
        assert_eq!(large, StatusCode::PAYLOAD_TOO_LARGE, "{}", case("large"));
        if kind == "application/json" {
            for (what, body) in broken_json() {
                let status = refused(&case(what), send(body)).await;
                assert!(status.is_client_error(), "{}: {status}", case(what));
            }
            for odd in ["null", "[]", "7", r#"{"name": "a", "name": "b"}"#, r#"{"\u0000": "\u0000"}"#] {
                refused(&case(odd), send(odd.into())).await;
            }
        }
        tried += 1;
    }
    assert!(tried >= 15, "{tried} routes take a body");
}

#[tokio::test]
async fn a_name_that_is_a_path_or_no_text_names_nothing() {
    let target = Target::start().await;
    let long = "x".repeat(9_000);
    for route in target.routes().await {
        if !route.path.contains("{zone}") && !route.path.contains("{name}") {
            continue;
        }
        for name in ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "%ff%fe", "a%20b", "%F0%9F%92%A9", &long] {
            let request = target.request(&route, name);
            let request = match &route.body {
                Some(_) => request.json(&json!({ "document": {}, "max_jobs": null })),
                None => request,
            };
            let case = format!("{} {} with {}", route.method, route.path, &name[..name.len().min(30)]);
            let status = refused(&case, request).await;
            assert!(status.is_client_error(), "{case}: {status}");
        }
    }
}

#[tokio::test]
async fn ten_megabytes_in_a_name_or_a_label_are_refused_and_not_repeated() {
    let console = Console::with(|config| config.limits.body = 64 << 20).await;
    let long = "x".repeat(10 << 20);
    for (path, body) in [
        ("/runners", json!({ "name": long, "labels": [] })),
        ("/runners", json!({ "name": "a", "labels": [long] })),
        ("/runners", json!({ "name": "a", "labels": vec!["x"; 100_000] })),
        ("/zones", json!({ "name": long })),
        ("/zones", json!({ "name": "a", "description": long })),
        ("/tokens", json!({ "name": long, "role": "viewer" })),
        ("/tokens", json!({ "name": "a", "role": long })),
        ("/cloud-identities", json!({ "name": long })),
    ] {
        let case = format!("{path} {}", body.to_string().chars().take(40).collect::<String>());
        let status = refused(&case, console.request(Method::POST, path).json(&body)).await;
        assert!(status.is_client_error(), "{case}: {status}");
    }
}

#[tokio::test]
async fn ten_megabytes_in_a_head_end_the_connection() {
    let console = Console::start().await;
    for head in ["GET /healthz HTTP/1.1\r\nx-long: ", "GET /", "GET /healthz HTTP/1.1\r\n"] {
        let mut connection = TcpStream::connect(console.server.address()).await.unwrap();
        let more = if head.ends_with("\r\n") { "a: b\r\n".repeat(2 << 20) } else { "x".repeat(10 << 20) };
        connection.write_all(head.as_bytes()).await.unwrap();
        // Refused in the middle, or read to its end and refused then.
        let written = connection.write_all(more.as_bytes()).await;
        let mut answer = Vec::new();
        let read = connection.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let refused =
            ["400", "414", "431"].iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status}")));
        assert!(refused || written.is_err() || read.is_err(), "{head:?}: {answer}");
    }
    let alive = console.open_request(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
}
