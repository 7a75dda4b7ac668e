//! Tokens, Runners, Cloud Identities, idempotency keys, the audit log, settings.

use alethia_domain::{access::CloudAccess, lifecycle::JobType, role::Role};
use alethia_store::{
    Conflict, PageRequest, StoreError, audit,
    idempotency::{self, Answer, Key},
    identities,
    jobs::{self, NewJob},
    runners, settings,
    tokens::{self, NewToken},
};
use serde_json::json;

use crate::fixture::{World, on_both};

on_both!(
    a_token_is_found_by_its_hash_while_it_is_valid,
    a_runner_shows_its_jobs_and_goes_when_removed,
    a_cloud_identity_in_use_is_not_deleted,
    a_cloud_identity_that_was_once_used_is_deleted,
    a_request_under_one_key_is_done_once,
    an_idempotency_key_lasts_a_day,
    two_requests_under_one_key_at_once_are_done_once,
    the_audit_log_keeps_what_was_done,
    a_setting_is_kept,
);

async fn a_token_is_found_by_its_hash_while_it_is_valid(world: World) {
    let new = NewToken {
        name: "ci".to_owned(),
        role: Role::Operator,
        token_hash: "hash".to_owned(),
        expires_at: Some(world.after(60)),
    };
    let tx = world.store.begin().await.unwrap();
    let token = tokens::insert(&tx, &new, world.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tokens::by_hash(&world.store, "hash", world.now).await.unwrap(), Some(token.clone()));
    assert_eq!(tokens::by_hash(&world.store, "hash", world.after(60)).await.unwrap(), None);
    assert_eq!(tokens::by_hash(&world.store, "other", world.now).await.unwrap(), None);
    assert!(tokens::exists(&world.store, "ci").await.unwrap());
    let tx = world.store.begin().await.unwrap();
    tokens::delete(&tx, token.id).await.unwrap();
    assert!(matches!(tokens::delete(&tx, token.id).await, Err(StoreError::NotFound { .. })));
    tx.commit().await.unwrap();
    assert!(tokens::list(&world.store, PageRequest::first(10)).await.unwrap().items.is_empty());
}

async fn a_runner_shows_its_jobs_and_goes_when_removed(world: World) {
    let runner = world.runner("one", &["eu"]).await;
    let spec = world.spec("shop").await;
    let job = world.job(spec, JobType::Plan).await;
    world.claim(runner).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    runners::seen(&tx, runner, "0.1.0", "terraform 1.11.4", world.now).await.unwrap();
    tx.commit().await.unwrap();
    let listed = runners::list(&world.store, PageRequest::first(10)).await.unwrap().items;
    assert_eq!((listed[0].jobs.as_slice(), listed[0].last_seen_at), ([job].as_slice(), Some(world.now)));
    assert_eq!(runners::by_name(&world.store, "one").await.unwrap(), listed[0]);
    assert!(runners::by_token_hash(&world.store, "runner-one").await.unwrap().is_some());

    let tx = world.store.begin().await.unwrap();
    runners::remove(&tx, "one", world.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(runners::by_token_hash(&world.store, "runner-one").await.unwrap(), None);
    assert_eq!(runners::get(&world.store, runner).await.unwrap().name, "one");
    assert!(runners::list(&world.store, PageRequest::first(10)).await.unwrap().items.is_empty());
}

async fn a_cloud_identity_in_use_is_not_deleted(world: World) {
    world.spec("shop").await;
    let tx = world.store.begin().await.unwrap();
    let access = CloudAccess::Aws { role_arn: Some("arn:aws:iam::1:role/x".to_owned()), external_id: None };
    let identity = identities::insert(&tx, "prod", &access, world.now).await.unwrap();
    assert_eq!((&identity.access, identity.revision), (&access, 1));
    identities::delete(&tx, "prod").await.unwrap();
    let refused = identities::delete(&tx, identities::SANDBOX).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Conflict::IdentityInUse { count: 1, .. }))));
}

