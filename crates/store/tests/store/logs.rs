//! Logs keep every chunk once and in order, wherever they are kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alethia_domain::lifecycle::JobType;
use alethia_store::{
    Conflict, PageRequest, StoreError,
    jobs::{End, Fence},
    logs::{self, Appends, LogChunk, LogCursor},
};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tokio::task::JoinSet;

use crate::fixture::{World, on_both};

on_both!(
    repeated_chunks_are_left_out,
    a_gap_is_refused,
    a_log_is_read_in_pages_while_it_grows,
    a_finished_log_moves_to_a_blob_and_reads_the_same,
    a_page_deep_in_an_archived_log_opens_one_segment,
    a_text_is_found_in_a_live_and_in_an_archived_log,
    a_search_stops_after_a_while_and_says_where,
    a_search_stops_after_many_short_chunks_as_well,
    a_log_of_a_million_lines_is_moved_paged_and_searched,
    an_attempt_that_is_over_writes_nothing,
    appends_that_come_together_each_get_an_answer_of_their_own,
    one_that_can_not_be_kept_costs_those_beside_it_nothing,
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
    let blobs = world.blobs();
    assert_eq!(blobs.len(), 1);
    assert!(blobs.values().all(|blob| !blob.windows(4).any(|window| window == b"line")));
    logs::compact(&world.store, fence.job_id).await.unwrap();
}

async fn a_page_deep_in_an_archived_log_opens_one_segment(world: World) {
    let fence = running(&world).await;
    for sequence in 1..=48 {
        append_text(&world, fence, sequence, &"x".repeat(60_000)).await;
    }
    world.finish(fence, &End::Success).await.unwrap();
    logs::compact(&world.store, fence.job_id).await.unwrap();
    let mut segments: Vec<_> = world.blobs().into_keys().collect();
    segments.sort();
    assert_eq!(segments.len(), 3);
    for other in &segments[..2] {
        std::fs::remove_file(other).unwrap();
    }
    let place = LogCursor { attempt: 1, sequence: 40 };
    let request = PageRequest { after: Some(place), limit: 3 };
    let page = logs::page(&world.store, fence.job_id, request).await.unwrap();
    assert_eq!(page.items.iter().map(|chunk| chunk.sequence).collect::<Vec<_>>(), [41, 42, 43]);
    let first = logs::page(&world.store, fence.job_id, PageRequest::first(3)).await;
    assert!(first.is_err(), "the first segment is gone");
}

async fn a_text_is_found_in_a_live_and_in_an_archived_log(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=300).await.unwrap();
    let found = search(&world, fence, "LINE 29").await;
    assert_eq!(
        found.iter().map(|chunk| chunk.sequence).collect::<Vec<_>>(),
        [29, 290, 291, 292, 293, 294, 295, 296, 297, 298, 299]
    );
    world.finish(fence, &End::Success).await.unwrap();
    logs::compact(&world.store, fence.job_id).await.unwrap();
    assert_eq!(search(&world, fence, "LINE 29").await, found);
    assert_eq!(search(&world, fence, "line 301").await, []);
}

async fn a_search_stops_after_a_while_and_says_where(world: World) {
    let fence = running(&world).await;
    for sequence in 1..=90 {
        append_text(&world, fence, sequence, &"x".repeat(60_000)).await;
    }
    append_text(&world, fence, 91, "the needle\n").await;
    let page = logs::search(&world.store, fence.job_id, "needle", PageRequest::first(5)).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_some_and(|place| place.sequence < 91), "{:?}", page.next);
    assert_eq!(search(&world, fence, "needle").await.len(), 1);
}

async fn a_search_stops_after_many_short_chunks_as_well(world: World) {
    let fence = running(&world).await;
    append(&world, fence, 1..=5000).await.unwrap();
    let page = logs::search(&world.store, fence.job_id, "needle", PageRequest::first(5)).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some_and(|place| place.sequence < 5000)), (0, true));
    assert_eq!(search(&world, fence, "line 5000").await.len(), 1);
}

async fn a_log_of_a_million_lines_is_moved_paged_and_searched(world: World) {
    let fence = running(&world).await;
    let text = |sequence: u64| -> String {
        (0..200).map(|line| format!("line {}\n", (sequence - 1) * 200 + line + 1)).collect()
    };
    let sequences: Vec<u64> = (1..=5000).collect();
    for batch in sequences.chunks(64) {
        let chunk = |sequence: &u64| LogChunk {
            attempt: fence.attempt,
            sequence: *sequence,
            at: world.now,
            text: text(*sequence),
        };
        let chunks: Vec<LogChunk> = batch.iter().map(chunk).collect();
        let tx = world.store.begin().await.unwrap();
        logs::append(&tx, fence, &chunks).await.unwrap();
        tx.commit().await.unwrap();
    }
    world.finish(fence, &End::Success).await.unwrap();
    logs::compact(&world.store, fence.job_id).await.unwrap();
    assert!((10..20).contains(&world.blobs().len()), "{} segments", world.blobs().len());
    let (mut expected, mut after) = (1, None);
    loop {
        let request = PageRequest { after, limit: 200 };
        let page = logs::page(&world.store, fence.job_id, request).await.unwrap();
        for chunk in &page.items {
            assert_eq!((chunk.sequence, &chunk.text), (expected, &text(expected)));
            expected += 1;
        }
        match page.next {
            None => break,
            next => after = next,
        }
    }
    assert_eq!(expected, 5001, "every chunk came once");
    let found = search(&world, fence, "line 999999").await;
    assert_eq!(found.iter().map(|chunk| chunk.text.as_str()).collect::<Vec<_>>(), ["line 999999\n"]);
}

