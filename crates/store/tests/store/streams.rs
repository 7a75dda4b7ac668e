//! Events and the doorbell: nothing is missed, nothing that was rolled back is told.

use std::time::Duration;

use alethia_domain::{event::EventChange, lifecycle::JobType};
use alethia_store::{
    Store,
    doorbell::{Bell, Ear},
    events::{self, Event, EventFilter},
    zones,
};
use alethia_testkit::postgres::Postgres;

use crate::fixture::{World, on_both};

on_both!(
    events_are_read_after_a_number,
    what_is_rolled_back_is_not_told,
    concurrent_writers_leave_no_event_unread,
    a_commit_rings,
    a_transaction_of_a_caller_that_went_away_is_rolled_back,
);

async fn events_are_read_after_a_number(world: World) {
    let (shop, blog) = (world.spec("shop").await, world.spec("blog").await);
    let job = world.job(shop, JobType::Plan).await;
    let all = after(&world.store, EventFilter::All, 0).await;
    assert_eq!(
        all.iter().map(|event| event.spec_id).collect::<Vec<_>>(),
        [Some(shop), Some(blog), Some(shop)]
    );
    assert_eq!(events::latest(&world.store).await.unwrap(), all[2].id);
    assert_eq!(after(&world.store, EventFilter::Job(job), 0).await, all[2..]);
    assert_eq!(after(&world.store, EventFilter::Spec(shop), all[0].id).await, all[2..]);
    assert!(matches!(all[2].change, EventChange::JobChanged { job_type: JobType::Plan, .. }));
    assert_eq!(all[2].at, world.now);
}

async fn what_is_rolled_back_is_not_told(world: World) {
    let zone = zones::by_name(&world.store, zones::DEFAULT).await.unwrap();
    let revision = world.revision(1).await;
    let tx = world.store.begin().await.unwrap();
    alethia_store::specs::insert(&tx, zone.id, "shop", &revision, world.now).await.unwrap();
    drop(tx);
    world.spec("blog").await;
    assert_eq!(after(&world.store, EventFilter::All, 0).await.len(), 1);
}

/// A reader that follows the numbers sees every event, though the writers commit in any order.
async fn concurrent_writers_leave_no_event_unread(world: World) {
    let spec = world.spec("shop").await;
    let world = std::sync::Arc::new(world);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = world.clone();
        writers.spawn(async move {
            for _ in 0..10 {
                world.job(spec, JobType::Plan).await;
            }
        });
    }
    let mut ear = world.store.doorbell().listen(Bell::Events);
    let (mut last, mut seen) = (0, 0);
    while seen < 81 {
        let events = after(&world.store, EventFilter::All, last).await;
        seen += events.len();
        match events.last() {
            Some(event) => last = event.id,
            None => rings(&mut ear).await,
        }
    }
    writers.join_all().await;
    assert_eq!(after(&world.store, EventFilter::All, 0).await.len(), 81);
}

async fn a_commit_rings(world: World) {
    let spec = world.spec("shop").await;
    let mut queue = world.store.doorbell().listen(Bell::Queue);
    let mut events = world.store.doorbell().listen(Bell::Events);
    world.job(spec, JobType::Plan).await;
    rings(&mut queue).await;
    rings(&mut events).await;
}

async fn a_transaction_of_a_caller_that_went_away_is_rolled_back(world: World) {
    let world = std::sync::Arc::new(world);
    for _ in 0..40 {
        let store = world.store.clone();
        let caller = tokio::spawn(async move {
            let tx = store.begin().await.unwrap();
            zones::insert(&tx, "half", None, chrono::DateTime::UNIX_EPOCH).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        caller.abort();
    }
    world.zone("whole").await;
    assert!(zones::by_name(&world.store, "whole").await.is_ok(), "a later commit is a commit");
    assert!(zones::by_name(&world.store, "half").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_console_hears_a_commit_also_after_its_connection_broke() {
    let world = World::postgres().await;
    let other = Store::open(&world.config, world.now).await.unwrap();
    let mut ear = other.doorbell().listen(Bell::Queue);
    let spec = world.spec("shop").await;
    world.job(spec, JobType::Plan).await;
    rings(&mut ear).await;
    let mut ear = other.doorbell().listen(Bell::Queue);
    Postgres::shared().unwrap().drop_connections().unwrap();
    rings(&mut ear).await;
    other.close().await;
}

async fn after(store: &Store, filter: EventFilter, id: i64) -> Vec<Event> {
    events::after(store, filter, id, 200).await.unwrap()
}

async fn rings(ear: &mut Ear) {
    tokio::time::timeout(Duration::from_secs(20), ear.heard()).await.expect("the bell did not ring");
}
