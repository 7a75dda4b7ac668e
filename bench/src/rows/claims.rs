//! Claims in the store, as a Console makes them: with what the Runner is told, and together with those that come at the
//! same time. Eight workers ask as fast as they are answered. Beside the jobs that wait lie a million that are over, as on
//! a platform that has run for a year.

use std::{sync::Arc, time::Instant};

use alethia_domain::ids::RunnerId;
use alethia_store::{
    Store,
    queue::{Claimant, Claims},
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
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(10);
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
    let (mut workers, claims) = (JoinSet::new(), Arc::new(Claims::default()));
    for runner in runners {
        workers.spawn(claim(store.clone(), claims.clone(), *runner, most));
    }
    let parts = workers.join_all().await;
    parts.into_iter().collect::<Result<Latencies>>()
}

async fn claim(store: Store, claims: Arc<Claims>, runner_id: RunnerId, most: usize) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    while latencies.len() < most {
        let start = Instant::now();
        if claims.next(&store, claimant(runner_id), LEASE, seed::now()).await?.job().is_none() {
            break;
        }
        latencies.since(start);
    }
    Ok(latencies)
}

/// A Runner without labels that asks for a job, with a new token.
pub(super) fn claimant(runner_id: RunnerId) -> Claimant {
    Claimant { runner_id, name: "worker".to_owned(), labels: Vec::new(), token_hash: token() }
}

/// As long as the digest of a token, and as random.
fn token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
