//! What a Runner and a person do to a job.

use alethia_domain::lifecycle::{JobStatus, JobType, SpecStatus};
use alethia_store::{
    PageRequest, StoreError,
    jobs::{self, End, JobFilter, NewJob},
    queue::{self, Answer, Claimant},
};

use crate::fixture::{LEASE, World, claimant, on_both};

on_both!(
    a_job_comes_back_as_it_was_made,
    a_job_goes_through_its_life,
    work_begins_once_and_the_usual_lease_counts_from_then,
    a_queued_job_is_cancelled_at_once,
    a_running_job_learns_of_its_cancel_by_heartbeat,
    a_token_is_good_for_its_attempt_alone,
    a_job_is_finished_once,
    lists_are_filtered_and_paged,
);

async fn a_job_comes_back_as_it_was_made(world: World) {
    let spec = world.spec("shop").await;
    let new = NewJob {
        required_labels: vec!["eu".to_owned()],
        former_status: Some(SpecStatus::Draft),
        ..world.new_job(spec, JobType::Deploy).await
    };
    let id = world.insert(&new).await.unwrap();
    let job = jobs::get(&world.store, id).await.unwrap();
    assert_eq!((job.status, job.attempt, job.created_at), (JobStatus::Queued, 0, world.now));
    assert_eq!((job.spec.as_str(), job.zone.as_str()), ("shop", "default"));
    assert_eq!((job.required_labels, job.former_status), (new.required_labels, Some(SpecStatus::Draft)));
    let snapshot = jobs::snapshot(&world.store, id).await.unwrap();
    assert_eq!(snapshot.document.to_string(), new.snapshot.to_string(), "the order of keys is kept");
}

async fn a_job_goes_through_its_life(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    let tx = world.store.begin().await.unwrap();
    jobs::progress(&tx, fence, "plan", 2, 7, world.now).await.unwrap();
    tx.commit().await.unwrap();
    let job = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!(
        (job.status, job.step.as_deref(), job.done, job.total),
        (JobStatus::Processing, Some("plan"), 2, 7)
    );
    assert!(job.runner.is_some());
    world.finish(fence, &End::Success).await.unwrap();
    let job = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!(
        (job.status, job.finished_at, job.lease_expires_at),
        (JobStatus::Success, Some(world.now), None)
    );
}

async fn work_begins_once_and_the_usual_lease_counts_from_then(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    world.job(spec, JobType::Plan).await;
    let fence = world.claim(runner).await.unwrap().fence;
    for (second, begins) in [(5, true), (9, false)] {
        let tx = world.store.begin().await.unwrap();
        let begun = jobs::start(&tx, fence, LEASE, world.after(second)).await.unwrap();
        tx.commit().await.unwrap();
        let begun = begun.map(|begun| (begun.job_type, begun.spec_id));
        assert_eq!(begun, begins.then_some((JobType::Plan, spec)));
    }
    let job = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!((job.status, job.started_at), (JobStatus::Processing, Some(world.after(5))));
    assert_eq!(job.lease_expires_at, Some(world.after(5) + LEASE));
    world.finish(fence, &End::Success).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    let late = jobs::start(&tx, fence, LEASE, world.now).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
}

async fn a_queued_job_is_cancelled_at_once(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    let job = world.job(spec, JobType::Plan).await;
    assert_eq!(cancel(&world, job).await.unwrap(), JobStatus::Cancelled);
    assert_eq!(world.claim(runner).await, None);
    assert!(matches!(cancel(&world, job).await, Err(StoreError::Illegal(_))));
}

async fn a_running_job_learns_of_its_cancel_by_heartbeat(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Deploy).await;
    assert!(!heartbeat(&world, fence).await.unwrap().cancel_requested);
    assert_eq!(cancel(&world, fence.job_id).await.unwrap(), JobStatus::Processing);
    assert_eq!(cancel(&world, fence.job_id).await.unwrap(), JobStatus::Processing);
    let reply = heartbeat(&world, fence).await.unwrap();
    assert!(reply.cancel_requested);
    assert_eq!(reply.lease_expires_at, world.after(40));
    world.finish(fence, &End::Cancelled).await.unwrap();
    assert!(matches!(heartbeat(&world, fence).await, Err(StoreError::LeaseLost { .. })));
}

