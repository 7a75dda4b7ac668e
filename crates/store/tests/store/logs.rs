//! Logs keep every chunk once and in order, wherever they are kept.

use alethia_domain::lifecycle::JobType;
use alethia_store::{
    Conflict, PageRequest, StoreError,
    jobs::{End, Fence},
    logs::{self, LogChunk, LogCursor},
};

use crate::fixture::{World, on_both};

on_both!(
    repeated_chunks_are_left_out,
    a_gap_is_refused,
    a_log_is_read_in_pages_while_it_grows,
    a_finished_log_moves_to_a_blob_and_reads_the_same,
    an_attempt_that_is_over_writes_nothing,
);

async fn repeated_chunks_are_left_out(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=3).await.unwrap();
    append(&world, fence, 2..=5).await.unwrap();
    assert_eq!(sequences(&world, fence).await, [1, 2, 3, 4, 5]);
}

async fn a_gap_is_refused(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=2).await.unwrap();
    let gap = append(&world, fence, 4..=4).await;
    let expected = Conflict::LogGap { expected: 3, got: 4 };
    assert!(matches!(gap, Err(StoreError::Conflict(conflict)) if conflict == expected));
    assert_eq!(sequences(&world, fence).await, [1, 2]);
}

async fn a_log_is_read_in_pages_while_it_grows(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=3).await.unwrap();
    let first = logs::page(&world.store, fence.job_id, PageRequest::first(2)).await.unwrap();
    assert_eq!(first.next, Some(LogCursor { attempt: 1, sequence: 2 }));
    let request = |after| PageRequest { after, limit: 2 };
    let second = logs::page(&world.store, fence.job_id, request(first.next)).await.unwrap();
    assert_eq!(second.items.len(), 1);
    let none = logs::page(&world.store, fence.job_id, request(second.next)).await.unwrap();
    assert_eq!((none.items.len(), none.next), (0, None));
    append(&world, fence, 4..=4).await.unwrap();
    let later = logs::page(&world.store, fence.job_id, request(second.next)).await.unwrap();
    assert_eq!(later.items[0].sequence, 4);
}

async fn a_finished_log_moves_to_a_blob_and_reads_the_same(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=450).await.unwrap();
    let before = read_all(&world, fence).await;
    assert!(logs::compact(&world.store, fence.job_id).await.is_err(), "it still grows");
    assert_eq!(logs::to_compact(&world.store, 10).await.unwrap(), []);
    world.finish(fence, &End::Success).await.unwrap();
    assert_eq!(logs::to_compact(&world.store, 10).await.unwrap(), [fence.job_id]);
    logs::compact(&world.store, fence.job_id).await.unwrap();
    assert_eq!(logs::to_compact(&world.store, 10).await.unwrap(), []);
    assert_eq!(read_all(&world, fence).await, before);
    let blobs = world.needed_blobs().await;
    assert_eq!(blobs.len(), 3);
    assert!(blobs.values().all(|blob| !blob.windows(4).any(|window| window == b"line")));
    logs::compact(&world.store, fence.job_id).await.unwrap();
}

async fn an_attempt_that_is_over_writes_nothing(world: World) {
    let fence = running(&world).await;
    world.finish(fence, &End::Success).await.unwrap();
    assert!(matches!(append(&world, fence, 1..=1).await, Err(StoreError::LeaseLost { .. })));
}

async fn running(world: &World) -> Fence {
    let spec = world.spec("shop").await;
    world.started(spec, JobType::Plan).await
}

async fn append(
    world: &World,
    fence: Fence,
    sequences: std::ops::RangeInclusive<u64>,
) -> alethia_store::Result<()> {
    let chunks: Vec<LogChunk> = sequences
        .map(|sequence| LogChunk {
            attempt: fence.attempt,
            sequence,
            at: world.now,
            text: format!("line {sequence} with a \0 in it\n"),
        })
        .collect();
    let tx = world.store.begin().await?;
    logs::append(&tx, fence, &chunks).await?;
    tx.commit().await
}

async fn sequences(world: &World, fence: Fence) -> Vec<u64> {
    read_all(world, fence).await.into_iter().map(|chunk| chunk.sequence).collect()
}

async fn read_all(world: &World, fence: Fence) -> Vec<LogChunk> {
    let (mut chunks, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { after, limit: 70 };
        let page = logs::page(&world.store, fence.job_id, request).await.unwrap();
        if page.next.is_none() {
            return chunks;
        }
        chunks.extend(page.items);
        after = page.next;
    }
}
