//! No route is open: each has a case here that says who may use it, and each case holds.

use std::collections::{BTreeMap, BTreeSet};

use alethia_domain::{lifecycle::JobType, role::Role};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Console, claim_request, document, take};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Anybody; with the reason.
    Anybody(&'static str),
    /// Whoever has a token of at least this role.
    Person(Role),
    /// A Runner.
    Runner,
    /// The current attempt at a job.
    Attempt,
}

const HEALTH: &str = "an orchestrator has no token, and the answer tells nothing";
const VIEWER: Who = Who::Person(Role::Viewer);
const OPERATOR: Who = Who::Person(Role::Operator);
const ADMIN: Who = Who::Person(Role::Admin);
const OWNER: Who = Who::Person(Role::Owner);

const CASES: &[(&str, &str, Who)] = &[
    ("GET", "/healthz", Who::Anybody(HEALTH)),
    ("GET", "/readyz", Who::Anybody(HEALTH)),
    ("GET", "/metrics", VIEWER),
    ("GET", "/api/v1/version", VIEWER),
    ("GET", "/api/v1/zones", VIEWER),
    ("POST", "/api/v1/zones", ADMIN),
    ("GET", "/api/v1/zones/{zone}", VIEWER),
    ("PATCH", "/api/v1/zones/{zone}", ADMIN),
    ("DELETE", "/api/v1/zones/{zone}", ADMIN),
    ("GET", "/api/v1/zones/{zone}/specs/{name}", VIEWER),
    ("PUT", "/api/v1/zones/{zone}/specs/{name}", OPERATOR),
    ("GET", "/api/v1/specs", VIEWER),
    ("GET", "/api/v1/specs/{id}", VIEWER),
    ("DELETE", "/api/v1/specs/{id}", ADMIN),
    ("GET", "/api/v1/specs/{id}/revisions", VIEWER),
    ("GET", "/api/v1/specs/{id}/revisions/{number}", VIEWER),
    ("GET", "/api/v1/specs/{id}/diff", VIEWER),
    ("POST", "/api/v1/specs/{id}/rollback", OPERATOR),
    ("POST", "/api/v1/specs/{id}/jobs", OPERATOR),
    ("POST", "/api/v1/specs/{id}/recover", OPERATOR),
    ("GET", "/api/v1/specs/{id}/state", VIEWER),
    ("GET", "/api/v1/specs/{id}/state/versions", VIEWER),
    ("GET", "/api/v1/specs/{id}/state/versions/{serial}", ADMIN),
    ("POST", "/api/v1/specs/{id}/state/restore", ADMIN),
    ("POST", "/api/v1/specs/{id}/state/unlock", ADMIN),
    ("GET", "/api/v1/jobs", VIEWER),
    ("GET", "/api/v1/jobs/{id}", VIEWER),
    ("GET", "/api/v1/jobs/{id}/plan", VIEWER),
    ("GET", "/api/v1/jobs/{id}/logs", VIEWER),
    ("GET", "/api/v1/jobs/{id}/stream", VIEWER),
    ("POST", "/api/v1/jobs/{id}/cancel", OPERATOR),
    ("POST", "/api/v1/jobs/{id}/retry", OPERATOR),
    ("GET", "/api/v1/events", VIEWER),
    ("GET", "/api/v1/cloud-identities", VIEWER),
    ("POST", "/api/v1/cloud-identities", ADMIN),
    ("DELETE", "/api/v1/cloud-identities/{name}", ADMIN),
    ("GET", "/api/v1/runners", VIEWER),
    ("POST", "/api/v1/runners", ADMIN),
    ("DELETE", "/api/v1/runners/{name}", ADMIN),
    ("GET", "/api/v1/keys", OWNER),
    ("POST", "/api/v1/keys/{id}/rotate", OWNER),
    ("DELETE", "/api/v1/keys/{id}", OWNER),
    ("GET", "/api/v1/tokens", OWNER),
    ("POST", "/api/v1/tokens", OWNER),
    ("DELETE", "/api/v1/tokens/{id}", OWNER),
    ("POST", "/api/v1/runner/claim", Who::Runner),
    ("POST", "/api/v1/runner/jobs/{id}/start", Who::Attempt),
    ("POST", "/api/v1/runner/jobs/{id}/release", Who::Attempt),
    ("POST", "/api/v1/runner/jobs/{id}/heartbeat", Who::Attempt),
    ("POST", "/api/v1/runner/jobs/{id}/logs", Who::Attempt),
    ("POST", "/api/v1/runner/jobs/{id}/progress", Who::Attempt),
    ("GET", "/api/v1/runner/jobs/{id}/plan/file", Who::Attempt),
    ("PUT", "/api/v1/runner/jobs/{id}/plan/file", Who::Attempt),
    ("PUT", "/api/v1/runner/jobs/{id}/plan", Who::Attempt),
    ("PUT", "/api/v1/runner/jobs/{id}/state/rescue", Who::Attempt),
    ("POST", "/api/v1/runner/jobs/{id}/finish", Who::Attempt),
];

