//! Logs through the API: eight attempts write at the same time, each on a connection of its own, and wait for each answer.
//!
//! One request for each chunk of 1 KB is what a slow trickle of lines costs. Batches are what a Runner sends in a flood: as
//! many chunks as one request may hold. Both ways of counting lines are told: each line a row of its own (1 KB), and lines
//! of 100 bytes that share chunks of 16 KB, as the Runner closes them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::{
    console::{Console, Held},
    figure::{Figure, Reach},
    ground::{Ground, Kind},
    sample::Latencies,
    seed::Size,
};

const CONNECTIONS: usize = 8;
const WARM_UP: Duration = Duration::from_millis(300);

/// What one request carries.
#[derive(Clone, Copy)]
struct Shape {
    what: &'static str,
    chunks: usize,
    lines_a_chunk: usize,
    line_bytes: usize,
    unit: &'static str,
    reach: Reach,
}

const SHAPES: [Shape; 3] = [
    Shape {
        what: "requests, 1 KB each",
        chunks: 1,
        lines_a_chunk: 1,
        line_bytes: 1024,
        unit: "requests/s",
        reach: Reach::AtLeast(8000.0),
    },
    Shape {
        what: "batched, lines of 100 bytes in chunks of 16 KB",
        chunks: 4,
        lines_a_chunk: 160,
        line_bytes: 100,
        unit: "lines/s",
        reach: Reach::AtLeast(50_000.0),
    },
    Shape {
        what: "batched, each line a chunk of 1 KB, 64 a request",
        chunks: 64,
        lines_a_chunk: 1,
        line_bytes: 1024,
        unit: "lines/s",
        reach: Reach::Told,
    },
];

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let runs = ground.times(3, 1);
    let time = Duration::from_secs(if ground.quick { 2 } else { 4 });
    let cases = Kind::BOTH.into_iter().flat_map(|kind| SHAPES.map(|shape| (kind, shape)));
    let mut all: Vec<_> = cases.map(|(kind, shape)| (kind, shape, Vec::new())).collect();
    for run in 1..=runs {
        for (kind, shape, measured) in &mut all {
            ground.say(&format!("log: {}, {}, run {run} of {runs}", shape.what, kind.as_str()));
            let scene = ground.seeded(*kind, Size { specs: 100, finished: 0, queued: 100 }).await?;
            let console = Console::start(&scene).await?;
            measured.push(write(&console, *shape, time).await?);
            console.stop().await?;
            ground.remove(scene).await?;
        }
    }
    let mut figures = Vec::new();
    for (kind, shape, measured) in all {
        let (rates, latencies): (Vec<f64>, Vec<Latencies>) = measured.into_iter().unzip();
        let what = format!(
            "log append through the API, {}, {CONNECTIONS} connections, {}",
            kind.as_str(),
            shape.what
        );
        let [_, p99] = Figure::percentiles(&what, Reach::Told, Reach::Told, &latencies);
        figures.push(Figure::new(what, shape.reach, shape.unit, rates));
        figures.push(p99);
    }
    Ok(figures)
}

/// Lines (or requests of one) a second, and how long a request took.
async fn write(console: &Console, shape: Shape, time: Duration) -> Result<(f64, Latencies)> {
    let begin = Instant::now() + WARM_UP;
    let mut writers = JoinSet::new();
    for held in console.hold(CONNECTIONS).await? {
        writers.spawn(append(held, shape, begin, begin + time));
    }
    let latencies: Latencies = writers.join_all().await.into_iter().collect::<Result<_>>()?;
    let lines = latencies.len() * shape.chunks * shape.lines_a_chunk;
    ensure!(lines > 0, "nothing was written");
    Ok((lines as f64 / time.as_secs_f64(), latencies))
}

/// Writes until `end`; counts what was answered between `begin` and then.
async fn append(mut held: Held, shape: Shape, begin: Instant, end: Instant) -> Result<Latencies> {
    let path = format!("{}/logs", held.path);
    let text = text(shape);
    let (mut latencies, mut sequence) = (Latencies::default(), 0);
    loop {
        let body = chunks(&mut sequence, shape.chunks, &text);
        let start = Instant::now();
        let answer = held.wire.call("POST", &path, &body).await?;
        ensure!(answer.status == 204, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        let now = Instant::now();
        if now >= end {
            return Ok(latencies);
        }
        if start >= begin {
            latencies.since(start);
        }
    }
}

/// So many chunks after this one, as a request.
pub(super) fn chunks(sequence: &mut u64, count: usize, text: &str) -> String {
    let at = chrono::Utc::now().to_rfc3339();
    let chunk = |number: u64| format!(r#"{{"attempt":1,"sequence":{number},"at":"{at}","text":"{text}"}}"#);
    let first = *sequence + 1;
    *sequence += count as u64;
    format!(r#"{{"chunks":[{}]}}"#, (first..=*sequence).map(chunk).collect::<Vec<_>>().join(","))
}

/// The text of one chunk, as it stands in JSON.
fn text(shape: Shape) -> String {
    let words = "aws_sqs_queue.orders: Still creating... [10s elapsed] ";
    let line: String = words.chars().cycle().take(shape.line_bytes - 1).collect();
    format!("{line}\\n").repeat(shape.lines_a_chunk)
}
