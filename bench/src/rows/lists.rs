//! Lists and details through the API, one request after the other, on a platform that is small, of middle size, and large.
//! What is asked for is spread over all that is there. Flat means that the size does not show.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::claims;
use crate::{
    console::Console,
    figure::{Figure, Reach, count},
    ground::{Ground, Kind},
    sample::Latencies,
    seed::{self, Size},
    wire::Wire,
};

/// What is asked for; each gets a number that says of which Spec or job.
type Path = fn(u32, Size) -> String;

/// One that is very slow is not asked so often.
const PATIENCE: Duration = Duration::from_secs(5);
const FEWEST: usize = 5;
const SMALL: u32 = 1000;
const MIDDLE: u32 = 10_000;

const PATHS: [(&str, Path); 10] = [
    ("list of Specs", |_, _| "/specs".to_owned()),
    ("list of a Zone's Specs", |number, _| format!("/specs?zone=zone-{}", number % seed::ZONES)),
    ("list of Zones", |_, _| "/zones".to_owned()),
    ("list of jobs", |_, _| "/jobs".to_owned()),
    ("list of a Spec's jobs", |number, size| format!("/jobs?spec_id={}", spec(number, size))),
    ("list of jobs that wait", |_, _| "/jobs?status=QUEUED".to_owned()),
    ("list of jobs that run", |_, _| "/jobs?status=PROCESSING".to_owned()),
    ("list of failed jobs", |_, _| "/jobs?status=FAILED".to_owned()),
    ("a Spec", |number, size| format!("/specs/{}", spec(number, size))),
    ("a job", |number, size| format!("/jobs/{}", seed::finished_job(scattered(number, size.finished)))),
];

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let large = claims::large(ground);
    let times = ground.times(300, 100);
    let mut figures = Vec::new();
    for kind in Kind::BOTH {
        let mut small_ones: Vec<Latencies> = Vec::new();
        let sizes: BTreeSet<u32> = [SMALL, MIDDLE, large.specs].into();
        for specs in sizes {
            let size = Size { specs, finished: specs * 10, queued: large.queued.min(specs) };
            let scene = ground.seeded(kind, size).await?;
            ground.say(&format!("lists and details on {} with {size}", kind.as_str()));
            let console = Console::start(&scene).await?;
            let latencies = ask_all(&console, size, times).await?;
            if specs == large.specs {
                figures.extend(each(kind, size, &latencies));
                figures.push(flatness(kind, specs, &small_ones, &latencies));
            } else {
                figures.push(worst(kind, size, &latencies));
            }
            if specs == SMALL {
                small_ones = latencies;
            }
            console.stop().await?;
            ground.remove(scene).await?;
        }
    }
    Ok(figures)
}

fn each(kind: Kind, size: Size, latencies: &[Latencies]) -> Vec<Figure> {
    let figure = |((name, _), latencies): (&(&str, Path), &Latencies)| {
        let what =
            format!("{name}, {}, {} Specs, {} jobs", kind.as_str(), count(size.specs), count(size.finished));
        let [_, p99] =
            Figure::percentiles(&what, Reach::Told, Reach::AtMost(10.0), std::slice::from_ref(latencies));
        p99
    };
    PATHS.iter().zip(latencies).map(figure).collect()
}

fn worst(kind: Kind, size: Size, latencies: &[Latencies]) -> Figure {
    let worst = latencies.iter().map(Latencies::p99).fold(0.0, f64::max);
    let what = format!(
        "worst p99 of these, {}, {} Specs, {} jobs",
        kind.as_str(),
        count(size.specs),
        count(size.finished)
    );
    Figure::new(what, Reach::Told, "ms", vec![worst])
}

/// Medians by those of the smallest platform, of what grew most: a p99 of a few hundred is too rough to divide.
fn flatness(kind: Kind, specs: u32, small: &[Latencies], large: &[Latencies]) -> Figure {
    let growths = small.iter().zip(large).map(|(small, large)| large.p50() / small.p50());
    let named = PATHS.iter().map(|(name, _)| name).zip(growths);
    let (name, most) = named.fold((&"", 0.0), |most, this| if this.1 > most.1 { this } else { most });
    let what = format!(
        "worst growth of a p50 from {} to {} Specs, {} ({name})",
        count(SMALL),
        count(specs),
        kind.as_str()
    );
    Figure::new(what, Reach::AtMost(1.5), "x", vec![most])
}

async fn ask_all(console: &Console, size: Size, times: usize) -> Result<Vec<Latencies>> {
    let mut wire = console.wire().await?;
    let mut all = Vec::new();
    for (_, path) in PATHS {
        ask(&mut wire, path, size, times / 10).await?;
        all.push(ask(&mut wire, path, size, times).await?);
    }
    Ok(all)
}

async fn ask(wire: &mut Wire, path: Path, size: Size, times: usize) -> Result<Latencies> {
    let (mut latencies, begin) = (Latencies::default(), Instant::now());
    for number in (0..).take(times) {
        if begin.elapsed() > PATIENCE && latencies.len() >= FEWEST {
            break;
        }
        let path = path(number, size);
        let start = Instant::now();
        let answer = wire.call("GET", &path, "").await?;
        latencies.since(start);
        ensure!(answer.status == 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }
    Ok(latencies)
}

fn spec(number: u32, size: Size) -> alethia_domain::ids::SpecId {
    seed::spec_id(scattered(number, size.specs))
}

/// Numbers below `size`, far from each other.
fn scattered(number: u32, size: u32) -> u32 {
    number.wrapping_mul(2_654_435_761) % size
}
