//! A quiet platform: 200 Runners wait for work and 1,000 people watch, and nothing happens. What that costs the Console.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    console::{self, Console},
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    seed::Size,
    wire::Wire,
};

const RUNNERS: usize = 200;
pub(super) const WATCHERS: usize = 1000;
const WAIT_SECONDS: u16 = 25;

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let (settle, time) = if ground.quick { (3, 10) } else { (10, 20) };
    let mut figures = Vec::new();
    for kind in Kind::BOTH {
        let scene = ground.seeded(kind, Size { specs: 100, finished: 0, queued: 100 }).await?;
        let console = Console::start(&scene).await?;
        let jobs = console.hold(100).await?.into_iter().map(|held| held.id).collect::<Vec<_>>();
        let mut clients = JoinSet::new();
        watch(&console, &jobs, &mut clients).await?;
        wait_for_work(&console, &mut clients).await?;
        ground.say(&format!("idle: {RUNNERS} Runners and {WATCHERS} streams on {}", kind.as_str()));
        sleep(Duration::from_secs(settle)).await;
        let before = console.used()?;
        sleep(Duration::from_secs(time)).await;
        let share = (console.used()? - before).as_secs_f64() / time as f64 * 100.0;
        if let Some(ended) = clients.try_join_next() {
            ended?.context("a client lost the Console")?;
        }
        let what = format!("{RUNNERS} Runners polling and {WATCHERS} streams, idle, {}", kind.as_str());
        figures.push(Figure::new(what, Reach::AtMost(5.0), "% of a core", vec![share]));
        drop(clients);
        console.stop().await?;
        ground.remove(scene).await?;
    }
    Ok(figures)
}

/// Half of the watchers look at one job each, half at everything.
pub(super) async fn watch(
    console: &Console,
    jobs: &[String],
    clients: &mut JoinSet<Result<()>>,
) -> Result<()> {
    for number in 0..WATCHERS {
        let path = match jobs.get(number % jobs.len().max(1)) {
            Some(job) if number % 2 == 0 => format!("/jobs/{job}/stream"),
            Some(_) | None => "/events".to_owned(),
        };
        let events = console.wire().await?.events(&path).await;
        let mut events = events.with_context(|| format!("{number} of {WATCHERS} streams were opened"))?;
        clients.spawn(async move {
            while events.next().await?.is_some() {}
            Ok(())
        });
    }
    Ok(())
}

async fn wait_for_work(console: &Console, clients: &mut JoinSet<Result<()>>) -> Result<()> {
    for number in 0..RUNNERS {
        let runner = console.runner(&format!("runner-{number}")).await?;
        clients.spawn(poll(runner));
    }
    Ok(())
}

async fn poll(mut runner: Wire) -> Result<()> {
    loop {
        runner.json("POST", "/runner/claim", &console::claim_request(WAIT_SECONDS)).await?;
    }
}
