//! Who gets which job, and when.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alethia_domain::{
    event::Failure,
    ids::{JobId, RunnerId},
    lifecycle::{FailureReason, JobStatus, JobType},
};
use alethia_store::{
    Conflict, StoreError,
    jobs::{self, End, NewJob},
    queue::{self, Answer, Expired, Loss},
    runners,
};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use uuid::Uuid;

use crate::fixture::{LEASE, World, claimant, on_both};

on_both!(
    eight_claimers_share_the_queue_exactly,
    jobs_of_a_spec_run_in_order_whatever_their_priority,
    a_higher_priority_goes_first,
    zones_take_turns,
    labels_and_assignment_decide_who_may_have_a_job,
    a_spec_has_one_pending_job_that_changes_the_cloud,
    a_lost_lease_requeues_a_plan,
    a_lost_lease_fails_a_deploy,
    a_lost_lease_requeues_what_was_only_claimed,
    a_cancelled_plan_that_was_lost_is_not_run_again,
    a_renewed_lease_is_not_lost,
    a_deploy_that_started_in_between_is_not_queued_again,
    a_removed_runner_claims_nothing_also_when_it_was_waiting,
    the_end_of_a_pause_is_known_before,
);

async fn eight_claimers_share_the_queue_exactly(world: World) {
    for spec in 0..10 {
        let spec = world.spec(&format!("spec-{spec}")).await;
        for _ in 0..6 {
            world.job(spec, JobType::Plan).await;
        }
    }
    let world = std::sync::Arc::new(world);
    let mut claimers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let world = world.clone();
        claimers.spawn(async move {
            let runner = world.runner(&format!("runner-{number}"), &[]).await;
            drain(&world, runner).await
        });
    }
    let taken: Vec<_> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 60);
    assert_eq!(taken.iter().map(|claimed| claimed.fence.job_id).collect::<BTreeSet<_>>().len(), 60);
    assert!(taken.iter().all(|claimed| claimed.fence.attempt == 1));
}

/// Claims, starts and finishes until all sixty jobs are done.
async fn drain(world: &World, runner: RunnerId) -> Vec<queue::Claimed> {
    let mut taken = Vec::new();
    loop {
        if let Some(claimed) = world.claim(runner).await {
            world.start(claimed.fence).await;
            world.finish(claimed.fence, &End::Success).await.unwrap();
            taken.push(claimed);
        } else if queue::depth(&world.store).await.unwrap().is_empty() {
            return taken;
        }
    }
}

async fn jobs_of_a_spec_run_in_order_whatever_their_priority(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    let plan = world.job(spec, JobType::Plan).await;
    let deploy = world.job(spec, JobType::Deploy).await;
    let first = world.claim(runner).await.unwrap();
    assert_eq!(first.fence.job_id, plan);
    assert_eq!(world.claim(runner).await, None);
    world.start(first.fence).await;
    assert_eq!(world.claim(runner).await, None);
    world.finish(first.fence, &End::Success).await.unwrap();
    assert_eq!(world.claim(runner).await.unwrap().fence.job_id, deploy);
}

async fn a_higher_priority_goes_first(world: World) {
    let runner = world.runner("a", &[]).await;
    let mut expected = BTreeMap::new();
    for job_type in [JobType::FetchResources, JobType::Plan, JobType::Deploy] {
        let spec = world.spec(&job_type.as_str().to_lowercase()).await;
        expected.insert(std::cmp::Reverse(job_type.priority()), world.job(spec, job_type).await);
    }
    for job in expected.into_values() {
        assert_eq!(world.claim(runner).await.unwrap().fence.job_id, job);
    }
}

async fn zones_take_turns(world: World) {
    let (busy, quiet) = (world.zone("busy").await, world.zone("quiet").await);
    let runner = world.runner("a", &[]).await;
    for number in 0..6 {
        let spec = world.spec_in(busy, &format!("spec-{number}")).await;
        world.job(spec, JobType::Plan).await;
    }
    world.claim(runner).await.unwrap();
    let mut late = Vec::new();
    for number in 0..2 {
        let spec = world.spec_in(quiet, &format!("spec-{number}")).await;
        late.push(world.job(spec, JobType::Plan).await);
    }
    let mut order = Vec::new();
    while let Some(claimed) = world.claim(runner).await {
        order.push(claimed.fence.job_id);
    }
    let places: Vec<_> =
        late.iter().map(|job| order.iter().position(|other| other == job).unwrap()).collect();
    assert_eq!(places, [1, 3], "the late zone alternates with the busy one");
}