async fn a_token_is_good_for_its_attempt_alone(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    world.job(spec, JobType::Plan).await;
    let tx = world.store.begin().await.unwrap();
    let claimant = Claimant { token_hash: "token".to_owned(), ..claimant(runner, &[]) };
    let answers = queue::claim(&tx, &[claimant], LEASE, world.now).await.unwrap();
    tx.commit().await.unwrap();
    let fence = answers.into_iter().find_map(Answer::job).unwrap().fence;
    let credential = jobs::authenticate(&world.store, "token").await.unwrap().unwrap();
    assert_eq!((credential.fence, credential.spec_id, credential.alive), (fence, spec, true));
    assert_eq!(jobs::authenticate(&world.store, "other").await.unwrap(), None);
    cancel(&world, fence.job_id).await.unwrap();
    assert!(!jobs::authenticate(&world.store, "token").await.unwrap().unwrap().alive);
}

async fn a_job_is_finished_once(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    world.finish(fence, &End::Success).await.unwrap();
    assert!(matches!(world.finish(fence, &End::Success).await, Err(StoreError::LeaseLost { .. })));
}

async fn lists_are_filtered_and_paged(world: World) {
    let (shop, blog) = (world.spec("shop").await, world.spec("blog").await);
    let mut jobs = Vec::new();
    for spec in [shop, shop, shop, blog] {
        jobs.push(world.job(spec, JobType::Plan).await);
    }
    cancel(&world, jobs[0]).await.unwrap();
    let filter = JobFilter { spec_id: Some(shop), ..JobFilter::default() };
    let first = jobs::list(&world.store, filter, PageRequest::first(2)).await.unwrap();
    assert_eq!(first.items.iter().map(|job| job.id).collect::<Vec<_>>(), [jobs[2], jobs[1]]);
    let rest = PageRequest { after: first.next, limit: 2 };
    let rest = jobs::list(&world.store, filter, rest).await.unwrap();
    assert_eq!((rest.items[0].id, rest.items.len(), rest.next), (jobs[0], 1, None));
    let filter = JobFilter { status: Some(JobStatus::Cancelled), ..JobFilter::default() };
    let cancelled = jobs::list(&world.store, filter, PageRequest::first(10)).await.unwrap();
    assert_eq!(cancelled.items.iter().map(|job| job.id).collect::<Vec<_>>(), [jobs[0]]);
    let filter = JobFilter { status: Some(JobStatus::Queued), ..JobFilter::default() };
    let first = jobs::list(&world.store, filter, PageRequest::first(2)).await.unwrap();
    assert_eq!(first.items.iter().map(|job| job.id).collect::<Vec<_>>(), [jobs[3], jobs[2]]);
    let rest = PageRequest { after: first.next, limit: 2 };
    let rest = jobs::list(&world.store, filter, rest).await.unwrap();
    assert_eq!(rest.items.iter().map(|job| job.id).collect::<Vec<_>>(), [jobs[1]]);
    let runner = world.runner("a", &[]).await;
    let claimed = world.claim(runner).await.unwrap().fence.job_id;
    for (status, expected) in [(JobStatus::Claimed, vec![claimed]), (JobStatus::Processing, Vec::new())] {
        let filter = JobFilter { status: Some(status), ..JobFilter::default() };
        let found = jobs::list(&world.store, filter, PageRequest::first(2)).await.unwrap().items;
        assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), expected);
    }
}

async fn cancel(world: &World, id: alethia_domain::ids::JobId) -> alethia_store::Result<JobStatus> {
    let tx = world.store.begin().await?;
    let status = jobs::cancel(&tx, id, world.now).await?;
    tx.commit().await?;
    Ok(status)
}

async fn heartbeat(world: &World, fence: jobs::Fence) -> alethia_store::Result<jobs::Heartbeat> {
    let tx = world.store.begin().await?;
    let reply = jobs::heartbeat(&tx, fence, Some("apply"), LEASE, world.after(10)).await?;
    tx.commit().await?;
    Ok(reply)
}
