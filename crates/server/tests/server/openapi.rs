//! The API's description, kept as a snapshot: a change of the contract is seen in review.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::Console;

#[tokio::test]
async fn the_description_is_the_one_that_was_reviewed() {
    let console = Console::start().await;
    let response = console.open_request(Method::GET, "/openapi.json").send().await.unwrap();
    let api: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let ids: Vec<&str> = api["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each operation has an id of its own");
    insta::assert_json_snapshot!(api, { ".info.version" => "[version]" });
}

#[tokio::test]
async fn the_reference_page_brings_all_it_needs() {
    let console = Console::start().await;
    for (path, kind) in
        [("/", "text/html"), ("/docs/", "text/html"), ("/docs/swagger-ui-bundle.js", "text/javascript")]
    {
        let response = console.open_request(Method::GET, path).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
}