async fn labels_and_assignment_decide_who_may_have_a_job(world: World) {
    let (plain, labelled) = (world.runner("plain", &[]).await, world.runner("gpu", &["gpu", "eu"]).await);
    let spec = world.spec("shop").await;
    let new = NewJob {
        required_labels: vec!["eu".to_owned()],
        assigned_runner_id: Some(labelled),
        ..world.new_job(spec, JobType::Plan).await
    };
    world.insert(&new).await.unwrap();
    assert_eq!(world.claim_at(plain, &["eu"], world.now).await, None, "it is assigned to another");
    assert_eq!(world.claim_at(labelled, &["gpu"], world.now).await, None, "a label is missing");
    assert!(world.claim_at(labelled, &["gpu", "eu"], world.now).await.is_some());
}

async fn a_spec_has_one_pending_job_that_changes_the_cloud(world: World) {
    let spec = world.spec("shop").await;
    world.job(spec, JobType::Plan).await;
    world.job(spec, JobType::Deploy).await;
    let second = world.insert(&world.new_job(spec, JobType::Destroy).await).await;
    assert!(matches!(second, Err(StoreError::Conflict(Conflict::MutatingJobPending))), "{second:?}");
    world.job(spec, JobType::Plan).await;
}

async fn a_lost_lease_requeues_a_plan(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    assert_eq!(queue::expired(&world.store, world.after(29), 10).await.unwrap(), []);
    let expired = queue::expired(&world.store, world.after(31), 10).await.unwrap();
    assert_eq!(expired.iter().map(|expired| expired.fence).collect::<Vec<_>>(), [fence]);

    let loss = retry(world.after(60));
    assert_eq!(lose(&world, &loss).await, Some(JobStatus::Queued));
    let late = world.finish(fence, &End::Success).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { attempt: 1, .. })), "{late:?}");

    let runner = world.runner("other", &[]).await;
    assert_eq!(world.claim_at(runner, &[], world.after(59)).await, None, "it is held back");
    let again = world.claim_at(runner, &[], world.after(60)).await.unwrap();
    assert_eq!((again.fence.job_id, again.fence.attempt), (fence.job_id, 2));
}

async fn a_lost_lease_fails_a_deploy(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Deploy).await;
    assert_eq!(lose(&world, &abandon()).await, Some(JobStatus::Failed));
    let job = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!(job.failure.map(|failure| failure.reason), Some(FailureReason::RunnerLost));
    assert_eq!(job.finished_at, Some(world.after(31)));
}

async fn a_lost_lease_requeues_what_was_only_claimed(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    world.job(spec, JobType::Deploy).await;
    world.claim(runner).await.unwrap();
    assert_eq!(lose(&world, &abandon()).await, Some(JobStatus::Queued));
    assert_eq!(world.claim(runner).await.unwrap().fence.attempt, 2);
}

async fn a_cancelled_plan_that_was_lost_is_not_run_again(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    let tx = world.store.begin().await.unwrap();
    jobs::cancel(&tx, fence.job_id, world.now).await.unwrap();
    tx.commit().await.unwrap();
    let loss = retry(world.now);
    assert_eq!(lose(&world, &loss).await, Some(JobStatus::Cancelled));
    assert_eq!(jobs::get(&world.store, fence.job_id).await.unwrap().failure, Some(lost()));
}

