//! Claims through the API: eight Runners, each on a connection of its own, ask as fast as they are answered. An answer is
//! the whole claim: document, identity, state, job token.

use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::claims;
use crate::{
    console::{self, Console},
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    sample::Latencies,
    wire::Wire,
};

const RUNNERS: usize = 8;
const WARM_UP: usize = 25;

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let runs = ground.times(3, 1);
    let (mut rates, mut latencies) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        let scene = ground.seeded(Kind::Postgres, claims::large(ground)).await?;
        ground.say(&format!("claims through the API, run {run} of {runs}"));
        let console = Console::start(&scene).await?;
        let (rate, latency) = drain(&console).await?;
        rates.push(rate);
        latencies.push(latency);
        console.stop().await?;
        ground.remove(scene).await?;
    }
    let what = format!("claims through the API, PostgreSQL, {RUNNERS} Runners");
    let mut figures = vec![Figure::new(what.clone(), Reach::AtLeast(2500.0), "/s", rates)];
    figures.extend(Figure::percentiles(&what, Reach::Told, Reach::AtMost(15.0), &latencies));
    Ok(figures)
}

async fn drain(console: &Console) -> Result<(f64, Latencies)> {
    let mut runners = Vec::new();
    for number in 0..RUNNERS {
        runners.push(console.runner(&format!("worker-{number}")).await?);
    }
    let (runners, _) = work(runners, WARM_UP).await?;
    let start = Instant::now();
    let (_, latencies) = work(runners, usize::MAX).await?;
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    ensure!(latencies.len() > WARM_UP, "there was nothing to claim");
    Ok((rate, latencies))
}

async fn work(runners: Vec<Wire>, most: usize) -> Result<(Vec<Wire>, Latencies)> {
    let mut workers = JoinSet::new();
    for runner in runners {
        workers.spawn(claim(runner, most));
    }
    let (mut runners, mut latencies) = (Vec::new(), Latencies::default());
    for part in workers.join_all().await {
        let (runner, part) = part?;
        runners.push(runner);
        latencies.append(part);
    }
    Ok((runners, latencies))
}

async fn claim(mut runner: Wire, most: usize) -> Result<(Wire, Latencies)> {
    let request = console::claim_request(0).to_string();
    let mut latencies = Latencies::default();
    while latencies.len() < most {
        let start = Instant::now();
        let answer = runner.call("POST", "/runner/claim", &request).await?;
        match answer.status {
            200 => latencies.since(start),
            204 => break,
            status => {
                anyhow::bail!("a claim was answered {status}: {}", String::from_utf8_lossy(&answer.body))
            }
        }
    }
    Ok((runner, latencies))
}
