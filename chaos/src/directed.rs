//! One story instead of a schedule: the one that every fence is for.
//!
//! A Runner freezes in the middle of an apply, and what Terraform writes in that time is on its way for longer than the
//! lease. The Console gives the job up; then the Runner goes on, and the write arrives. It must change nothing. The tests of
//! the harness play it against a sound Console and against one that does not look at fences.

use std::{sync::Arc, time::Duration};

use alethia_api::{
    client::Client,
    jobs::{Job, NewJob},
    specs::PutSpec,
};
use alethia_domain::lifecycle::JobType;
use anyhow::{Context, Result, bail};
use rand::{SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    history::History,
    people::{ZONES, document, spec_name},
    proxy::Weather,
    run::{Report, conclude},
    settings::Settings,
    settle,
    world::World,
};

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// Plays it from begin to end, with the first of the Runners.
///
/// # Errors
/// When the story could not be played. What the platform does wrongly is in the report.
pub async fn frozen_runner(settings: Settings) -> Result<Report> {
    let world = Arc::new(World::start(settings).await.context("the platform did not start")?);
    let report = play(&world).await;
    world.end()?;
    report
}

async fn play(world: &World) -> Result<Report> {
    let (client, history) = (world.client()?, History::default());
    let runner = world.runners.first().context("there is a Runner")?;
    let gate = runner.gate.as_ref().context("a Runner has a gate")?;
    let job = begin(world, &client).await?;
    history.made(&job);
    until(&client, &job, "is applied", |job| job.progress.step.as_deref() == Some("apply")).await?;
    let held = Duration::from_secs(u64::from(world.settings.lease) * 2);
    gate.set(Weather { hold_states: held, ..Weather::default() });
    runner.freeze();
    world.chronicle.note("the Runner is frozen in the middle of an apply, and its writes are held");
    until(&client, &job, "is given up", |job| job.status.is_final()).await?;
    runner.thaw();
    world.chronicle.note("the job is given up, and the Runner goes on");
    sleep(held).await;
    gate.set(Weather::default());
    let mut remarks = Vec::new();
    let violations = conclude(world, &history, &mut remarks).await?;
    Ok(Report {
        violations,
        shortfalls: Vec::new(),
        jobs: settle::tally(&settle::jobs(&client).await?),
        remarks,
    })
}

async fn begin(world: &World, client: &Client) -> Result<Job> {
    let (zone, name) = (ZONES[0], spec_name(0));
    let document = document(&mut StdRng::seed_from_u64(world.settings.seed), zone, &name);
    let spec = client.put_spec(zone, &name, &PutSpec { document, message: None }, None).await?;
    Ok(client.create_job(spec.spec.id, &NewJob::new(JobType::Deploy), "directed").await?)
}

async fn until(client: &Client, job: &Job, what: &str, is_there: fn(&Job) -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if is_there(&client.job(job.id).await?) {
            return Ok(());
        }
        sleep(LOOK).await;
    }
    bail!("not within {PATIENCE:?}: the job {what}")
}
