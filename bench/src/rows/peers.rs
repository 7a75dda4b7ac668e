//! Empty jobs, one at a time, from nothing to the end: against two queues on PostgreSQL that others use, on the same
//! server in the same run.
//!
//! Each side makes all jobs with so many loops and then works on them with so many workers over so many connections, each
//! by its own public interface, one job a transaction. Ours is the store as the Console uses it: a job of a Spec, with its
//! event, its place in the line of its Zone, lease, fence and attempt; claim, start and finish are a transaction each. What
//! decides is the time of both halves together.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Instant};

use alethia_store::{
    Store,
    jobs::{self, End},
    queue::Claims,
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::{fs, process::Command, task::JoinSet};

use super::claims;
use crate::{
    figure::{Figure, Reach},
    ground::{self, Ground, Kind},
    sample::Latencies,
    seed::{self, Size},
};

const WORKERS: u32 = 8;
/// What a worker does with a job, a transaction each.
const STEPS: [&str; 3] = ["claim", "start", "finish"];
const PEERS: [&str; 2] = ["graphile-worker", "pg-boss"];

/// Seconds for the two halves.
#[derive(Clone, Copy, Debug)]
struct Halves {
    enqueue: f64,
    work: f64,
}

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let modules = install(ground).await?;
    let (runs, jobs) = (ground.times(3, 1), if ground.quick { 4_000 } else { 20_000 });
    let (mut ours, mut steps) = (Vec::new(), Vec::new());
    let mut theirs: [Vec<Halves>; 2] = Default::default();
    for run in 1..=runs {
        ground.say(&format!("{jobs} empty jobs, run {run} of {runs}: alethia"));
        let (halves, latencies) = alethia(ground, jobs).await?;
        ours.push(halves);
        steps.push(latencies);
        for (peer, measured) in PEERS.into_iter().zip(&mut theirs) {
            ground.say(&format!("{jobs} empty jobs, run {run} of {runs}: {peer}"));
            measured.push(peer_once(ground, &modules, peer, jobs).await?);
        }
    }
    let mut figures = figures("alethia", jobs, &ours);
    for (peer, measured) in PEERS.into_iter().zip(&theirs) {
        let ratios = ours.iter().zip(measured).map(|(ours, theirs)| theirs.whole() / ours.whole());
        let what = format!("jobs a second of alethia by those of {peer}");
        figures.push(Figure::new(what, Reach::AtLeast(1.0), "x", ratios.collect()));
    }
    for (number, step) in STEPS.into_iter().enumerate() {
        let runs: Vec<Latencies> = steps.iter().map(|steps| steps[number].clone()).collect();
        figures.extend(Figure::percentiles(&format!("alethia, {step}"), Reach::Told, Reach::Told, &runs));
    }
    figures.extend(
        PEERS.into_iter().zip(&theirs).flat_map(|(peer, measured)| self::figures(peer, jobs, measured)),
    );
    Ok(figures)
}

impl Halves {
    fn whole(self) -> f64 {
        self.enqueue + self.work
    }
}

fn figures(who: &str, jobs: u32, runs: &[Halves]) -> Vec<Figure> {
    let rate = |what: &str, seconds: fn(&Halves) -> f64| {
        let rates = runs.iter().map(|halves| f64::from(jobs) / seconds(halves)).collect();
        Figure::new(format!("{who}, {WORKERS} workers: {what}"), Reach::Told, "/s", rates)
    };
    vec![
        rate("enqueue, claim and finish", |halves| halves.whole()),
        rate("enqueue alone", |halves| halves.enqueue),
        rate("claim and finish alone", |halves| halves.work),
    ]
}

