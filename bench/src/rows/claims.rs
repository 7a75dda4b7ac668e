//! Claims in the store: the statement that gives a job to a Runner, in a transaction of its own, as fast as eight workers
//! can ask. Beside the jobs that wait lie a million that are over, as on a platform that has run for a year.

use std::time::Instant;

use alethia_domain::ids::RunnerId;
use alethia_store::{
    Store,
    queue::{self, Claimant},
};
use anyhow::{Result, ensure};
use chrono::TimeDelta;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    sample::Latencies,
    seed::{self, Size},
};

const WORKERS: usize = 8;
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// Claims before the clock starts: connections are made, pages are read.
const WARM_UP: usize = 200;

/// The database that large rows share.
pub(super) fn large(ground: &Ground) -> Size {
    let finished = if ground.quick { 100_000 } else { 1_000_000 };
    Size { specs: finished / 10, finished, queued: 10_000 }
}

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let runs = ground.times(3, 1);
    let mut figures = Vec::new();
    let mut all: [Vec<(f64, Latencies)>; 2] = Default::default();
    for run in 1..=runs {
        for (kind, measured) in Kind::BOTH.into_iter().zip(&mut all) {
            let scene = ground.seeded(kind, large(ground)).await?;
            ground.say(&format!("claims in {}, run {run} of {runs}", kind.as_str()));
            let store = Store::open(&scene.config()?, seed::now()).await?;
            measured.push(drain(&store).await?);
            store.close().await;
            ground.remove(scene).await?;
        }
    }
    for ((kind, least), measured) in Kind::BOTH.into_iter().zip([2500.0, 4000.0]).zip(all) {
        let (rates, latencies): (Vec<f64>, Vec<Latencies>) = measured.into_iter().unzip();
        let what = format!("claims in the store, {}, {WORKERS} workers, {}", kind.as_str(), large(ground));
        figures.push(Figure::new(what.clone(), Reach::AtLeast(least), "/s", rates));
        figures.extend(Figure::percentiles(&what, Reach::Told, Reach::AtMost(25.0), &latencies));
    }
    Ok(figures)
}

/// Claims all there is; tells how many a second, and how long each took.
async fn drain(store: &Store) -> Result<(f64, Latencies)> {
    let mut runners = Vec::new();
    for number in 0..WORKERS {
        runners.push(seed::runner(store, &format!("worker-{number}")).await?);
    }
    work(store, &runners, WARM_UP / WORKERS).await?;
    let start = Instant::now();
    let latencies = work(store, &runners, usize::MAX).await?;
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    ensure!(latencies.len() > WARM_UP, "there was nothing to claim");
    Ok((rate, latencies))
}

async fn work(store: &Store, runners: &[RunnerId], most: usize) -> Result<Latencies> {
    let mut workers = JoinSet::new();
    for runner in runners {
        workers.spawn(claim(store.clone(), *runner, most));
    }
    let parts = workers.join_all().await;
    parts.into_iter().collect::<Result<Latencies>>()
}

async fn claim(store: Store, runner_id: RunnerId, most: usize) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    while latencies.len() < most {
        let (start, token) = (Instant::now(), token());
        let tx = store.begin().await?;
        let claimant = Claimant { runner_id, labels: &[] };
        let claimed = queue::claim(&tx, claimant, &token, LEASE, seed::now()).await?;
        tx.commit().await?;
        if claimed.is_none() {
            break;
        }
        latencies.since(start);
    }
    Ok(latencies)
}

/// As long as the digest of a token, and as random.
pub(super) fn token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
