//! Claims that come together, in one transaction: each gets what it would get if they came one after the other, those with
//! the same labels at the place of the first of them.

use std::{collections::BTreeSet, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use alethia_domain::{
    ids::{JobId, RunnerId, ZoneId},
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{
    StoreError, Tx,
    jobs::{self, NewJob},
    queue::{self, Answer, Claimant, Claims},
    runners, zones,
};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use sea_orm::{ConnectionTrait, Database};
use tokio::task::JoinSet;

use crate::fixture::{LEASE, World, claimant, on_both};

on_both!(
    together_they_get_what_they_would_get_one_after_the_other,
    places_of_a_zone_are_counted_within_the_group,
    a_job_that_can_be_told_to_nobody_is_set_aside_and_holds_up_none,
    a_removed_runner_leaves_its_job_to_the_others,
    each_has_an_attempt_and_a_token_of_its_own,
    a_line_of_claims_gives_each_job_once,
    a_job_whose_asker_went_away_goes_back,
    without_the_database_all_of_them_are_told,
);

async fn together_they_get_what_they_would_get_one_after_the_other(world: World) {
    let mut random = SmallRng::seed_from_u64(20_261_124);
    for round in 0..12 {
        let runners = runners(&world, &format!("round{round}"), 4).await;
        let zones = [world.zone(&format!("a{round}")).await, world.zone(&format!("b{round}")).await];
        for number in 0..9 {
            let spec =
                world.spec_in(zones[random.random_range(0..2)], &format!("spec-{round}-{number}")).await;
            for _ in 0..random.random_range(1..3) {
                let job_type = [JobType::Plan, JobType::FetchResources][random.random_range(0..2)];
                let assigned = random.random_bool(0.3).then(|| runners[random.random_range(0..4)]);
                let labels = if random.random_bool(0.3) { vec!["eu".to_owned()] } else { Vec::new() };
                let new = world.new_job(spec, job_type).await;
                let new = NewJob { assigned_runner_id: assigned, required_labels: labels, ..new };
                world.insert(&new).await.unwrap();
            }
        }
        let first_is_labelled = random.random_bool(0.5);
        let asking: Vec<Claimant> = (0..8)
            .map(|number| {
                let labelled = if number == 0 { first_is_labelled } else { random.random_bool(0.4) };
                let labels: &[&str] = if labelled { &["eu", "gpu"] } else { &[] };
                claimant(runners[random.random_range(0..4)], labels)
            })
            .collect();
        let mut served: Vec<usize> = (0..asking.len()).collect();
        served.sort_by_key(|number| asking[*number].labels != asking[0].labels);

        let tx = world.store.begin().await.unwrap();
        let mut one_by_one = vec![None; asking.len()];
        for number in served {
            one_by_one[number] = claimed(&tx, &world, std::slice::from_ref(&asking[number])).await[0];
        }
        tx.roll_back().await.unwrap();
        let tx = world.store.begin().await.unwrap();
        assert_eq!(claimed(&tx, &world, &asking).await, one_by_one, "round {round}");
        tx.commit().await.unwrap();
        assert!(one_by_one.iter().flatten().count() > 4, "round {round} has hardly a job");
    }
}

async fn places_of_a_zone_are_counted_within_the_group(world: World) {
    let (limited, free) = (world.zone("limited").await, world.zone("free").await);
    limit(&world, limited, 2).await;
    let first = plans(&world, limited, 4).await;
    let second = plans(&world, free, 4).await;
    let runners = runners(&world, "r", 5).await;
    let asking: Vec<_> = runners.iter().map(|runner| claimant(*runner, &[])).collect();
    let tx = world.store.begin().await.unwrap();
    let taken = claimed(&tx, &world, &asking).await.into_iter().flatten().collect::<BTreeSet<_>>();
    tx.commit().await.unwrap();
    let expected = first[..2].iter().chain(&second[..3]).copied().collect();
    assert_eq!(taken, expected, "two of the limited zone, and the next of the other");
}

async fn a_job_that_can_be_told_to_nobody_is_set_aside_and_holds_up_none(world: World) {
    let zone = world.zone("zone").await;
    let jobs = plans(&world, zone, 3).await;
    let database = Database::connect(&world.config.database_url).await.unwrap();
    let spoil =
        "UPDATE provision_jobs SET snapshot = '{' WHERE turn = (SELECT MIN(turn) FROM provision_jobs)";
    database.execute_unprepared(spoil).await.unwrap();
    let runners = runners(&world, "r", 2).await;
    let asking: Vec<_> = runners.iter().map(|runner| claimant(*runner, &[])).collect();
    let tx = world.store.begin().await.unwrap();
    assert_eq!(claimed(&tx, &world, &asking).await, [Some(jobs[1]), Some(jobs[2])]);
    tx.commit().await.unwrap();
    assert_eq!(jobs::get(&world.store, jobs[0]).await.unwrap().status, JobStatus::Queued);
    let due = queue::next_due(&world.store, world.now).await.unwrap();
    assert_eq!(due, Some(world.after(60)), "it is looked at again");
}

async fn a_removed_runner_leaves_its_job_to_the_others(world: World) {
    let zone = world.zone("zone").await;
    let jobs = plans(&world, zone, 1).await;
    let runners = runners(&world, "r", 2).await;
    let tx = world.store.begin().await.unwrap();
    runners::remove(&tx, "r-0", world.now).await.unwrap();
    tx.commit().await.unwrap();
    let asking: Vec<_> = runners.iter().map(|runner| claimant(*runner, &[])).collect();
    let tx = world.store.begin().await.unwrap();
    let answers = queue::claim(&tx, &asking, LEASE, world.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(answers[0], Answer::Removed);
    assert_eq!(answers.into_iter().find_map(Answer::job).unwrap().fence.job_id, jobs[0]);
    assert_eq!(jobs::get(&world.store, jobs[0]).await.unwrap().runner_id, Some(runners[1]));
}

async fn each_has_an_attempt_and_a_token_of_its_own(world: World) {
    let zone = world.zone("zone").await;
    plans(&world, zone, 3).await;
    let runners = runners(&world, "r", 3).await;
    let asking: Vec<_> = runners.iter().map(|runner| claimant(*runner, &[])).collect();
    let tx = world.store.begin().await.unwrap();
    let answers = queue::claim(&tx, &asking, LEASE, world.now).await.unwrap();
    tx.commit().await.unwrap();
    for (answer, asking) in answers.into_iter().zip(asking) {
        let claimed = answer.job().unwrap();
        let credential = jobs::authenticate(&world.store, &asking.token_hash).await.unwrap().unwrap();
        assert_eq!((credential.fence, credential.alive), (claimed.fence, true));
        let job = jobs::get(&world.store, claimed.fence.job_id).await.unwrap();
        assert_eq!((job.runner_id, job.status), (Some(asking.runner_id), JobStatus::Claimed));
        assert_eq!(job.lease_expires_at, Some(claimed.lease_expires_at));
    }
}

async fn a_line_of_claims_gives_each_job_once(world: World) {
    let (limited, free) = (world.zone("limited").await, world.zone("free").await);
    limit(&world, limited, 3).await;
    plans(&world, limited, 10).await;
    plans(&world, free, 50).await;
    let runners = runners(&world, "r", 8).await;
    let (world, claims) = (Arc::new(world), Arc::new(Claims::default()));
    let mut workers = JoinSet::new();
    for runner in runners {
        let (world, claims) = (world.clone(), claims.clone());
        workers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let asking = claimant(runner, &[]);
                let answer = claims.next(&world.store, asking, LEASE, world.now).await.unwrap();
                let Some(claimed) = answer.job() else { return taken };
                taken.push(claimed.fence.job_id);
            }
        });
    }
    let taken: Vec<JobId> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 53, "all of the free zone, and as many of the limited one as may be");
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 53);
}

