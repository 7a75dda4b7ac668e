//! A run from its begin to its end.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use alethia_api::{client::Client, jobs::Job};
use alethia_domain::lifecycle::JobStatus;
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

/// How many changes must end with success in each minute of a run, and how many plans; some end after it.
const CHANGES_A_MINUTE: f64 = 2.0;
const PLANS_A_MINUTE: f64 = 2.0;
/// Which share of the faults of the schedule must have happened.
const FAULTS_PLAYED: f64 = 0.9;

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// What the platform did that it must not do; none when all is well.
    pub violations: Vec<String>,
    /// What it did too little of to say that all is well.
    pub shortfalls: Vec<String>,
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

impl Report {
    /// Whether all is well, and enough was done to say so.
    pub fn is_sound(&self) -> bool {
        self.violations.is_empty() && self.shortfalls.is_empty()
    }
}

async fn play(world: &Arc<World>, faults: Vec<Fault>) -> Result<Report> {
    let scheduled = faults.len();
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
    let played = played?;
    let mut remarks = [watched?, world.left_out()].concat();
    while let Some(ended) = people.join_next().await {
        ended??;
    }
    world.chronicle.note("no more faults");
    let violations = conclude(world, &history, &mut remarks).await?;
    let jobs = settle::jobs(&world.client()?).await?;
    let shortfalls = shortfalls(world.settings.length, &jobs, played, scheduled);
    Ok(Report { violations, shortfalls, jobs: settle::tally(&jobs), remarks })
}

/// A run in which next to nothing happened finds nothing either.
fn shortfalls(length: Duration, jobs: &[Job], played: usize, scheduled: usize) -> Vec<String> {
    let minutes = length.as_secs_f64() / 60.0;
    let good = jobs.iter().filter(|job| job.status == JobStatus::Success);
    let (changed, looked): (Vec<&Job>, Vec<&Job>) = good.partition(|job| job.job_type.is_mutating());
    let few = |what: &str, there: usize, least: f64| {
        ((there as f64) < least)
            .then(|| format!("{there} {what}, and {least:.0} are the least that tell something"))
    };
    [
        few("changes ended with success", changed.len(), CHANGES_A_MINUTE * minutes),
        few("plans ended with success", looked.len(), PLANS_A_MINUTE * minutes),
        few("faults happened", played, scheduled as f64 * FAULTS_PLAYED),
    ]
    .into_iter()
    .flatten()
    .collect()
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
    violations.extend(settle::wait_for_states(world).await);
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
        for shortfall in &self.shortfalls {
            writeln!(f, "TOO LITTLE: {shortfall}")?;
        }
        write!(f, "{} violations, {} shortfalls", self.violations.len(), self.shortfalls.len())
    }
}

#[cfg(test)]
mod tests {
    use alethia_domain::ids::{JobId, SpecId};
    use serde_json::json;

    use super::*;

    fn success(job_type: &str) -> Job {
        serde_json::from_value(json!({
            "id": JobId::generate(), "type": job_type, "status": "SUCCESS", "spec_id": SpecId::generate(), "spec": "a",
            "zone": "default", "revision": 1, "destroy": false, "attempt": 1, "cancel_requested": false,
            "author": "owner", "progress": { "done": 0, "total": 0 }, "created_at": "2026-11-24T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_run_in_which_too_little_happened_says_what() {
        let jobs = ["DEPLOY", "DEPLOY", "DESTROY", "DEPLOY", "PLAN", "PLAN", "PLAN", "PLAN"].map(success);
        let found = |jobs: &[Job], played| shortfalls(Duration::from_secs(120), jobs, played, 20).join("\n");
        assert_eq!(found(&jobs, 18), "");
        assert!(found(&jobs, 17).starts_with("17 faults happened"));
        assert!(found(&jobs[1..], 20).starts_with("3 changes ended with success"));
        assert!(found(&jobs[..7], 20).starts_with("3 plans ended with success"));
    }

    #[test]
    fn the_last_line_of_a_report_tells_both_that_it_fails_for() {
        let shortfalls = vec!["3 faults happened".to_owned()];
        let report =
            Report { violations: Vec::new(), shortfalls, jobs: BTreeMap::new(), remarks: Vec::new() };
        assert!(!report.is_sound());
        assert!(report.to_string().ends_with("\n0 violations, 1 shortfalls"), "{report}");
    }
}
