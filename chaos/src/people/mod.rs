//! The workload: people who each have a Spec, change it, plan, apply and destroy it, change their minds, and come back
//! after whatever went wrong. They use the API as every client does, through the weather.
//!
//! What they want comes from the seed alone; what they get does not. Absent on purpose: any knowledge of the faults.

mod call;
mod document;
mod follow;

use std::{sync::Arc, time::Duration};

use alethia_api::{
    client::{Client, ClientError},
    jobs::{Job, NewJob},
    problem::Code,
    specs::{PutSpec, SpecDetail},
    states::{Recovery, UnlockState},
};
use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{JobStatus, JobType, SpecStatus},
};
use anyhow::Result;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

pub(crate) use call::persist;
pub(crate) use document::{ZONES, document, spec_name};

use crate::{history::History, leaks, settle::Silent, world::World};

/// How often somebody looks at a job.
const LOOK: Duration = Duration::from_millis(400);
/// How long somebody waits for a job.
const PATIENCE: Duration = Duration::from_secs(150);

/// Somebody at work.
struct Person {
    world: Arc<World>,
    history: Arc<History>,
    client: Client,
    dice: StdRng,
    zone: &'static str,
    name: String,
    stop: CancellationToken,
}

/// One of so many works until told to stop.
///
/// # Errors
/// When the address of the Console is none.
pub(crate) async fn work(
    world: Arc<World>,
    history: Arc<History>,
    number: usize,
    stop: CancellationToken,
) -> Result<()> {
    let dice = StdRng::seed_from_u64(world.settings.seed ^ (0x9E09 + number as u64));
    let client = world.client()?;
    let (zone, name) = (ZONES[number % ZONES.len()], spec_name(number));
    let mut person = Person { world, history, client, dice, zone, name, stop: stop.clone() };
    stop.run_until_cancelled(async {
        loop {
            if let Err(error) = person.day().await {
                person.complain(&error);
            }
            let pause = person.dice.random_range(0..1500);
            sleep(Duration::from_millis(pause)).await;
        }
    })
    .await;
    Ok(())
}

impl Person {
    /// One thing from begin to end.
    async fn day(&mut self) -> Result<(), ClientError> {
        let Some(spec) = self.look().await? else {
            return self.edit(None).await.map(drop);
        };
        if let Some(job) = spec.spec.active_job {
            // Somebody else has begun something, or an answer was lost.
            return self.wait(job).await.map(drop);
        }
        match (spec.spec.status, self.dice.random_range(0..100)) {
            (SpecStatus::Failed, _) => self.repair(&spec).await,
            (SpecStatus::Active, 0..15) => self.destroy(&spec).await,
            (_, 15..50) => self.edit(Some(spec.spec.revision)).await.map(drop),
            (_, 50..60) => self.plan(&spec, false).await.map(drop),
            (_, 60..90) => self.apply(&spec).await,
            (_, _) => self.deploy(&spec, None).await,
        }
    }