async fn a_renewed_lease_is_not_lost(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    let loss = retry(world.now);
    let seen = queue::expired(&world.store, world.after(31), 10).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    jobs::heartbeat(&tx, fence, None, crate::fixture::LEASE, world.after(20)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(lose_at(&world, &seen[0], &loss).await, None);
}

/// The reaper saw it CLAIMED; when it acts, the Runner has begun.
async fn a_deploy_that_started_in_between_is_not_queued_again(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    let job = world.job(spec, JobType::Deploy).await;
    let fence = world.claim(runner).await.unwrap().fence;
    let seen = queue::expired(&world.store, world.after(31), 10).await.unwrap();
    world.start(fence).await;
    let loss = retry(world.after(60));
    assert_eq!(lose_at(&world, &seen[0], &loss).await, None);
    assert_eq!(jobs::get(&world.store, job).await.unwrap().status, JobStatus::Processing);
    assert_eq!(lose(&world, &abandon()).await, Some(JobStatus::Failed));
}

/// The clock of the Console that made it is behind: on PostgreSQL its id may come before that of a job which is just claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_turns_up_before_one_that_is_being_claimed_waits_for_it() {
    let world = Arc::new(World::postgres().await);
    let (spec, here, there) =
        (world.spec("shop").await, world.runner("a", &[]).await, world.runner("b", &[]).await);
    let first = world.job(spec, JobType::Plan).await;
    let tx = world.store.begin().await.unwrap();
    let answers = queue::claim(&tx, &[claimant(here, &[])], LEASE, world.now).await.unwrap();
    assert_eq!(answers.into_iter().find_map(Answer::job).unwrap().fence.job_id, first);
    let second = world.job(spec, JobType::Plan).await;
    let database = Database::connect(&world.config.database_url).await.unwrap();
    let earlier = format!("UPDATE provision_jobs SET id = '{}' WHERE id = '{second}'", JobId(Uuid::nil()));
    database.execute_unprepared(&earlier).await.unwrap();
    let other = tokio::spawn({
        let world = world.clone();
        async move { world.claim(there).await }
    });
    let waits =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = Statement::from_string(DbBackend::Postgres, waits);
    let blocked = async { while database.query_one_raw(waits.clone()).await.unwrap().is_none() {} };
    tokio::time::timeout(Duration::from_secs(20), blocked).await.expect("it waits for the first claim");
    tx.commit().await.unwrap();
    assert_eq!(other.await.unwrap(), None, "the first is being worked on");
}

async fn a_removed_runner_claims_nothing_also_when_it_was_waiting(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("a", &[]).await;
    world.job(spec, JobType::Plan).await;
    let tx = world.store.begin().await.unwrap();
    runners::remove(&tx, "a", world.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.claim(runner).await, None);
}

async fn the_end_of_a_pause_is_known_before(world: World) {
    let spec = world.spec("shop").await;
    let runner = world.runner("other", &[]).await;
    world.started(spec, JobType::Plan).await;
    assert_eq!(queue::next_due(&world.store, world.now).await.unwrap(), None);
    lose(&world, &retry(world.after(60))).await;
    assert_eq!(queue::next_due(&world.store, world.after(31)).await.unwrap(), Some(world.after(60)));
    assert_eq!(queue::next_due(&world.store, world.after(60)).await.unwrap(), None, "it is due");
    assert_eq!(world.claim_at(runner, &[], world.after(59)).await, None);
    assert!(world.claim_at(runner, &[], world.after(60)).await.is_some());
}

fn retry(not_before: DateTime<Utc>) -> Loss {
    Loss::Retry { not_before, failure: lost() }
}

fn abandon() -> Loss {
    Loss::Abandon { failure: lost() }
}

fn lost() -> Failure {
    Failure {
        reason: FailureReason::RunnerLost,
        message: "the runner was lost".to_owned(),
        address: None,
        hint: None,
    }
}

async fn lose(world: &World, loss: &Loss) -> Option<JobStatus> {
    let expired = queue::expired(&world.store, world.after(31), 10).await.unwrap();
    lose_at(world, &expired[0], loss).await
}

async fn lose_at(world: &World, expired: &Expired, loss: &Loss) -> Option<JobStatus> {
    let tx = world.store.begin().await.unwrap();
    let status = queue::lose_lease(&tx, expired, loss, world.after(31)).await.unwrap();
    tx.commit().await.unwrap();
    status
}
