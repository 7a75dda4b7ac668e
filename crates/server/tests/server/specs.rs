//! Specs and Zones: written, compared, brought back, deleted.

use alethia_api::{
    page::PageQuery,
    problem::Code,
    specs::{PutSpec, Rollback, SpecQuery},
    zones::NewZone,
};
use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    lifecycle::{ComponentStatus, JobType, SpecStatus},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Console, code, document, problem, refused, success, take_and_start};

fn put(queues: &[&str]) -> PutSpec {
    PutSpec { document: document(queues), message: None }
}

#[tokio::test]
async fn a_new_spec_is_a_draft_with_pending_components() {
    let console = Console::start().await;
    let request = console.request(Method::PUT, "/zones/default/specs/shop").json(&put(&["orders"]));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["etag"], "\"1\"");
    let spec = console.client.spec_by_name("default", "shop").await.unwrap();
    assert_eq!(spec.spec.status, SpecStatus::Draft);
    assert_eq!(spec.components[0].component, ComponentRef::named(ComponentKind::Queue, "orders"));
    assert_eq!(spec.components[0].status, ComponentStatus::Pending);
}

#[tokio::test]
async fn the_same_document_again_makes_no_revision() {
    let console = Console::start().await;
    let first = console.put(document(&["orders"])).await;
    let again = console.put(document(&["orders"])).await;
    assert_eq!((first.spec.revision, again.spec.revision), (1, 1));
}

#[tokio::test]
async fn a_lost_update_is_refused() {
    let console = Console::start().await;
    console.put(document(&["orders"])).await;
    let mine = console.client.put_spec("default", "shop", &put(&["orders", "mine"]), Some(1)).await;
    assert_eq!(mine.unwrap().spec.revision, 2);
    let theirs = console.client.put_spec("default", "shop", &put(&["orders", "theirs"]), Some(1)).await;
    let problem = refused(theirs);
    assert_eq!((problem.code, problem.status), (Code::PreconditionFailed, 412));
    let spec = console.client.spec_by_name("default", "shop").await.unwrap();
    assert_eq!(spec.document, document(&["orders", "mine"]));
}

#[tokio::test]
async fn a_write_can_demand_that_there_is_no_such_spec() {
    let console = Console::start().await;
    let write = || {
        console
            .request(Method::PUT, "/zones/default/specs/shop")
            .header("if-none-match", "*")
            .json(&put(&["orders"]))
    };
    assert_eq!(write().send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(problem(write()).await.code, Code::PreconditionFailed);
}

#[tokio::test]
async fn a_wrong_document_is_refused_with_all_its_faults() {
    let console = Console::start().await;
    let mut wrong = document(&["orders"]);
    wrong["stage"] = json!("prod");
    wrong["queues"][0]["colour"] = json!("red");
    wrong["topics"] = json!([{}]);
    let put = PutSpec { document: wrong, message: None };
    let problem = refused(console.client.put_spec("default", "shop", &put, None).await);
    assert_eq!((problem.code, problem.status), (Code::Invalid, 422));
    let paths: Vec<&str> = problem.errors.iter().map(|fault| fault.path.as_str()).collect();
    assert!(paths.contains(&"stage"), "{paths:?}");
    assert!(paths.iter().any(|path| path.contains("queues")), "{paths:?}");
    assert!(paths.iter().any(|path| path.contains("topics")), "{paths:?}");
}

#[tokio::test]
async fn a_document_must_be_the_one_of_the_address() {
    let console = Console::start().await;
    let problem = refused(console.client.put_spec("default", "other", &put(&["orders"]), None).await);
    assert_eq!(problem.errors[0].path, "name");
}

#[tokio::test]
async fn an_unknown_identity_is_a_fault_of_the_document() {
    let console = Console::start().await;
    let mut unknown = document(&["orders"]);
    unknown["cloud"]["identity"] = json!("nobody");
    let put = PutSpec { document: unknown, message: None };
    let problem = refused(console.client.put_spec("default", "shop", &put, None).await);
    assert_eq!(problem.errors[0].path, "cloud.identity");
}

#[tokio::test]
async fn a_missing_zone_says_how_to_make_it() {
    let console = Console::start().await;
    let mut elsewhere = document(&["orders"]);
    elsewhere["zone"] = json!("payments");
    let put = PutSpec { document: elsewhere, message: None };
    let problem = refused(console.client.put_spec("payments", "shop", &put, None).await);
    assert_eq!(problem.code, Code::NotFound);
    assert_eq!(problem.hint.unwrap(), "alethia zone create payments");
}

#[tokio::test]
async fn revisions_are_compared_and_brought_back() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    console.put(document(&["orders", "mails"])).await;
    let diff = console.client.diff(spec, None, None).await.unwrap();
    assert_eq!((diff.from, diff.to), (1, 2));
    assert!(diff.changes.iter().any(|change| change.path.contains("mails")), "{:?}", diff.changes);
    let back = console.client.rollback(spec, 1).await.unwrap();
    assert_eq!(back.spec.revision, 3);
    assert_eq!(back.document, document(&["orders"]));
    let gone = back.components.iter().find(|component| component.component.name == "mails").unwrap();
    assert_eq!(gone.status, ComponentStatus::Destroyed);
    let revisions = console.client.revisions(spec, &PageQuery::default()).await.unwrap();
    let numbers: Vec<u32> = revisions.items.iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(revisions.items[0].author, "owner");
    assert_eq!(console.client.revision(spec, 1).await.unwrap().document, document(&["orders"]));
}

