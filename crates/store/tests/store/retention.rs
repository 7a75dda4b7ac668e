//! What is old is forgotten in small steps, and nothing that somebody still needs.

use alethia_domain::lifecycle::JobType;
use alethia_store::{
    PageRequest,
    audit::{self, Entry},
    events::{self, EventFilter},
    jobs::End,
    retention,
};

use crate::fixture::{World, on_both};

on_both!(
    events_of_what_is_over_are_forgotten,
    many_events_are_forgotten_in_steps,
    old_audit_entries_are_forgotten,
);

async fn events_of_what_is_over_are_forgotten(world: World) {
    let (shop, blog) = (world.spec("shop").await, world.spec("blog").await);
    let over = world.started(shop, JobType::Plan).await;
    world.finish(over, &End::Success).await.unwrap();
    let waiting = world.job(blog, JobType::Plan).await;
    assert_eq!(retention::sweep_events(&world.store, world.now, 0).await.unwrap(), None);
    assert_eq!(count(&world, EventFilter::Job(over.job_id)).await, 4, "they are not older than that");
    let latest = events::latest(&world.store).await.unwrap();
    assert_eq!(retention::sweep_events(&world.store, world.after(1), 0).await.unwrap(), None);
    assert_eq!(count(&world, EventFilter::Job(over.job_id)).await, 0);
    assert_eq!(count(&world, EventFilter::Job(waiting)).await, 1);
    // Who comes back to one that is gone goes on behind it.
    world.job(shop, JobType::Plan).await;
    assert_eq!(events::after(&world.store, EventFilter::All, latest, 10).await.unwrap().len(), 1);
}

async fn many_events_are_forgotten_in_steps(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    for chunk in 0..6 {
        let tx = world.store.begin().await.unwrap();
        for done in 0..100 {
            let (store, done) = (&tx, chunk * 100 + done);
            alethia_store::jobs::progress(store, fence, "plan", done, 600, world.now).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let (mut place, mut steps) = (0, 0);
    while let Some(next) = retention::sweep_events(&world.store, world.after(1), place).await.unwrap() {
        (place, steps) = (next, steps + 1);
    }
    assert_eq!(steps, 1, "the first 500 and then the rest were looked at");
    assert_eq!(
        count(&world, EventFilter::Job(fence.job_id)).await,
        200,
        "a page of them: the job is not over"
    );
    world.finish(fence, &End::Success).await.unwrap();
    let next = retention::sweep_events(&world.store, world.after(1), 0).await.unwrap();
    retention::sweep_events(&world.store, world.after(1), next.unwrap()).await.unwrap();
    assert_eq!(count(&world, EventFilter::All).await, 0);
}

async fn old_audit_entries_are_forgotten(world: World) {
    for (number, at) in [(1, world.now), (2, world.after(60))] {
        let entry = Entry {
            actor: "ada".to_owned(),
            action: "state.unlock".to_owned(),
            subject: format!("spec-{number}"),
            allowed: true,
            detail: serde_json::json!({}),
        };
        let tx = world.store.begin().await.unwrap();
        audit::append(&tx, entry, at);
        tx.commit().await.unwrap();
    }
    assert!(!retention::sweep_audit(&world.store, world.now).await.unwrap());
    assert!(!retention::sweep_audit(&world.store, world.after(30)).await.unwrap());
    let left = audit::list(&world.store, PageRequest::first(10)).await.unwrap().items;
    assert_eq!(left.iter().map(|kept| kept.entry.subject.as_str()).collect::<Vec<_>>(), ["spec-2"]);
}

async fn count(world: &World, filter: EventFilter) -> usize {
    events::after(&world.store, filter, 0, 200).await.unwrap().len()
}