async fn a_job_whose_asker_went_away_goes_back(world: World) {
    let zone = world.zone("zone").await;
    let job = plans(&world, zone, 1).await[0];
    let runner = world.runner("a", &[]).await;
    let claims = Claims::default();
    let mut asking = Box::pin(claims.next(&world.store, claimant(runner, &[]), LEASE, world.now));
    poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending())).await;
    is(&world, job, JobStatus::Claimed).await;
    drop(asking);
    is(&world, job, JobStatus::Queued).await;
    assert_eq!(world.claim(runner).await.unwrap().fence.attempt, 2);
}

async fn without_the_database_all_of_them_are_told(world: World) {
    let runner = world.runner("a", &[]).await;
    world.store.clone().close().await;
    let claims = Claims::default();
    let ask = || claims.next(&world.store, claimant(runner, &[]), LEASE, world.now);
    let (one, other) = tokio::join!(ask(), ask());
    for refused in [one, other] {
        assert!(matches!(refused, Err(StoreError::Unavailable { what: "database", .. })), "{refused:?}");
    }
}

/// Waits until the job is there.
async fn is(world: &World, job: JobId, status: JobStatus) {
    let is = async {
        while jobs::get(&world.store, job).await.unwrap().status != status {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is).await.unwrap_or_else(|_| panic!("it is not {status}"));
}

/// What each of them gets in this transaction.
async fn claimed(tx: &Tx, world: &World, asking: &[Claimant]) -> Vec<Option<JobId>> {
    let answers = queue::claim(tx, asking, LEASE, world.now).await.unwrap();
    answers.into_iter().map(|answer| answer.job().map(|claimed| claimed.fence.job_id)).collect()
}

async fn runners(world: &World, name: &str, count: usize) -> Vec<RunnerId> {
    let mut runners = Vec::new();
    for number in 0..count {
        runners.push(world.runner(&format!("{name}-{number}"), &[]).await);
    }
    runners
}

async fn limit(world: &World, zone: ZoneId, most: u32) {
    let tx = world.store.begin().await.unwrap();
    zones::limit(&tx, zone, Some(most)).await.unwrap();
    tx.commit().await.unwrap();
}

/// So many Specs in this Zone, each with a PLAN that waits.
async fn plans(world: &World, zone: ZoneId, count: usize) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for number in 0..count {
        let spec = world.spec_in(zone, &format!("spec-{number}")).await;
        jobs.push(world.job(spec, JobType::Plan).await);
    }
    jobs
}
