//! Memory of a Console that has nothing to do, and of one that has all to do at once: 1,000 streams are open, eight Runners
//! write logs as fast as they are answered, and people look at lists.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{idle, logs};
use crate::{
    console::{Console, Held},
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    seed::Size,
    wire::Wire,
};

const WRITERS: usize = 8;
const READERS: usize = 8;
const LINE: &str = "aws_sqs_queue.orders: Still creating... [10s elapsed]\\n";

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let time = Duration::from_secs(if ground.quick { 5 } else { 15 });
    let mut figures = Vec::new();
    for kind in Kind::BOTH {
        let scene = ground.seeded(kind, Size { specs: 1000, finished: 10_000, queued: 100 }).await?;
        let console = Console::start(&scene).await?;
        sleep(Duration::from_secs(3)).await;
        let what = format!("memory of `alethia serve`, idle, {}", kind.as_str());
        figures.push(Figure::new(what, Reach::AtMost(40.0), "MiB", vec![console.memory()?]));
        ground.say(&format!("memory under load on {}", kind.as_str()));
        let most = load(&console, time).await?;
        let what = format!("the same with {} streams and full load, the most", idle::WATCHERS);
        figures.push(Figure::new(what, Reach::AtMost(120.0), "MiB", vec![most]));
        console.stop().await?;
        ground.remove(scene).await?;
    }
    Ok(figures)
}

/// The most that it holds while everything goes on.
async fn load(console: &Console, time: Duration) -> Result<f64> {
    let held = console.hold(WRITERS).await?;
    let jobs: Vec<String> = held.iter().map(|held| held.id.clone()).collect();
    let mut clients = JoinSet::new();
    idle::watch(console, &jobs, &mut clients).await?;
    for held in held {
        clients.spawn(write(held));
    }
    for _ in 0..READERS {
        clients.spawn(look(console.wire().await?));
    }
    let (end, mut most) = (Instant::now() + time, 0.0_f64);
    while Instant::now() < end {
        most = most.max(console.memory()?);
        if let Some(ended) = clients.try_join_next() {
            ended?.context("a client lost the Console")?;
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(most)
}

async fn write(mut held: Held) -> Result<()> {
    let (path, mut sequence) = (format!("{}/logs", held.path), 0);
    loop {
        let body = logs::chunks(&mut sequence, 4, &LINE.repeat(20));
        let answer = held.wire.call("POST", &path, &body).await?;
        ensure!(answer.status == 204, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
}

async fn look(mut wire: Wire) -> Result<()> {
    loop {
        for path in ["/specs", "/jobs", "/zones"] {
            wire.json("GET", path, &Value::Null).await?;
        }
    }
}