#[tokio::test]
async fn a_rollback_can_be_lost_like_any_update() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    console.put(document(&["orders", "mails"])).await;
    let request = console
        .request(Method::POST, &format!("/specs/{spec}/rollback"))
        .header("if-match", "\"1\"")
        .json(&Rollback { revision: 1 });
    assert_eq!(problem(request).await.code, Code::PreconditionFailed);
}

#[tokio::test]
async fn a_zone_with_a_live_spec_stays() {
    let console = Console::start().await;
    let zone = NewZone { name: "payments".to_owned(), description: None, max_jobs: None };
    console.client.create_zone(&zone).await.unwrap();
    let mut elsewhere = document(&["orders"]);
    elsewhere["zone"] = json!("payments");
    let put = PutSpec { document: elsewhere, message: None };
    let spec = console.client.put_spec("payments", "shop", &put, None).await.unwrap().spec.id;
    assert_eq!(code(console.client.delete_zone("payments").await), Code::Conflict);
    console.client.delete_spec(spec).await.unwrap();
    console.client.delete_zone("payments").await.unwrap();
    assert_eq!(code(console.client.delete_zone("default").await), Code::Conflict);
}

#[tokio::test]
async fn pages_go_through_everything_once() {
    let console = Console::start().await;
    for name in ["one", "two", "three"] {
        let mut named = document(&["orders"]);
        named["name"] = json!(name);
        console.put(named).await;
    }
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let query = SpecQuery { zone: Some("default".to_owned()), limit: Some(2), cursor };
        let page = console.client.specs(&query).await.unwrap();
        names.extend(page.items.into_iter().map(|spec| spec.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["three", "two", "one"]);
}

#[tokio::test]
async fn a_spec_with_something_in_the_cloud_stays_where_it_is() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let mut moved = document(&["orders"]);
    moved["cloud"]["region"] = json!("eu-central-1");
    let put_moved = PutSpec { document: moved.clone(), message: None };
    let runner = console.runner().await;
    console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let early = refused(console.client.put_spec("default", "shop", &put_moved, None).await);
    assert_eq!(early.errors[0].path, "cloud.region");
    let resource = json!({ "mode": "managed", "instances": [{}] });
    let state = json!({ "version": 4, "serial": 1, "lineage": "one", "resources": [resource] });
    let write = console
        .open_request(Method::POST, &format!("/api/v1/state/{spec}"))
        .basic_auth("job", Some(&taken.claim.job_token))
        .json(&state);
    assert_eq!(write.send().await.unwrap().status(), StatusCode::OK);
    taken.job.finish(&success()).await.unwrap();
    let later = refused(console.client.put_spec("default", "shop", &put_moved, None).await);
    assert_eq!(later.errors[0].path, "cloud.region");
    let mut restaged = document(&["orders"]);
    restaged["stage"] = json!("staging");
    let restaged = PutSpec { document: restaged, message: None };
    let other = refused(console.client.put_spec("default", "shop", &restaged, None).await);
    assert_eq!(other.errors[0].path, "stage");
    console.put(document(&["orders", "mails"])).await;
    let in_use = refused(console.client.delete_spec(spec).await);
    assert!(in_use.detail.contains("destroy it first"), "{}", in_use.detail);
}

#[tokio::test]
async fn a_draft_can_still_move() {
    let console = Console::start().await;
    console.put(document(&["orders"])).await;
    let mut moved = document(&["orders"]);
    moved["cloud"]["region"] = json!("eu-central-1");
    assert_eq!(console.put(moved).await.spec.region, "eu-central-1");
}