async fn a_cloud_identity_that_was_once_used_is_deleted(world: World) {
    let spec = world.spec("shop").await;
    let tx = world.store.begin().await.unwrap();
    let access = CloudAccess::Aws { role_arn: None, external_id: None };
    let identity = identities::insert(&tx, "old", &access, world.now).await.unwrap();
    let new = NewJob { identity_id: identity.id, ..world.new_job(spec, JobType::Plan).await };
    let job = jobs::insert(&tx, &new, world.now).await.unwrap();
    let refused = identities::delete(&tx, "old").await;
    assert!(matches!(refused, Err(StoreError::Conflict(Conflict::IdentityInUse { .. }))), "{refused:?}");
    jobs::cancel(&tx, job, world.now).await.unwrap();
    identities::delete(&tx, "old").await.unwrap();
    assert_eq!(jobs::get(&tx, job).await.unwrap().identity_id, identity.id);
}

async fn a_request_under_one_key_is_done_once(world: World) {
    let answer = Answer { status: 201, body: json!({"token": "planted"}) };
    assert_eq!(once(&world, "request", &answer).await.unwrap(), None);
    assert_eq!(once(&world, "request", &answer).await.unwrap(), Some(answer.clone()));
    let other = once(&world, "another request", &answer).await;
    assert!(matches!(other, Err(StoreError::Conflict(Conflict::IdempotencyMismatch))), "{other:?}");
    for file in ["alethia.db", "alethia.db-wal"] {
        let bytes = std::fs::read(world.folder.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(7).any(|window| window == b"planted"), "an answer is sealed");
    }
}

async fn an_idempotency_key_lasts_a_day(world: World) {
    let answer = Answer { status: 201, body: json!({}) };
    once(&world, "request", &answer).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    let day = 24 * 60 * 60;
    assert!(idempotency::begin(&tx, &key(), "request", world.after(day)).await.unwrap().is_some());
    assert_eq!(idempotency::begin(&tx, &key(), "another", world.after(day + 1)).await.unwrap(), None);
}

async fn two_requests_under_one_key_at_once_are_done_once(world: World) {
    let world = std::sync::Arc::new(world);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let world = world.clone();
        requests.spawn(async move {
            let answer = Answer { status: 201, body: json!({}) };
            once(&world, "request", &answer).await.unwrap().is_none()
        });
    }
    assert_eq!(requests.join_all().await.into_iter().filter(|done| *done).count(), 1);
}

async fn the_audit_log_keeps_what_was_done(world: World) {
    let tx = world.store.begin().await.unwrap();
    let entry = audit::Entry {
        actor: "ada".to_owned(),
        action: "state.unlock".to_owned(),
        subject: "shop".to_owned(),
        allowed: false,
        detail: json!({"lock": "one"}),
    };
    audit::append(&tx, entry.clone(), world.now);
    tx.commit().await.unwrap();
    let page = audit::list(&world.store, PageRequest::first(10)).await.unwrap();
    assert_eq!((page.items[0].at, &page.items[0].entry), (world.now, &entry));
}

async fn a_setting_is_kept(world: World) {
    let tx = world.store.begin().await.unwrap();
    settings::set(&tx, "name", "one").await.unwrap();
    settings::set(&tx, "name", "two").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(settings::get(&world.store, "name").await.unwrap().as_deref(), Some("two"));
    assert_eq!(settings::get(&world.store, "other").await.unwrap(), None);
}

fn key() -> Key {
    Key { key: "k".to_owned(), author: "ada".to_owned(), route: "POST /runners".to_owned() }
}

async fn once(world: &World, request: &str, answer: &Answer) -> alethia_store::Result<Option<Answer>> {
    let tx = world.store.begin().await?;
    let given = idempotency::begin(&tx, &key(), request, world.now).await?;
    if given.is_none() {
        idempotency::complete(&tx, &key(), answer).await?;
    }
    tx.commit().await?;
    Ok(given)
}
