//! Zones with a limit: how many of their jobs Runners have at a time, whoever claims.

use std::sync::Arc;

use alethia_domain::{
    ids::{RunnerId, ZoneId},
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{
    jobs::{self, End},
    queue::{self, Claimed},
    specs, zones,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::fixture::{World, on_both};

on_both!(
    a_limited_zone_never_exceeds_its_limit_under_eight_claimers,
    a_full_zone_holds_up_no_other,
    a_place_that_gets_free_is_taken,
    a_limit_can_be_lifted_and_lowered_at_any_time,
);

const CLAIMERS: usize = 8;

async fn a_limited_zone_never_exceeds_its_limit_under_eight_claimers(world: World) {
    let (limited, free) = (world.zone("limited").await, world.zone("free").await);
    limit(&world, limited, Some(3)).await;
    waiting(&world, limited, 40).await;
    waiting(&world, free, 8).await;
    let world = Arc::new(world);
    let mut runners = Vec::new();
    for number in 0..CLAIMERS {
        runners.push(world.runner(&format!("runner-{number}"), &[]).await);
    }
    for round in 0..8 {
        let taken = claim_together(&world, &runners).await;
        let mut of_limited = 0;
        for claimed in &taken {
            of_limited += usize::from(zone_of(&world, claimed).await == limited);
        }
        assert_eq!(of_limited, 3, "round {round}: of {} jobs", taken.len());
        assert_eq!(active(&world).await, taken.len() as u64, "round {round}");
        for claimed in taken {
            world.start(claimed.fence).await;
            world.finish(claimed.fence, &End::Success).await.unwrap();
        }
    }
}

async fn a_full_zone_holds_up_no_other(world: World) {
    let (busy, quiet) = (world.zone("busy").await, world.zone("quiet").await);
    limit(&world, busy, Some(1)).await;
    waiting(&world, busy, 1000).await;
    let runner = world.runner("a", &[]).await;
    assert_eq!(zone_of(&world, &world.claim(runner).await.unwrap()).await, busy);
    assert_eq!(world.claim(runner).await, None, "the zone is full");
    waiting(&world, quiet, 1).await;
    assert_eq!(zone_of(&world, &world.claim(runner).await.unwrap()).await, quiet);
}

async fn a_place_that_gets_free_is_taken(world: World) {
    let zone = world.zone("limited").await;
    limit(&world, zone, Some(1)).await;
    waiting(&world, zone, 2).await;
    let runner = world.runner("a", &[]).await;
    let first = world.claim(runner).await.unwrap();
    assert_eq!(world.claim(runner).await, None);
    world.start(first.fence).await;
    assert_eq!(world.claim(runner).await, None);
    world.finish(first.fence, &End::Success).await.unwrap();
    assert!(world.claim(runner).await.is_some());
}

async fn a_limit_can_be_lifted_and_lowered_at_any_time(world: World) {
    let zone = world.zone("limited").await;
    waiting(&world, zone, 4).await;
    let runner = world.runner("a", &[]).await;
    for _ in 0..2 {
        world.claim(runner).await.unwrap();
    }
    limit(&world, zone, Some(1)).await;
    assert_eq!(world.claim(runner).await, None, "more run than may already");
    assert_eq!(active(&world).await, 2, "what runs goes on");
    limit(&world, zone, None).await;
    assert!(world.claim(runner).await.is_some());
    assert_eq!(zones::get(&world.store, zone).await.unwrap().max_jobs, None);
}

/// All of them claim once, at the same moment.
async fn claim_together(world: &Arc<World>, runners: &[RunnerId]) -> Vec<Claimed> {
    let barrier = Arc::new(Barrier::new(runners.len()));
    let mut claims = JoinSet::new();
    for runner in runners.iter().copied() {
        let (world, barrier) = (world.clone(), barrier.clone());
        claims.spawn(async move {
            barrier.wait().await;
            world.claim(runner).await
        });
    }
    claims.join_all().await.into_iter().flatten().collect()
}

async fn limit(world: &World, zone: ZoneId, max_jobs: Option<u32>) {
    let tx = world.store.begin().await.unwrap();
    assert_eq!(zones::limit(&tx, zone, max_jobs).await.unwrap().max_jobs, max_jobs);
    tx.commit().await.unwrap();
}

/// So many Specs in this Zone, each with a PLAN that waits.
async fn waiting(world: &World, zone: ZoneId, count: usize) {
    let revision = world.revision(1).await;
    let tx = world.store.begin().await.unwrap();
    for number in 0..count {
        let spec = specs::insert(&tx, zone, &format!("spec-{number}"), &revision, world.now).await.unwrap();
        jobs::insert(&tx, &world.new_job(spec, JobType::Plan).await, world.now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn zone_of(world: &World, claimed: &Claimed) -> ZoneId {
    jobs::get(&world.store, claimed.fence.job_id).await.unwrap().zone_id
}

/// How many jobs Runners have.
async fn active(world: &World) -> u64 {
    let depth = queue::depth(&world.store).await.unwrap();
    depth.iter().filter(|(status, _)| *status != JobStatus::Queued).map(|(_, jobs)| jobs).sum()
}
