//! A job that waits says why, what for, and its place in line.

use alethia_api::{
    jobs::{Job, JobQuery, NewJob, WaitReason},
    runners::NewRunner,
    zones::ChangeZone,
};
use alethia_domain::{ids::SpecId, lifecycle::JobType};
use alethia_store::runners;

use crate::support::{Console, claim_request, document, key, new_job, take, take_and_start};

async fn spec(console: &Console, name: &str) -> SpecId {
    let mut document = document(&["orders"]);
    document["name"] = name.into();
    console.put(document).await.spec.id
}

/// Why a job waits, as `jobs get` says it.
async fn why(console: &Console, job: &Job) -> (WaitReason, String, Option<u32>) {
    let waiting = console.job(job.id).await.waiting.unwrap();
    assert_eq!(waiting.ahead, waiting.place.unwrap() - 1);
    (waiting.reason, waiting.detail, waiting.place)
}

#[tokio::test]
async fn a_job_says_whom_it_waits_for() {
    let console = Console::start().await;
    let (shop, blog) = (spec(&console, "shop").await, spec(&console, "blog").await);
    let first = console.create_job(shop, JobType::Plan).await;
    let (reason, detail, place) = why(&console, &first).await;
    assert_eq!(
        (reason, detail.as_str(), place),
        (WaitReason::NoRunner, "a Runner; none is registered", Some(1))
    );

    let runner = console.runner().await;
    let (reason, detail, _) = why(&console, &first).await;
    assert_eq!((reason, detail.as_str()), (WaitReason::NoRunner, "a Runner; runner is offline"));

    let labelled = NewJob { required_labels: vec!["eu".to_owned()], ..new_job(JobType::Plan) };
    let labelled = console.client.create_job(blog, &labelled, &key()).await.unwrap();
    let (reason, detail, place) = why(&console, &labelled).await;
    let expected = "a Runner with the label eu; none has";
    assert_eq!((reason, detail.as_str(), place), (WaitReason::NoRunner, expected, Some(2)));

    take_and_start(&runner).await;
    assert!(console.job(first.id).await.waiting.is_none(), "it waits no more");
    let second = console.create_job(shop, JobType::Plan).await;
    let (reason, detail, _) = why(&console, &second).await;
    assert_eq!((reason, detail), (WaitReason::JobOfSpec, format!("job {} of its Spec", first.id)));
    let other = spec(&console, "other").await;
    let other = console.create_job(other, JobType::Plan).await;
    let (reason, detail, _) = why(&console, &other).await;
    assert_eq!((reason, detail.as_str()), (WaitReason::RunnersBusy, "a free Runner; runner has work"));
}

#[tokio::test]
async fn a_job_says_when_its_zone_is_full_or_its_turn_has_come() {
    let console = Console::start().await;
    let runner = console.runner().await;
    assert!(runner.claim(&claim_request(0)).await.unwrap().is_none());
    let (shop, blog) = (spec(&console, "shop").await, spec(&console, "blog").await);
    let first = console.create_job(shop, JobType::Plan).await;
    let (reason, detail, _) = why(&console, &first).await;
    assert_eq!((reason, detail.as_str()), (WaitReason::Turn, "its turn"));
    let limit = ChangeZone { max_jobs: Some(Some(1)), ..ChangeZone::default() };
    console.client.change_zone("default", &limit).await.unwrap();
    take(&runner).await;
    let second = console.create_job(blog, JobType::Plan).await;
    let (reason, detail, _) = why(&console, &second).await;
    let expected = "a place in the Zone default, which runs 1 of at most 1 jobs";
    assert_eq!((reason, detail.as_str()), (WaitReason::ZoneFull, expected));
}

#[tokio::test]
async fn a_job_for_one_runner_says_that_it_is_offline() {
    let console = Console::start().await;
    let new = NewRunner { name: "north".to_owned(), labels: Vec::new() };
    let north = console.client.register_runner(&new).await.unwrap().runner.id;
    let shop = spec(&console, "shop").await;
    let alone = NewJob { assigned_runner_id: Some(north), ..new_job(JobType::Plan) };
    let alone = console.client.create_job(shop, &alone, &key()).await.unwrap();
    let (reason, detail, _) = why(&console, &alone).await;
    assert_eq!((reason, detail.as_str()), (WaitReason::RunnerOffline, "the Runner north, which is offline"));
}

#[tokio::test]
async fn a_list_says_it_of_each_job_that_waits() {
    let console = Console::start().await;
    for number in 0..5 {
        let spec = spec(&console, &format!("shop-{number}")).await;
        console.create_job(spec, JobType::Plan).await;
    }
    let page = console.client.jobs(&JobQuery::default()).await.unwrap();
    let places: Vec<_> = page.items.iter().map(|job| job.waiting.as_ref().unwrap().place).collect();
    assert_eq!(places, [Some(5), Some(4), Some(3), Some(2), Some(1)]);
}

#[tokio::test]
async fn a_runner_is_not_overlooked_among_many() {
    let console = Console::start().await;
    let fits = NewRunner { name: "fits".to_owned(), labels: vec!["eu".to_owned()] };
    console.client.register_runner(&fits).await.unwrap();
    let store = &console.server.app().store;
    let tx = store.begin().await.unwrap();
    for number in 0..250 {
        let (name, token_hash) = (format!("other-{number}"), format!("of {number}"));
        let other = runners::NewRunner { name, labels: Vec::new(), token_hash };
        runners::insert(&tx, &other, console.server.app().now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let spec = spec(&console, "shop").await;
    let labelled = NewJob { required_labels: vec!["eu".to_owned()], ..new_job(JobType::Plan) };
    let job = console.client.create_job(spec, &labelled, &key()).await.unwrap();
    let (reason, detail, _) = why(&console, &job).await;
    assert_eq!((reason, detail.as_str()), (WaitReason::NoRunner, "a Runner; fits is offline"));
}
