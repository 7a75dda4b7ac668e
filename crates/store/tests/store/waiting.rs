//! What keeps a job waiting, as far as the store knows.

use alethia_domain::{ids::JobId, lifecycle::JobType};
use alethia_store::{
    jobs::{self, LimitedZone, Waiting},
    queue, zones,
};

use crate::fixture::{World, on_both};

on_both!(a_job_knows_what_is_before_it, a_page_of_jobs_is_asked_for_at_once);

async fn a_job_knows_what_is_before_it(world: World) {
    let zone = world.zone("limited").await;
    let (shop, blog) = (world.spec_in(zone, "shop").await, world.spec_in(zone, "blog").await);
    let runner = world.runner("a", &[]).await;
    let first = world.job(shop, JobType::Plan).await;
    assert_eq!(
        waits(&world, first).await,
        Waiting { place: Some(1), behind: None, limited: None, not_before: None }
    );
    let second = world.job(shop, JobType::Plan).await;
    assert_eq!(waits(&world, second).await.behind, Some(first));
    assert_eq!(world.claim(runner).await.unwrap().fence.job_id, first);
    assert_eq!(jobs::waiting(&world.store, &[first]).await.unwrap().len(), 0, "it waits no more");
    assert_eq!(waits(&world, second).await.behind, Some(first), "also while that runs");

    let tx = world.store.begin().await.unwrap();
    zones::limit(&tx, zone, Some(1)).await.unwrap();
    tx.commit().await.unwrap();
    let third = world.job(blog, JobType::Deploy).await;
    let waiting = waits(&world, third).await;
    assert_eq!(waiting.limited, Some(LimitedZone { max_jobs: 1, active: 1 }));
    assert_eq!(waiting.place, Some(1), "a deployment goes before a plan");
    assert_eq!(waits(&world, second).await.place, Some(2));

    let tx = world.store.begin().await.unwrap();
    queue::hold_back(&tx, third, world.after(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(waits(&world, third).await.not_before, Some(world.after(60)));
}

async fn a_page_of_jobs_is_asked_for_at_once(world: World) {
    let mut all = Vec::new();
    for number in 0..30 {
        let spec = world.spec(&format!("spec-{number}")).await;
        all.push(world.job(spec, JobType::Plan).await);
    }
    let waiting = jobs::waiting(&world.store, &all).await.unwrap();
    let places: Vec<_> = all.iter().map(|job| waiting[job].place.unwrap()).collect();
    assert_eq!(places, (1..=30).collect::<Vec<_>>());
}

async fn waits(world: &World, job: JobId) -> Waiting {
    jobs::waiting(&world.store, &[job]).await.unwrap().remove(&job).unwrap()
}
