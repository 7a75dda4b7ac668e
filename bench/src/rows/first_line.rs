//! From the request that makes a job to the first line that Terraform writes for it: a Console, a Runner that waits, real
//! Terraform, and everything warm. Then the parts: the same with a program in Terraform's place that starts in no time,
//! and the claim alone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::{fs, time::sleep};

use super::stream;
use crate::{
    console::{self, Console},
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    runner::{self, Runner},
    sample::Latencies,
    seed::Size,
    stand_in::{self, STAMP, StandIn},
};

const SIZE: Size = Size { specs: 1000, finished: 0, queued: 0 };
/// Jobs before the clock starts: the first makes what later ones find ready.
const WARM_UP: u32 = 2;
/// So long nothing happens before each job.
const QUIET: Duration = Duration::from_millis(100);

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in Kind::BOTH {
        let name = kind.as_str();
        ground.say(&format!("first lines of Terraform on {name}"));
        let real = first_lines(ground, kind, true, ground.times(30, 8)).await?;
        let what = format!("enqueue to Terraform's first line, idle Runner, warm, {name}");
        figures.extend(Figure::percentiles(&what, Reach::AtMost(100.0), Reach::AtMost(250.0), &[real]));
        let quick = first_lines(ground, kind, false, ground.times(50, 10)).await?;
        let what = format!("the same where Terraform starts in no time, {name}");
        figures.extend(Figure::percentiles(&what, Reach::Told, Reach::Told, &[quick]));
        ground.say(&format!("claims of a Runner that waits on {name}"));
        let claims = claims(ground, kind, ground.times(300, 50)).await?;
        let what = format!("enqueue to the claim's answer, {name}");
        figures.extend(Figure::percentiles(&what, Reach::Told, Reach::AtMost(25.0), &[claims]));
    }
    Ok(figures)
}

async fn first_lines(ground: &Ground, kind: Kind, real: bool, times: usize) -> Result<Latencies> {
    let scene = ground.seeded(kind, SIZE).await?;
    let console = Console::start(&scene).await?;
    let notes = scene.folder.join("times");
    let terraform = runner::terraform()?;
    let tool = match real {
        true => StandIn::Note { terraform: &terraform, times: &notes },
        false => StandIn::Babble { lines: 1, pause: 1 },
    };
    let runner = Runner::start(ground, &console, &tool, 1).await?;
    let mut owner = console.wire().await?;
    let mut latencies = Latencies::default();
    for number in (0..).take(times + WARM_UP as usize) {
        sleep(QUIET).await;
        let start = stand_in::stamp();
        let job = stream::enqueue(&mut owner, number).await?;
        let told = until_the_end(&console, &job).await?;
        let first = if real { last_note(&notes).await? } else { told.context("the job wrote no time")? };
        if number >= WARM_UP {
            latencies.add(Duration::from_nanos(u64::try_from(first.saturating_sub(start))?));
        }
    }
    runner.stop().await?;
    console.stop().await?;
    ground.remove(scene).await?;
    Ok(latencies)
}

/// Waits for a job that must end well; tells the first time that stands in its log.
async fn until_the_end(console: &Console, job: &str) -> Result<Option<u128>> {
    let mut events = console.wire().await?.events(&format!("/jobs/{job}/stream")).await?;
    let mut first = None;
    while let Some(event) = events.next().await? {
        if event.name == "log" && first.is_none() {
            let rest = event.data.split_once(STAMP).and_then(|(_, rest)| rest.split(';').next());
            first = rest.map(str::parse).transpose()?;
        }
        if event.name == "end" {
            let job = console.wire().await?.json("GET", &format!("/jobs/{job}"), &Value::Null).await?;
            ensure!(job["status"] == "SUCCESS", "the job ended {}: {}", job["status"], job["failure"]);
            return Ok(first);
        }
    }
    anyhow::bail!("the stream ended before the job did")
}

async fn last_note(notes: &std::path::Path) -> Result<u128> {
    let notes = fs::read_to_string(notes).await.context("terraform wrote nothing")?;
    Ok(notes.lines().last().context("terraform wrote nothing")?.parse()?)
}

async fn claims(ground: &Ground, kind: Kind, times: usize) -> Result<Latencies> {
    let scene = ground.seeded(kind, SIZE).await?;
    let console = Console::start(&scene).await?;
    let (mut runner, mut owner) = (console.runner("waiting").await?, console.wire().await?);
    let mut latencies = Latencies::default();
    for number in (0..).take(times) {
        let waiting = tokio::spawn(async move {
            let claim = runner.json("POST", "/runner/claim", &console::claim_request(25)).await;
            claim.map(|claim| (Instant::now(), claim, runner))
        });
        sleep(QUIET / 4).await;
        let start = Instant::now();
        let job = stream::enqueue(&mut owner, number).await?;
        let (answered, claim, back) = waiting.await??;
        ensure!(claim["job_id"] == job.as_str(), "another job was claimed");
        latencies.add(answered - start);
        runner = back;
    }
    console.stop().await?;
    ground.remove(scene).await?;
    Ok(latencies)
}
