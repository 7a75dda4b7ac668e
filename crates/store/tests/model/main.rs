//! The job engine under faults, played through by seeds: Runners that die, fall silent and come back late, answers that
//! get lost, clocks that jump, people who change their mind. The real store, on SQLite; time and chance are the model's.
//!
//! Every seed is one world, played step by step and checked after each. When nothing goes wrong any more, every job must
//! end or have a reason not to. A seed that fails prints what happened and how to play it again:
//!
//! ```text
//! ALETHIA_MODEL_SEED=17 cargo nextest run -p alethia-store --test model
//! ALETHIA_MODEL_SEEDS=10000 cargo nextest run -p alethia-store --test model
//! ```
//!
//! `cargo xtask test` plays 10,000. That the simulation can fail is a test as well: on a store that looks at no fence it
//! must find a stale write.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

mod actors;
mod console;
mod histories;
mod invariants;
mod world;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use rand::RngExt;

use actors::{Reaper, Runner};
use invariants::Verdict;
use world::{Bench, RUNNERS, World};

/// How many seeds are played when nothing else is asked for.
const SEEDS: u64 = 1000;
/// How many steps go wrong now and then; how many rounds the rest may take.
const STEPS: u32 = 50;
const ROUNDS: u32 = 150;
/// Of a hundred numbers, the first that makes a person act.
const PEOPLE: u32 = 60;

/// A world in which something was that must not be.
struct Broken {
    seed: u64,
    rule: String,
    trace: Vec<String>,
}

#[test]
fn nothing_is_lost_doubled_or_stuck_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seeds = match number("ALETHIA_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ALETHIA_MODEL_SEEDS").unwrap_or(SEEDS),
    };
    let (count, begin) = (seeds.end - seeds.start, Instant::now());
    if let Some(Broken { seed, rule, trace }) = play_all(seeds) {
        panic!(
            "seed {seed}: {rule}\n{}\nplay it again:\n  ALETHIA_MODEL_SEED={seed} cargo nextest run \
             -p alethia-store --test model",
            trace.join("\n")
        );
    }
    println!("{count} seeds in {:.1} s", begin.elapsed().as_secs_f64());
}

#[tokio::test]
async fn a_fence_that_nobody_checks_is_found() {
    let bench = Bench::open_without_fences().await.unwrap();
    for seed in 0..100 {
        let mut world = World::new(&bench, seed).await.unwrap();
        let Err(rule) = play(&mut world).await else { continue };
        if rule.contains("stale fence") {
            return;
        }
        clear(&bench).await;
    }
    panic!("100 seeds did not show a fence that nobody checks");
}

#[tokio::test]
async fn a_seed_always_tells_the_same() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let bench = Bench::open().await.unwrap();
        let mut world = World::new(&bench, 7).await.unwrap();
        play(&mut world).await.unwrap();
        told.push(world.trace);
    }
    assert!(told[0].len() > 30, "{:?}", told[0]);
    assert_eq!(told[0], told[1]);
}

/// Plays seeds on every core; the first world that is broken. What happened in a single one is told in any case.
fn play_all(seeds: std::ops::Range<u64>) -> Option<Broken> {
    let is_told = seeds.end - seeds.start == 1;
    let (next, end) = (AtomicU64::new(seeds.start), seeds.end);
    let (next, cores) = (&next, thread::available_parallelism().unwrap().get().min(8));
    thread::scope(|scope| {
        // Two a core: one waits for its database while the other works.
        let workers: Vec<_> = (0..2 * cores)
            .map(|place| {
                scope.spawn(move || {
                    stay_on_core(place % cores);
                    play_some(next, end, is_told)
                })
            })
            .collect();
        let broken = workers.into_iter().filter_map(|worker| worker.join().unwrap());
        broken.min_by_key(|broken| broken.seed)
    })
}

/// Keeps this thread, and those it starts, on one of the cores that the process may use. A world and its database take
/// turns: on one core they hand over at a third of the cost.
#[cfg(target_os = "linux")]
fn stay_on_core(number: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let all = sched_getaffinity(None).unwrap();
    let mut alone = CpuSet::new();
    alone.set((0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).nth(number).unwrap());
    sched_setaffinity(None, &alone).unwrap();
}

/// Other systems do not let a thread choose.
#[cfg(not(target_os = "linux"))]
fn stay_on_core(_number: usize) {}

fn play_some(next: &AtomicU64, end: u64, is_told: bool) -> Option<Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::open().await.unwrap();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return None;
            }
            let mut world = World::new(&bench, seed).await.unwrap();
            if let Err(rule) = play(&mut world).await {
                next.store(end, Ordering::Relaxed);
                return Some(Broken { seed, rule, trace: world.trace });
            }
            if is_told {
                println!("{}", world.trace.join("\n"));
            }
        }
    })
}

/// One world, from its first event to the end of its last job.
async fn play(world: &mut World<'_>) -> Verdict {
    world.read_events().await?;
    let mut runners: Vec<Runner> = (0..RUNNERS).map(Runner::new).collect();
    let mut reaper = Reaper::default();
    for _ in 0..STEPS {
        world.ask_a_console();
        let is_idle = world.pending().is_empty() && world.once_in(2);
        match if is_idle { PEOPLE } else { world.dice.random_range(0..100) } {
            0..PEOPLE => {
                let number = world.dice.random_range(0..RUNNERS);
                runners[number].act(world).await?;
            }
            PEOPLE..80 => actors::person(world).await?,
            80..92 => reaper.act(world).await?,
            92..94 => world.compact().await.map_err(world::text)?,
            _ => {
                let seconds = world.dice.random_range(-10..60);
                world.tell(format!("the clock jumps by {seconds}s"));
                world.pass(seconds);
            }
        }
        let seconds = world.dice.random_range(0..4);
        world.pass(seconds);
    }
    come_to_rest(world, &mut runners, &mut reaper).await?;
    world.compare().await
}

/// Nothing goes wrong any more: what can end must end; what has a reason not to is cancelled, and ends by that.
async fn come_to_rest(world: &mut World<'_>, runners: &mut [Runner], reaper: &mut Reaper) -> Verdict {
    world.faults = false;
    world.cut_off.set(false);
    world.compare_waiting().await?;
    for _ in 0..ROUNDS {
        world.now = world.clock;
        let pending = world.pending();
        let Some(first) = pending.first() else { return Ok(()) };
        if pending.iter().all(|job| world.excuse(*job).is_some()) {
            actors::cancel(world, *first).await?;
        }
        for runner in &mut *runners {
            runner.act(world).await?;
        }
        reaper.sweep(world).await?;
        world.pass(5);
    }
    let names: Vec<String> = world.pending().iter().map(|job| world.name(*job)).collect();
    Err(format!("{} do not end and can't say why", names.join(", ")))
}

/// Ends whatever a broken world left in the queue.
async fn clear(bench: &Bench) {
    use alethia_store::jobs::JobFilter;
    let page = alethia_store::PageRequest::first(200);
    let left = alethia_store::jobs::list(&bench.store, JobFilter::default(), page).await.unwrap().items;
    for job in left.iter().filter(|job| !job.status.is_final()) {
        let tx = bench.store.begin().await.unwrap();
        alethia_store::jobs::cancel(&tx, job.id, job.created_at).await.unwrap();
        tx.commit().await.unwrap();
    }
}