/// The packages, at the versions of the lock file, beside the build.
async fn install(ground: &Ground) -> Result<PathBuf> {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
    let modules = ground::target()?.join("bench").join("peers");
    fs::create_dir_all(&modules).await?;
    let lock = fs::read(sources.join("package-lock.json")).await?;
    let is_there = fs::read(modules.join("node_modules/.package-lock.json")).await.is_ok()
        && fs::read(modules.join("package-lock.json")).await.is_ok_and(|there| there == lock);
    for file in ["package.json", "package-lock.json", "run.mjs"] {
        fs::copy(sources.join(file), modules.join(file)).await?;
    }
    if !is_there {
        ground.say("installing graphile-worker and pg-boss with npm");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&modules)
            .kill_on_drop(true);
        let output = npm.stdin(Stdio::null()).output().await.context("npm is missing; install Node.js")?;
        ensure!(output.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(modules)
}

async fn peer_once(ground: &Ground, modules: &PathBuf, peer: &str, jobs: u32) -> Result<Halves> {
    let scene = ground.empty(Kind::Postgres).await?;
    let mut node = Command::new("node");
    node.current_dir(modules).kill_on_drop(true).stdin(Stdio::null()).stderr(Stdio::inherit());
    node.args(["run.mjs", peer, &scene.database, &jobs.to_string(), &WORKERS.to_string()]);
    let output = node.output().await.context("node is missing; install Node.js")?;
    ensure!(output.status.success(), "{peer} ended with {}", output.status);
    let told: Value = serde_json::from_slice(&output.stdout).context("the peer printed no JSON")?;
    let seconds = |half: &str| told[half].as_f64().with_context(|| format!("the peer did not say {half}"));
    let halves = Halves { enqueue: seconds("enqueue")?, work: seconds("work")? };
    ground.remove(scene).await?;
    Ok(halves)
}

async fn alethia(ground: &Ground, jobs: u32) -> Result<(Halves, [Latencies; 3])> {
    let size = Size { specs: jobs, finished: 0, queued: 0 };
    let scene = ground.seeded(Kind::Postgres, size).await?;
    let store = Store::open(&scene.config()?, seed::now()).await?;
    let start = Instant::now();
    each(|worker| enqueue(store.clone(), worker, jobs)).await?;
    let enqueue = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (mut steps, line): ([Latencies; 3], _) = (Default::default(), Arc::new(Claims::default()));
    for part in each(|worker| work(store.clone(), line.clone(), worker)).await? {
        steps.iter_mut().zip(part).for_each(|(step, part)| step.append(part));
    }
    let work = start.elapsed().as_secs_f64();
    ensure!(steps[2].len() == jobs as usize, "{} of {jobs} jobs were done", steps[2].len());
    store.close().await;
    ground.remove(scene).await?;
    Ok((Halves { enqueue, work }, steps))
}

async fn each<T: Send + 'static, F>(step: impl Fn(u32) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(step(worker));
    }
    workers.join_all().await.into_iter().collect()
}

/// Makes a job of every eighth Spec.
async fn enqueue(store: Store, worker: u32, jobs: u32) -> Result<()> {
    let mut job = seed::plan_of(&store, seed::spec_id(0)).await?;
    for number in (worker..jobs).step_by(WORKERS as usize) {
        job.spec_id = seed::spec_id(number);
        let tx = store.begin().await?;
        jobs::insert(&tx, &job, seed::now()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Works until nothing is left; says how long each step of each job took.
async fn work(store: Store, line: Arc<Claims>, worker: u32) -> Result<[Latencies; 3]> {
    let runner_id = seed::runner(&store, &format!("worker-{worker}")).await?;
    let [mut claimed, mut starts, mut finishes]: [Latencies; 3] = Default::default();
    loop {
        let (begin, asking) = (Instant::now(), claims::claimant(runner_id));
        let answer = line.next(&store, asking, claims::LEASE, seed::now()).await?;
        let Some(fence) = answer.job().map(|job| job.fence) else { return Ok([claimed, starts, finishes]) };
        claimed.since(begin);
        let begin = Instant::now();
        let tx = store.begin().await?;
        jobs::start(&tx, fence, claims::LEASE, seed::now()).await?;
        tx.commit().await?;
        starts.since(begin);
        let begin = Instant::now();
        let tx = store.begin().await?;
        jobs::finish(&tx, fence, &End::Success, seed::now()).await?;
        tx.commit().await?;
        finishes.since(begin);
    }
}
