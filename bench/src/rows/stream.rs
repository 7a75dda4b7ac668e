//! A line on its way from Terraform to whoever watches: real Console, real Runner, and in Terraform's place a program that
//! writes the time into each line. Then the server's part of it alone: from the request with the line to the stream.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::logs;
use crate::{
    console::Console,
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    runner::Runner,
    sample::Latencies,
    seed::{self, Size},
    stand_in::{self, STAMP, StandIn},
    wire::{Event, Events, Wire},
};

/// How many jobs write, how many people watch, how the lines come.
#[derive(Clone, Copy)]
struct Crowd {
    what: &'static str,
    jobs: u16,
    watchers: usize,
    lines: u32,
    pause: u32,
}

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let few = if ground.quick { 3 } else { 1 };
    let crowds = [
        Crowd { what: "one job, one watcher", jobs: 1, watchers: 1, lines: 180 / few, pause: 250 },
        Crowd { what: "20 busy jobs, 50 watchers", jobs: 20, watchers: 50, lines: 300 / few, pause: 100 },
    ];
    let mut figures = Vec::new();
    for kind in Kind::BOTH {
        for crowd in crowds {
            ground.say(&format!("lines to watchers on {}: {}", kind.as_str(), crowd.what));
            let latencies = lines(ground, kind, crowd).await?;
            let what = format!("line of Terraform to SSE client, {}, {}", kind.as_str(), crowd.what);
            figures.extend(Figure::percentiles(
                &what,
                Reach::AtMost(120.0),
                Reach::AtMost(250.0),
                &[latencies],
            ));
        }
        ground.say(&format!("lines to watchers on {}: the server alone", kind.as_str()));
        let latencies = server_alone(ground, kind).await?;
        let what = format!("the server's part alone, {}", kind.as_str());
        figures.extend(Figure::percentiles(&what, Reach::Told, Reach::AtMost(5.0), &[latencies]));
    }
    Ok(figures)
}

async fn lines(ground: &Ground, kind: Kind, crowd: Crowd) -> Result<Latencies> {
    let scene = ground.seeded(kind, Size { specs: 100, finished: 0, queued: 0 }).await?;
    let console = Console::start(&scene).await?;
    let mut owner = console.wire().await?;
    let mut jobs = Vec::new();
    for number in 0..crowd.jobs {
        jobs.push(enqueue(&mut owner, number.into()).await?);
    }
    let mut watchers = JoinSet::new();
    for number in 0..crowd.watchers {
        let path = format!("/jobs/{}/stream", jobs[number % jobs.len()]);
        watchers.spawn(watch(console.wire().await?.events(&path).await?));
    }
    let babble = StandIn::Babble { lines: crowd.lines, pause: crowd.pause };
    let runner = Runner::start(ground, &console, &babble, crowd.jobs).await?;
    let latencies: Latencies = watchers.join_all().await.into_iter().collect::<Result<_>>()?;
    ensure!(latencies.len() == crowd.lines as usize * crowd.watchers, "{} lines arrived", latencies.len());
    runner.stop().await?;
    console.stop().await?;
    ground.remove(scene).await?;
    Ok(latencies)
}

/// Makes a PLAN of a Spec; says which.
pub(super) async fn enqueue(owner: &mut Wire, spec: u32) -> Result<String> {
    let path = format!("/specs/{}/jobs", seed::spec_id(spec));
    let job = owner.json("POST", &path, &json!({ "type": "PLAN" })).await?;
    Ok(job["id"].as_str().context("the job has no id")?.to_owned())
}

/// How old each line was when it came, until the job has ended.
async fn watch(mut events: Events) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    while let Some(event) = events.next().await? {
        let now = stand_in::stamp();
        match event.name.as_str() {
            "end" => return Ok(latencies),
            "log" => stamps(&event).try_for_each(|written| {
                latencies.add(age(now, written?));
                anyhow::Ok(())
            })?,
            _ => {}
        }
    }
    anyhow::bail!("the stream ended before the job did")
}

fn stamps(event: &Event) -> impl Iterator<Item = Result<u128>> {
    event.data.split(STAMP).skip(1).map(|rest| {
        let digits = rest.split(';').next().unwrap_or_default();
        digits.parse().with_context(|| format!("{digits:?} is no time"))
    })
}

fn age(now: u128, written: u128) -> Duration {
    Duration::from_nanos(u64::try_from(now.saturating_sub(written)).unwrap_or(u64::MAX))
}

async fn server_alone(ground: &Ground, kind: Kind) -> Result<Latencies> {
    let scene = ground.seeded(kind, Size { specs: 100, finished: 0, queued: 100 }).await?;
    let console = Console::start(&scene).await?;
    let mut held = console.hold(1).await?.pop().context("there is no job")?;
    let mut events = console.wire().await?.events(&format!("/jobs/{}/stream", held.id)).await?;
    let (path, mut sequence, mut latencies) = (format!("{}/logs", held.path), 0, Latencies::default());
    for _ in 0..ground.times(500, 100) {
        let body = logs::chunks(&mut sequence, 1, "aws_sqs_queue.orders: Creating...\\n");
        let start = Instant::now();
        let (answer, seen) = tokio::join!(held.wire.call("POST", &path, &body), next_line(&mut events));
        latencies.add(seen? - start);
        ensure!(answer?.status == 204, "a line was refused");
        sleep(Duration::from_millis(25)).await;
    }
    console.stop().await?;
    ground.remove(scene).await?;
    Ok(latencies)
}

async fn next_line(events: &mut Events) -> Result<Instant> {
    while let Some(event) = events.next().await? {
        if event.name == "log" {
            return Ok(Instant::now());
        }
    }
    anyhow::bail!("the stream ended")
}