/// The state backend has methods that no OpenAPI document knows.
const BACKEND: &[&str] = &["GET", "POST", "DELETE", "LOCK", "UNLOCK", "PATCH"];

/// One token of each kind, and what they are good for.
struct Tokens {
    roles: BTreeMap<Role, String>,
    runner: String,
    attempt: String,
    job: String,
    spec: String,
}

#[tokio::test]
async fn every_route_has_a_case_that_says_who_may_use_it() {
    let console = Console::with(|config| config.limits.failures = u32::MAX).await;
    let response = console.open_request(Method::GET, "/openapi.json").send().await.unwrap();
    let api: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let described: BTreeSet<(String, String)> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().filter(|key| key.as_str() != "parameters");
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let cases = CASES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, cases);
}

#[tokio::test]
async fn each_case_holds() {
    let console = Console::with(|config| config.limits.failures = u32::MAX).await;
    let tokens = tokens(&console).await;
    for (method, path, who) in CASES {
        check(&console, &tokens, method, path, *who).await;
    }
    for method in BACKEND {
        check(&console, &tokens, method, "/api/v1/state/{spec_id}", Who::Attempt).await;
    }
}

async fn check(console: &Console, tokens: &Tokens, method: &str, path: &str, who: Who) {
    let case = format!("{method} {path}");
    let without = status(console, tokens, method, path, None).await;
    if let Who::Anybody(_) = who {
        assert_eq!(without, StatusCode::OK, "{case}");
        return;
    }
    assert_eq!(without, StatusCode::UNAUTHORIZED, "{case} without a token");
    for unknown in ["ala_unknown", "alr_unknown", "alj_unknown", "unknown"] {
        let refused = status(console, tokens, method, path, Some(unknown)).await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED, "{case} with {unknown}");
    }
    for (role, token) in &tokens.roles {
        let answer = status(console, tokens, method, path, Some(token)).await;
        match who {
            Who::Person(needed) if *role >= needed => allowed(answer, &format!("{case} as {role}")),
            Who::Person(_) => assert_eq!(answer, StatusCode::FORBIDDEN, "{case} as {role}"),
            Who::Runner | Who::Attempt | Who::Anybody(_) => {
                assert_eq!(answer, StatusCode::UNAUTHORIZED, "{case} as {role}");
            }
        }
    }
    let runner = status(console, tokens, method, path, Some(&tokens.runner)).await;
    let attempt = status(console, tokens, method, path, Some(&tokens.attempt)).await;
    match who {
        Who::Runner => allowed(runner, &format!("{case} as a Runner")),
        Who::Person(_) | Who::Attempt | Who::Anybody(_) => {
            assert_eq!(runner, StatusCode::UNAUTHORIZED, "{case} as a Runner");
        }
    }
    match who {
        Who::Attempt => allowed(attempt, &format!("{case} as an attempt")),
        Who::Person(_) | Who::Runner | Who::Anybody(_) => {
            assert_eq!(attempt, StatusCode::UNAUTHORIZED, "{case} as an attempt");
        }
    }
}

fn allowed(status: StatusCode, case: &str) {
    assert!(!matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{case}: {status}");
}

async fn status(
    console: &Console,
    tokens: &Tokens,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> StatusCode {
    let id = if path.contains("/runner/jobs/") { tokens.job.as_str() } else { NOBODY };
    let path = path
        .replace("{id}", id)
        .replace("{spec_id}", &tokens.spec)
        .replace("{zone}", "nowhere")
        .replace("{name}", "nobody")
        .replace("{number}", "1")
        .replace("{serial}", "1");
    let mut request = console.open_request(method.parse().unwrap(), &path);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().status()
}

const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

async fn tokens(console: &Console) -> Tokens {
    let mut roles = BTreeMap::new();
    for role in Role::ALL {
        roles.insert(role, console.token(role).await);
    }
    let runner = console.server.register_local_runner("local").await.unwrap();
    let spec = console.put(document(&["orders"])).await;
    console.create_job(spec.spec.id, JobType::Plan).await;
    let client = alethia_api::client::RunnerClient::new(&console.server.url(), &runner).unwrap();
    let taken = take(&client).await;
    assert!(client.claim(&claim_request(0)).await.unwrap().is_none());
    Tokens {
        roles,
        runner,
        attempt: taken.claim.job_token.clone(),
        job: taken.claim.job_id.to_string(),
        spec: spec.spec.id.to_string(),
    }
}