async fn an_attempt_that_is_over_writes_nothing(world: World) {
    let fence = running(&world).await;
    world.finish(fence, &End::Success).await.unwrap();
    assert!(matches!(append(&world, fence, 1..=1).await, Err(StoreError::LeaseLost { .. })));
}

async fn appends_that_come_together_each_get_an_answer_of_their_own(world: World) {
    let (appends, fences) = (Arc::new(Appends::default()), several(&world, 8).await);
    let [over, gap, twice, ..] = fences[..] else { panic!("there are eight") };
    world.finish(over, &End::Success).await.unwrap();
    for round in 1..=30 {
        let mut writers = JoinSet::new();
        let mut add = |fence: Fence, sequence: u64| {
            let (appends, store, at) = (appends.clone(), world.store.clone(), world.now);
            writers.spawn(async move {
                (fence, appends.add(&store, fence, vec![chunk(fence, sequence, at)]).await)
            });
        };
        add(twice, round);
        for fence in &fences {
            add(*fence, if *fence == gap { round + 1 } else { round });
        }
        for (fence, answer) in writers.join_all().await {
            match answer {
                Err(StoreError::LeaseLost { .. }) => assert_eq!(fence, over),
                Err(StoreError::Conflict(conflict)) => {
                    assert_eq!((fence, conflict), (gap, Conflict::LogGap { expected: 1, got: round + 1 }));
                }
                Err(other) => panic!("{other}"),
                Ok(()) => assert!(![over, gap].contains(&fence)),
            }
        }
    }
    for fence in fences {
        let expected = if [over, gap].contains(&fence) { 0 } else { 30 };
        assert_eq!(sequences(&world, fence).await, (1..=expected).collect::<Vec<_>>());
    }
}

async fn one_that_can_not_be_kept_costs_those_beside_it_nothing(world: World) {
    let (appends, fences) = (Arc::new(Appends::default()), several(&world, 6).await);
    let knows_no_such_time = world.config.database_url.starts_with("postgres");
    for round in 1..=10 {
        let mut writers = JoinSet::new();
        for fence in fences.clone() {
            let at = if fence == fences[0] { DateTime::<Utc>::MIN_UTC } else { world.now };
            let (appends, store) = (appends.clone(), world.store.clone());
            writers.spawn(
                async move { (fence, appends.add(&store, fence, vec![chunk(fence, round, at)]).await) },
            );
        }
        let answers: BTreeMap<Fence, _> = writers.join_all().await.into_iter().collect();
        assert_eq!(answers[&fences[0]].is_err(), knows_no_such_time);
        assert!(fences[1..].iter().all(|fence| answers[fence].is_ok()), "{answers:?}");
    }
    for fence in &fences[1..] {
        assert_eq!(sequences(&world, *fence).await, (1..=10).collect::<Vec<_>>());
    }
}

/// Each waits for the other where they take the job and its attempt in different orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_beside_the_end_of_its_attempt_is_no_deadlock() {
    let world = Arc::new(World::postgres().await);
    let fence = running(&world).await;
    let first = world.store.begin().await.unwrap();
    logs::append(&first, fence, &[chunk(fence, 1, world.now)]).await.unwrap();
    let again = tokio::spawn({
        let world = world.clone();
        async move { append(&world, fence, 1..=1).await }
    });
    waiting(&world, 1).await;
    let end = tokio::spawn({
        let world = world.clone();
        async move { world.finish(fence, &End::Success).await }
    });
    waiting(&world, 2).await;
    first.commit().await.unwrap();
    let again = again.await.unwrap();
    assert!(matches!(again, Ok(()) | Err(StoreError::LeaseLost { .. })), "{again:?}");
    end.await.unwrap().unwrap();
    assert_eq!(sequences(&world, fence).await, [1]);
}

/// Waits until so many wait for locks.
async fn waiting(world: &World, count: i64) {
    let database = Database::connect(&world.config.database_url).await.unwrap();
    let waits = "SELECT count(*) AS waits FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = Statement::from_string(DbBackend::Postgres, waits);
    let all = async {
        loop {
            let row = database.query_one_raw(waits.clone()).await.unwrap().unwrap();
            if row.try_get::<i64>("", "waits").unwrap() == count {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("they wait");
}

async fn several(world: &World, count: usize) -> Vec<Fence> {
    let mut fences = Vec::new();
    for number in 0..count {
        let spec = world.spec(&format!("shop-{number}")).await;
        fences.push(world.started(spec, JobType::Plan).await);
    }
    fences
}

fn chunk(fence: Fence, sequence: u64, at: DateTime<Utc>) -> LogChunk {
    LogChunk { attempt: fence.attempt, sequence, at, text: format!("line {sequence}\n") }
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

async fn append_text(world: &World, fence: Fence, sequence: u64, text: &str) {
    let chunk = LogChunk { attempt: fence.attempt, sequence, at: world.now, text: text.to_owned() };
    let tx = world.store.begin().await.unwrap();
    logs::append(&tx, fence, &[chunk]).await.unwrap();
    tx.commit().await.unwrap();
}

/// All that a search finds, page by page.
async fn search(world: &World, fence: Fence, text: &str) -> Vec<LogChunk> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { after, limit: 7 };
        let page = logs::search(&world.store, fence.job_id, text, request).await.unwrap();
        found.extend(page.items);
        match page.next {
            None => return found,
            next => after = next,
        }
    }
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
