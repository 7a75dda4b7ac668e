//! What was done and what was refused stands in the audit log.

use alethia_domain::role::Role;
use alethia_store::{PageRequest, audit};
use reqwest::Method;
use serde_json::json;

use crate::support::{Console, document, problem};

#[tokio::test]
async fn mutations_and_refusals_are_kept_with_who_and_what() {
    let console = Console::start().await;
    let viewer = console.token(Role::Viewer).await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let refused = console
        .open_request(Method::POST, "/api/v1/zones")
        .bearer_auth(viewer)
        .json(&json!({ "name": "payments" }));
    assert_eq!(problem(refused).await.status, 403);
    let conflict = console.request(Method::DELETE, "/zones/default");
    assert_eq!(problem(conflict).await.status, 409);
    let entries = audit::list(&console.server.app().store, PageRequest::first(50)).await.unwrap();
    let told: Vec<(String, String, String, bool)> = entries
        .items
        .into_iter()
        .map(|recorded| recorded.entry)
        .map(|entry| (entry.actor, entry.action, entry.subject, entry.allowed))
        .collect();
    let has = |actor: &str, action: &str, subject: &str, allowed: bool| {
        told.contains(&(actor.to_owned(), action.to_owned(), subject.to_owned(), allowed))
    };
    assert!(has("owner", "token.create", "a-viewer", true), "{told:?}");
    assert!(has("owner", "spec.put", &spec.to_string(), true), "{told:?}");
    assert!(has("a-viewer", "POST /api/v1/zones", "/api/v1/zones", false), "{told:?}");
    assert!(has("owner", "DELETE /api/v1/zones/{zone}", "/api/v1/zones/default", false), "{told:?}");
}

#[tokio::test]
async fn an_unknown_token_leaves_nothing_behind() {
    let console = Console::start().await;
    let request = console.open_request(Method::POST, "/api/v1/zones").bearer_auth("ala_unknown");
    assert_eq!(problem(request).await.status, 401);
    let entries = audit::list(&console.server.app().store, PageRequest::first(50)).await.unwrap();
    assert!(entries.items.is_empty());
}
