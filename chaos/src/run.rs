//! A run from its begin to its end.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use alethia_api::client::Client;
use anyhow::{Context, Result};
use tokio::{
    task::{JoinSet, block_in_place},
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    checks::{self, Evidence},
    faults,
    history::History,
    people,
    schedule::{Fault, schedule},
    settings::Settings,
    settle,
    world::World,
};

/// How long the streams of jobs may take to end after their jobs.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// What the platform did that it must not do; none when all is well.
    pub violations: Vec<String>,
    /// How many jobs ended how.
    pub jobs: BTreeMap<String, usize>,
    /// What else is worth to be told.
    pub remarks: Vec<String>,
}

/// Runs a whole run.
///
/// # Errors
/// When the run itself could not be made. What the platform does wrongly is in the report.
pub async fn run(settings: Settings) -> Result<Report> {
    let faults = schedule(&settings);
    let world = Arc::new(World::start(settings).await.context("the platform did not start")?);
    let report = play(&world, faults).await;
    world.end()?;
    report
}

async fn play(world: &Arc<World>, faults: Vec<Fault>) -> Result<Report> {
    let (history, stop) = (Arc::new(History::default()), CancellationToken::new());
    let mut people = JoinSet::new();
    for number in 0..world.settings.specs {
        people.spawn(people::work(Arc::clone(world), Arc::clone(&history), number, stop.clone()));
    }
    let watched = watch(world, &stop);
    let faulty = async {
        let length = world.settings.length;
        let (played, ()) = tokio::join!(faults::play(Arc::clone(world), faults, stop.clone()), sleep(length));
        stop.cancel();
        played
    };
    let (watched, played) = tokio::join!(watched, faulty);
    played?;
    let mut remarks = [watched?, world.left_out()].concat();
    while let Some(ended) = people.join_next().await {
        ended??;
    }
    world.chronicle.note("no more faults");
    let violations = conclude(world, &history, &mut remarks).await?;
    let jobs = settle::tally(&settle::jobs(&world.client()?).await?);
    Ok(Report { violations, jobs, remarks })
}

/// A service manager for all processes.
async fn watch(world: &World, stop: &CancellationToken) -> Result<Vec<String>> {
    let mut remarks = Vec::new();
    let mut clock = interval(Duration::from_millis(500));
    while stop.run_until_cancelled(clock.tick()).await.is_some() {
        for name in block_in_place(|| world.look_after())? {
            let remark = format!("{name} ended by itself and is started again");
            world.chronicle.note(&remark);
            remarks.push(format!("at {:.0} s {remark}", world.chronicle.seconds()));
        }
    }
    Ok(remarks)
}

/// Lets everything come to rest, and checks.
pub(crate) async fn conclude(
    world: &World,
    history: &History,
    remarks: &mut Vec<String>,
) -> Result<Vec<String>> {
    let client: Client = world.client()?;
    let mut violations = history.all_wrong();
    violations.extend(settle::wait_for_jobs(&client).await?);
    history.watchers.close();
    if timeout(LAST_WORDS, history.watchers.wait()).await.is_err() {
        let left = history.watchers.len();
        violations.push(format!("{left} streams of jobs have not ended {LAST_WORDS:?} after their jobs"));
    }
    violations.extend(settle::bring_to_rest(world, &client).await?);
    world.chronicle.note("everything is at rest; the history is checked");
    let evidence = Evidence::gather(world, history, &client).await?;
    violations.extend(checks::all(&evidence));
    remarks.extend(evidence.remarks());
    remarks.push(world.traffic());
    Ok(violations)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (how, count) in &self.jobs {
            writeln!(f, "{count:5} {how}")?;
        }
        for remark in &self.remarks {
            writeln!(f, "note: {remark}")?;
        }
        for violation in &self.violations {
            writeln!(f, "VIOLATION: {violation}")?;
        }
        write!(f, "{} violations", self.violations.len())
    }
}