    async fn look(&self) -> Result<Option<SpecDetail>, ClientError> {
        match persist(&self.stop, || self.client.spec_by_name(self.zone, &self.name)).await {
            Ok(spec) => Ok(Some(spec)),
            Err(error) if error.code() == Some(Code::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn edit(&mut self, expected: Option<u32>) -> Result<SpecDetail, ClientError> {
        let document = document(&mut self.dice, self.zone, &self.name);
        let put = PutSpec { document, message: None };
        persist(&self.stop, || self.client.put_spec(self.zone, &self.name, &put, expected)).await
    }

    async fn plan(&mut self, spec: &SpecDetail, destroy: bool) -> Result<Option<Job>, ClientError> {
        let new = NewJob { destroy, ..NewJob::new(JobType::Plan) };
        let plan = self.create(spec.spec.id, &new).await?;
        let ended = self.watch(&plan).await?;
        Ok(ended.filter(|job| job.status == JobStatus::Success))
    }

    /// As `alethia apply` does.
    async fn apply(&mut self, spec: &SpecDetail) -> Result<(), ClientError> {
        let Some(plan) = self.plan(spec, false).await? else { return Ok(()) };
        self.deploy(spec, Some(plan.id)).await
    }

    async fn deploy(&mut self, spec: &SpecDetail, plan_job_id: Option<JobId>) -> Result<(), ClientError> {
        let new = NewJob { plan_job_id, ..NewJob::new(JobType::Deploy) };
        let job = self.create(spec.spec.id, &new).await?;
        self.watch(&job).await.map(drop)
    }

    async fn destroy(&mut self, spec: &SpecDetail) -> Result<(), ClientError> {
        let plan_job_id = match self.dice.random() {
            true => self.plan(spec, true).await?.map(|plan| plan.id),
            false => None,
        };
        let new = NewJob { plan_job_id, confirm: Some(self.name.clone()), ..NewJob::new(JobType::Destroy) };
        let job = self.create(spec.spec.id, &new).await?;
        self.watch(&job).await.map(drop)
    }

    /// What the Spec says that is to be done next.
    async fn repair(&mut self, spec: &SpecDetail) -> Result<(), ClientError> {
        if leaks::stand_in_the_way(&spec.spec)
            && let Err(error) = leaks::remove(&self.world, &self.client, &spec.spec).await
        {
            self.world.chronicle.note(&format!("  {} did not find what was left: {error:#}", self.name));
        }
        if self.dice.random_range(0..4) == 0 {
            return self.retry(spec).await;
        }
        let key = self.key();
        let Recovery { lost, plan, .. } =
            persist(&self.stop, || self.client.recover(spec.spec.id, &key)).await?;
        self.history.made(&plan);
        let plan = self.watch(&plan).await?.filter(|plan| plan.status == JobStatus::Success);
        let Some(plan) = plan else { return Ok(()) };
        let bound = NewJob {
            plan_job_id: Some(plan.id),
            confirm: Some(self.name.clone()),
            ..NewJob::new(lost.job_type)
        };
        let job = self.create(spec.spec.id, &bound).await?;
        self.watch(&job).await.map(drop)
    }

    /// The other way: release what is left by hand, and do the same again.
    async fn retry(&mut self, spec: &SpecDetail) -> Result<(), ClientError> {
        release(&self.client, &self.stop, spec.spec.id).await?;
        let last = last_mutating(&self.client, &self.stop, spec.spec.id).await?;
        let Some(job) = last.filter(|job| job.status.can_retry()) else {
            return self.deploy(spec, None).await;
        };
        let key = self.key();
        let again = persist(&self.stop, || self.client.retry_job(job.id, &key)).await?;
        self.history.made(&again);
        self.watch(&again).await.map(drop)
    }

    /// The same key makes one job, however often it is sent.
    async fn create(&mut self, spec: SpecId, new: &NewJob) -> Result<Job, ClientError> {
        let key = self.key();
        let job = persist(&self.stop, || self.client.create_job(spec, new, &key)).await?;
        self.history.made(&job);
        if self.dice.random_range(0..3) == 0 {
            follow::follow(&self.history, &self.client, job.id);
        }
        if self.dice.random_range(0..4) == 0 {
            let again = persist(&self.stop, || self.client.create_job(spec, new, &key)).await?;
            if again.id != job.id {
                self.history.wrong(format!("the key {key} made two jobs: {} and {}", job.id, again.id));
            }
        }
        Ok(job)
    }

    /// Waits for a job of one's own, or ends it in the middle.
    async fn watch(&mut self, job: &Job) -> Result<Option<Job>, ClientError> {
        if self.dice.random_range(0..100) < 12 {
            sleep(Duration::from_millis(self.dice.random_range(0..4000))).await;
            match persist(&self.stop, || self.client.cancel_job(job.id)).await {
                Ok(_) => self.history.cancelled(job.id),
                // It was quicker.
                Err(error) if error.code() == Some(Code::Conflict) => {}
                Err(error) => return Err(error),
            }
            if self.dice.random_range(0..3) == 0 {
                self.kill(job).await?;
            }
        }
        self.wait(job.id).await
    }

    /// Does not wait for an orderly end.
    async fn kill(&self, job: &Job) -> Result<(), ClientError> {
        match persist(&self.stop, || self.client.kill_job(job.id)).await {
            // It had ended by then.
            Err(error) if error.code() != Some(Code::Conflict) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn wait(&self, job: JobId) -> Result<Option<Job>, ClientError> {
        let (deadline, mut silent) = (Instant::now() + PATIENCE, Silent::default());
        while Instant::now() < deadline {
            let next = Instant::now() + LOOK;
            let seen = persist(&self.stop, || self.client.job(job)).await?;
            if let Some(wrong) = silent.look(&seen) {
                self.history.wrong(wrong);
            }
            if seen.status.is_final() {
                return Ok(Some(seen));
            }
            sleep_until(next).await;
        }
        Ok(None)
    }

    fn key(&mut self) -> String {
        format!("{}-{:016x}", self.name, self.dice.random::<u64>())
    }

    /// What the platform refuses is part of its work. What it never should say is not.
    fn complain(&self, error: &ClientError) {
        match error.code() {
            Some(Code::Conflict | Code::PreconditionFailed | Code::NotFound | Code::StateLocked) => {}
            Some(Code::Unavailable) | None => {}
            Some(code) => self.history.wrong(format!("somebody was told {code:?}: {error}")),
        }
        self.world.chronicle.note(&format!("  {} was told: {error}", self.name));
    }
}

/// Releases a lock that its holder left behind.
pub(crate) async fn release(
    client: &Client,
    stop: &CancellationToken,
    spec: SpecId,
) -> Result<(), ClientError> {
    let state = persist(stop, || client.state(spec)).await?;
    let Some(lock) = state.lock.filter(|lock| !lock.holder_alive) else { return Ok(()) };
    let unlock = UnlockState { lock_id: lock.id, force: false };
    match persist(stop, || client.unlock_state(spec, &unlock)).await {
        // The answer to an earlier try was lost.
        Err(error) if error.code() != Some(Code::Conflict) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn last_mutating(
    client: &Client,
    stop: &CancellationToken,
    spec: SpecId,
) -> Result<Option<Job>, ClientError> {
    let query = alethia_api::jobs::JobQuery { spec_id: Some(spec), ..Default::default() };
    let page = persist(stop, || client.jobs(&query)).await?;
    Ok(page.items.into_iter().find(|job| job.job_type.is_mutating()))
}
