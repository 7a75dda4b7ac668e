//! What is new of a job comes in one read, each thing once and in order, wherever its log is.

use alethia_domain::{ids::JobId, lifecycle::JobType};
use alethia_store::{
    PageRequest, StoreError,
    events::{self, EventFilter},
    jobs::{End, Fence},
    logs::{self, LogChunk, LogCursor},
    news::{self, News},
};

use crate::fixture::{World, on_both};

on_both!(
    news_are_what_follows_two_places,
    news_have_a_bound_on_each_side,
    a_job_that_is_over_has_all_its_news_also_when_its_log_has_moved,
    a_job_that_is_not_there_has_no_news,
);

async fn news_are_what_follows_two_places(world: World) {
    let fence = running(&world, "shop").await;
    let other = running(&world, "blog").await;
    write(&world, fence, 1..=3).await;
    write(&world, other, 1..=1).await;
    let all = news(&world, fence.job_id, 0, LogCursor::default()).await;
    let told = events::after(&world.store, EventFilter::Job(fence.job_id), 0, 200).await.unwrap();
    assert_eq!((all.events.len(), &all.events, all.over), (3, &told, false));
    assert_eq!(sequences(&all), [1, 2, 3]);
    assert_eq!(all.chunks[0], chunk(&world, fence, 1));
    let rest = news(&world, fence.job_id, told[1].id, all.chunks[1].cursor()).await;
    assert_eq!((&rest.events[..], &rest.chunks[..]), (&told[2..], &all.chunks[2..]));
    let none = news(&world, fence.job_id, told[2].id, all.chunks[2].cursor()).await;
    assert!(none.events.is_empty() && none.chunks.is_empty() && !none.over, "{none:?}");
}

async fn news_have_a_bound_on_each_side(world: World) {
    let fence = running(&world, "shop").await;
    write(&world, fence, 1..=12).await;
    let events = PageRequest::first(2);
    let news = news::of(&world.store, fence.job_id, events, PageRequest::first(10)).await.unwrap();
    assert_eq!(news.events.len(), 2);
    assert!(news.events.is_sorted_by_key(|event| event.id));
    assert_eq!(sequences(&news), (1..=10).collect::<Vec<_>>());
}

async fn a_job_that_is_over_has_all_its_news_also_when_its_log_has_moved(world: World) {
    let fence = running(&world, "shop").await;
    write(&world, fence, 1..=3).await;
    world.finish(fence, &End::Success).await.unwrap();
    let before = news(&world, fence.job_id, 0, LogCursor::default()).await;
    assert!(before.over);
    logs::compact(&world.store, fence.job_id).await.unwrap();
    let after = news(&world, fence.job_id, 0, LogCursor::default()).await;
    assert_eq!((after.over, &after.events, &after.chunks), (true, &before.events, &before.chunks));
    assert_eq!(sequences(&after), [1, 2, 3]);
}

async fn a_job_that_is_not_there_has_no_news(world: World) {
    let nobody = JobId::generate();
    let news = news::of(&world.store, nobody, PageRequest::first(9), PageRequest::first(9)).await;
    assert!(matches!(news, Err(StoreError::NotFound { .. })), "{news:?}");
}

async fn running(world: &World, spec: &str) -> Fence {
    let spec = world.spec(spec).await;
    world.started(spec, JobType::Plan).await
}

async fn news(world: &World, job: JobId, event: i64, log: LogCursor) -> News {
    let events = PageRequest { after: Some(event), limit: 100 };
    let chunks = PageRequest { after: Some(log), limit: 100 };
    news::of(&world.store, job, events, chunks).await.unwrap()
}

fn chunk(world: &World, fence: Fence, sequence: u64) -> LogChunk {
    LogChunk { attempt: fence.attempt, sequence, at: world.now, text: format!("line {sequence}\n") }
}

async fn write(world: &World, fence: Fence, sequences: std::ops::RangeInclusive<u64>) {
    let chunks: Vec<_> = sequences.map(|sequence| chunk(world, fence, sequence)).collect();
    let tx = world.store.begin().await.unwrap();
    logs::append(&tx, fence, &chunks).await.unwrap();
    tx.commit().await.unwrap();
}

fn sequences(news: &News) -> Vec<u64> {
    news.chunks.iter().map(|chunk| chunk.sequence).collect()
}
