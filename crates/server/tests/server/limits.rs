//! What does not fit is refused with a problem that says why.

use std::time::Duration;

use alethia_api::problem::Code;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Console, problem};

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_are_problems() {
    let console = Console::start().await;
    let missing = problem(console.open_request(Method::GET, "/nowhere")).await;
    assert_eq!((missing.status, missing.code), (404, Code::NotFound));
    let wrong = problem(console.request(Method::DELETE, "/jobs")).await;
    assert_eq!(wrong.status, 405);
    let no_id = problem(console.request(Method::GET, "/jobs/first")).await;
    assert_eq!(no_id.status, 404);
}

#[tokio::test]
async fn a_body_that_can_not_be_read_says_where() {
    let console = Console::start().await;
    let post = || console.request(Method::POST, "/zones");
    let broken = problem(post().header("content-type", "application/json").body("{")).await;
    assert_eq!((broken.status, broken.code), (400, Code::Invalid));
    let wrong = problem(post().json(&json!({ "name": 5 }))).await;
    assert_eq!((wrong.status, wrong.errors[0].path.as_str()), (422, "name"));
    let unknown = problem(post().json(&json!({ "name": "a", "colour": "red" }))).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.errors[0].message.contains("colour"));
    let no_json = problem(post().body("name=a")).await;
    assert_eq!(no_json.status, 400);
    let no_name = problem(post().json(&json!({ "name": "../etc" }))).await;
    assert_eq!(no_name.errors[0].path, "name");
}

#[tokio::test]
async fn a_document_made_to_do_harm_is_refused() {
    let console = Console::start().await;
    let put = |body: Vec<u8>| {
        let request = console.request(Method::PUT, "/zones/default/specs/a");
        problem(request.header("content-type", "application/json").body(body))
    };
    let twice = put(br#"{"document": {"queues": [{"name": "a", "name": "b"}]}}"#.to_vec()).await;
    assert_eq!((twice.status, twice.errors[0].path.as_str()), (422, "document.queues[0]"));
    assert!(twice.errors[0].message.starts_with("the key \"name\" is there twice"));
    let deep = put(format!("{{\"document\": {}", "[".repeat(100_000)).into_bytes()).await;
    assert_eq!((deep.status, deep.code), (400, Code::Invalid));
    let no_text = put(b"{\"document\": {\"name\": \"\xff\"}}".to_vec()).await;
    assert_eq!((no_text.status, no_text.code), (400, Code::Invalid));
    let many = put(format!("{{\"document\": [{}1]}}", "1,".repeat(300_000)).into_bytes()).await;
    assert_eq!(many.errors[0].message, "the document holds too much; allowed: at most 100000 values");
}

#[tokio::test]
async fn a_body_or_a_page_that_is_too_large_is_refused() {
    let console = Console::with(|config| config.limits.body = 1000).await;
    let large = json!({ "name": "a", "description": "x".repeat(2000) });
    let refused = problem(console.request(Method::POST, "/zones").json(&large)).await;
    assert_eq!((refused.status, refused.code), (413, Code::TooLarge));
    for limit in ["0", "201"] {
        let refused = problem(console.request(Method::GET, &format!("/zones?limit={limit}"))).await;
        assert_eq!(refused.errors[0].path, "limit");
    }
    let cursor = problem(console.request(Method::GET, "/zones?cursor=x")).await;
    assert_eq!(cursor.errors[0].path, "cursor");
    let number = problem(console.request(Method::GET, "/zones?limit=many")).await;
    assert_eq!(number.status, 400);
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_stored() {
    let console = Console::start().await;
    let response = console.request(Method::GET, "/zones").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers()["x-request-id"].is_empty());
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn an_id_from_outside_is_kept_unless_it_is_wild() {
    let console = Console::start().await;
    let long = "x".repeat(10_000);
    for (sent, kept) in [("trace-17", true), (long.as_str(), false), ("a\tb", false)] {
        let request = console.request(Method::GET, "/zones").header("x-request-id", sent);
        let id = request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(id == sent, kept, "{id}");
    }
}

#[tokio::test]
async fn who_has_no_valid_token_too_often_is_told_to_come_later_and_nobody_else_is() {
    let console = Console::start().await;
    let unknown = || console.open_request(Method::GET, "/api/v1/zones").bearer_auth("ala_unknown").send();
    for _ in 0..30 {
        assert_eq!(unknown().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let refused = unknown().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(console.request(Method::GET, "/zones").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_path() {
    let console = Console::start().await;
    for _ in 0..2 {
        problem(console.request(Method::GET, "/zones/nowhere")).await;
    }
    let request = console.open_request(Method::GET, "/metrics").bearer_auth(console.server.owner_token());
    let text = request.send().await.unwrap().text().await.unwrap();
    let line = "alethia_http_requests_total{method=\"GET\",route=\"/api/v1/zones/{zone}\",status=\"404\"} 2";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("alethia_jobs{status=\"QUEUED\"} 0"), "{text}");
}

#[tokio::test]
async fn a_console_is_ready_once_its_database_answers() {
    let console = Console::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(console.open_request(Method::GET, path).send().await.unwrap().text().await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let console = Console::with(|config| config.limits.idle_time = Duration::from_millis(200)).await;
    for beginning in ["", "PRI ", "GET /healthz HTTP/1.1\r\n"] {
        let mut connection = TcpStream::connect(console.server.address()).await.unwrap();
        connection.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), connection.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "after {beginning:?}");
    }
}
