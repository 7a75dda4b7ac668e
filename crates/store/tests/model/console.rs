//! What the Console does, in its order, on the real store: each function is one use case in one transaction, without
//! who may do it, audit and HTTP. What follows from a loss, a success or a failure is `domain`'s to decide, here as there.
//!
//! A use case may be cut off in the middle (a database that goes away): nothing of it may be left then.

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    event::Failure,
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, FailureReason, JobStatus, JobType, Lost, SpecEvent, SpecStatus},
    plan::{PlanBasis, PlanSummary, sha256_hex},
};
use alethia_store::{
    Result, StoreError, Tx, components,
    components::Happening,
    idempotency::{self, Answer, Key},
    jobs::{self, End, Fence, Heartbeat, Job, NewJob},
    logs::{self, LogChunk},
    plans,
    queue::{self, Claimant, Claimed, Expired, Loss},
    revisions, runners, specs,
    states::{self, Force, Rescue, StateLock, StateVersion},
    zones,
};
use chrono::TimeDelta;
use serde_json::json;

use crate::world::World;

/// How long an attempt is valid without a heartbeat.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A job that a person asks for.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) job_type: JobType,
    /// Whether a PLAN is of the removal.
    pub(crate) destroy: bool,
    /// The PLAN that a DEPLOY or DESTROY is bound to.
    pub(crate) plan: Option<JobId>,
    pub(crate) retry_of: Option<&'a Job>,
    pub(crate) label: Option<&'a str>,
    /// What makes a repeated request be done once.
    pub(crate) key: &'a str,
}

/// What a Revision wants: the databases of odd and even ones differ.
pub(crate) fn wanted(revision: u32) -> [ComponentRef; 2] {
    let name = if revision % 2 == 1 { "orders" } else { "events" };
    [ComponentRef::singleton(ComponentKind::Network), ComponentRef::named(ComponentKind::Database, name)]
}

pub(crate) fn failure(reason: FailureReason) -> Failure {
    Failure { reason, message: "it failed".to_owned(), address: None, hint: None }
}

/// What an attempt at a PLAN puts.
pub(crate) fn plan_file(fence: Fence) -> Vec<u8> {
    format!("plan of attempt {}", fence.attempt).into_bytes()
}

impl World<'_> {
    /// Commits, or is cut off before.
    async fn close(&self, tx: Tx) -> Result<()> {
        if self.cut_off.take() {
            drop(tx);
            return Err(StoreError::Unavailable { what: "database", source: "it was cut off".into() });
        }
        tx.commit().await
    }

    pub(crate) async fn create(&self, spec: SpecId, wish: Wish<'_>) -> Result<JobId> {
        let tx = self.bench.store.begin().await?;
        let key = Key { key: wish.key.to_owned(), author: "ada".to_owned(), route: format!("{spec}/jobs") };
        if let Some(before) = idempotency::begin(&tx, &key, wish.job_type.as_str(), self.now).await? {
            return Ok(before.body.as_str().and_then(|id| id.parse().ok()).expect("it was an id"));
        }
        let id = self.enqueue(&tx, spec, wish).await?;
        idempotency::complete(&tx, &key, &Answer { status: 201, body: json!(id.to_string()) }).await?;
        self.close(tx).await?;
        Ok(id)
    }

    async fn enqueue(&self, tx: &Tx, spec: SpecId, wish: Wish<'_>) -> Result<JobId> {
        let Wish { job_type, retry_of, .. } = wish;
        specs::lock(tx, spec).await?;
        let spec = specs::get(tx, spec).await?;
        let event = match job_type {
            JobType::Deploy => Some(SpecEvent::QueueDeploy),
            JobType::Destroy => Some(SpecEvent::QueueDestroy),
            _ => None,
        };
        if let Some(event) = event {
            specs::transition(tx, spec.id, &event, None, self.now).await?;
        }
        let revision = retry_of.map_or(spec.revision, |old| old.revision);
        if job_type == JobType::Deploy {
            components::sync(tx, spec.id, &wanted(revision), self.now).await?;
        }
        let new = NewJob {
            job_type,
            spec_id: spec.id,
            revision,
            snapshot: json!({ "revision": revision }),
            snapshot_hash: format!("hash-{revision}"),
            identity_id: spec.identity_id,
            plan_job_id: wish.plan,
            retry_of: retry_of.map(|old| old.id),
            destroy: wish.destroy,
            required_labels: wish.label.map(str::to_owned).into_iter().collect(),
            assigned_runner_id: None,
            former_status: (job_type == JobType::Deploy).then_some(spec.status),
            author: "ada".to_owned(),
        };
        jobs::insert(tx, &new, self.now).await
    }

    /// Adopts a state that came late, releases a lock that was left behind, and makes a PLAN of what broke off. `None`
    /// when there is nothing to recover, or it is not the time for it.
    pub(crate) async fn recover(
        &self,
        spec: SpecId,
        key: &str,
    ) -> Result<Option<(JobId, Option<StateVersion>)>> {
        let tx = self.bench.store.begin().await?;
        specs::lock(&tx, spec).await?;
        let state = states::get(&tx, spec).await?;
        let is_held = state.lock.as_ref().is_some_and(|lock| lock.holder_alive);
        let last = jobs::last_change_begun(&tx, spec).await?;
        let (Some(last), false, None) = (last, is_held, specs::get(&tx, spec).await?.active_job) else {
            return Ok(None);
        };
        if let Some(lock) = state.lock {
            states::force_unlock(&tx, spec, &lock.id, Force::OnlyOrphaned).await?;
        }
        let adopted = match states::newest_fitting(&tx, spec).await? {
            Some(rescued) => Some(states::adopt(&tx, spec, &rescued, self.now).await?),
            None => None,
        };
        let lost = jobs::get(&tx, last).await?;
        let label = lost.required_labels.first().map(String::as_str);
        let destroy = lost.job_type == JobType::Destroy;
        let job_type = JobType::Plan;
        let wish = Wish { job_type, destroy, plan: None, retry_of: Some(&lost), label, key };
        let plan = self.enqueue(&tx, spec, wish).await?;
        self.close(tx).await?;
        Ok(Some((plan, adopted)))
    }

    /// Keeps a state that its Runner could not write in time.
    pub(crate) async fn rescue(&self, spec: SpecId, fence: Fence, content: &[u8]) -> Result<()> {
        let rescue = Rescue { spec_id: spec, fence, content };
        states::rescue(&self.bench.store, rescue, self.now).await
    }

    pub(crate) async fn set_limit(&self, zone: usize, max_jobs: Option<u32>) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        zones::limit(&tx, self.bench.zones[zone], max_jobs).await?;
        self.close(tx).await
    }

    /// Removes a Runner and registers another one in its place.
    pub(crate) async fn replace_runner(&mut self, number: usize) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let old = runners::get(&tx, self.runners[number]).await?;
        runners::remove(&tx, &old.name, self.now).await?;
        let name = format!("r{}", uuid::Uuid::now_v7().simple());
        let new = runners::NewRunner { token_hash: name.clone(), name, labels: Vec::new() };
        let new = runners::insert(&tx, &new, self.now).await?;
        self.close(tx).await?;
        self.runners[number] = new.id;
        Ok(())
    }

    /// Moves the logs of jobs that are over to the blob store.
    pub(crate) async fn compact(&self) -> Result<()> {
        for job in logs::to_compact(&self.bench.store, 50).await? {
            logs::compact(&self.bench.store, job).await?;
        }
        Ok(())
    }

    pub(crate) async fn kill(&self, id: JobId) -> Result<JobStatus> {
        let tx = self.bench.store.begin().await?;
        let job = jobs::get(&tx, id).await?;
        let status = jobs::kill(&tx, id, self.now).await?;
        self.withdraw(&tx, &job, status).await?;
        self.close(tx).await?;
        Ok(status)
    }

    /// A Runner that ends gives back what it has not begun.
    pub(crate) async fn release(&self, fence: Fence) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        queue::release(&tx, fence, self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn cancel(&self, id: JobId) -> Result<JobStatus> {
        let tx = self.bench.store.begin().await?;
        let job = jobs::get(&tx, id).await?;
        let status = jobs::cancel(&tx, id, self.now).await?;
        self.withdraw(&tx, &job, status).await?;
        self.close(tx).await?;
        Ok(status)
    }

    /// A DEPLOY that never began leaves its Spec where it was.
    async fn withdraw(&self, tx: &Tx, job: &Job, status: JobStatus) -> Result<()> {
        if let (JobStatus::Cancelled, JobType::Deploy, Some(former)) =
            (status, job.job_type, job.former_status)
        {
            specs::transition(tx, job.spec_id, &SpecEvent::WithdrawDeploy(former), None, self.now).await?;
        }
        Ok(())
    }

    pub(crate) async fn revise(&self, spec: SpecId) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let number = specs::get(&tx, spec).await?.revision + 1;
        revisions::append(&tx, spec, None, &self.bench.revision(number), self.now).await?;
        components::sync(&tx, spec, &wanted(number), self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn claim(&self, runner: usize, token: &str) -> Result<Option<Claimed>> {
        let claimant = Claimant { runner_id: self.runners[runner], labels: &[] };
        let tx = self.bench.store.begin().await?;
        let claimed = queue::claim(&tx, claimant, token, LEASE, self.now).await?;
        self.close(tx).await?;
        Ok(claimed)
    }

    pub(crate) async fn start(&self, fence: Fence) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        jobs::guard(&tx, fence).await?;
        let job = jobs::get(&tx, fence.job_id).await?;
        if job.status == JobStatus::Processing {
            return Ok(());
        }
        jobs::start(&tx, fence, self.now).await?;
        let event = match job.job_type {
            JobType::Deploy => Some(SpecEvent::StartDeploy),
            JobType::Destroy => Some(SpecEvent::StartDestroy),
            _ => None,
        };
        if let Some(event) = event {
            specs::transition(&tx, job.spec_id, &event, None, self.now).await?;
        }
        self.close(tx).await
    }

    pub(crate) async fn heartbeat(&self, fence: Fence) -> Result<Heartbeat> {
        let tx = self.bench.store.begin().await?;
        let alive = jobs::heartbeat(&tx, fence, Some("apply"), LEASE, self.now).await?;
        self.close(tx).await?;
        Ok(alive)
    }

    pub(crate) async fn append_log(&self, fence: Fence, chunk: LogChunk) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        logs::append(&tx, fence, &[chunk]).await?;
        self.close(tx).await
    }

    pub(crate) async fn progress(&self, fence: Fence, event: ComponentEvent) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        jobs::guard(&tx, fence).await?;
        jobs::progress(&tx, fence, "apply", 1, 2, self.now).await?;
        let job = jobs::get(&tx, fence.job_id).await?;
        self.happen(&tx, &job, &ComponentRef::singleton(ComponentKind::Network), event).await?;
        self.close(tx).await
    }

    pub(crate) async fn put_plan(&self, fence: Fence) -> Result<()> {
        let store = &self.bench.store;
        let file = plan_file(fence);
        plans::put_file(store, fence, &file, self.now).await?;
        let basis = PlanBasis {
            snapshot: "s".to_owned(),
            bundle: "b".to_owned(),
            lock_file: "l".to_owned(),
            tool: "t".to_owned(),
            identity: "i".to_owned(),
            state_lineage: String::new(),
            state_serial: 0,
        };
        let tx = store.begin().await?;
        let hash = sha256_hex(&file);
        plans::report(&tx, fence, &basis, &PlanSummary::default(), &hash, self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn lock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::lock(&tx, spec, fence, &json!({ "ID": id, "Who": "r" }), self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn unlock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::unlock(&tx, spec, fence, Some(id)).await?;
        self.close(tx).await
    }

    pub(crate) async fn forget(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::forget(&tx, spec, fence, Some(id)).await?;
        self.close(tx).await
    }

    pub(crate) async fn force_unlock(&self, spec: SpecId, id: &str, force: Force) -> Result<StateLock> {
        let tx = self.bench.store.begin().await?;
        let lock = states::force_unlock(&tx, spec, id, force).await?;
        self.close(tx).await?;
        Ok(lock)
    }

    pub(crate) async fn restore(&self, spec: SpecId, serial: u64) -> Result<StateVersion> {
        let draft = states::draft_restore(&self.bench.store, spec, serial).await?;
        let tx = self.bench.store.begin().await?;
        match states::restore(&tx, &draft, self.now).await {
            Ok(version) => self.close(tx).await.map(|()| version),
            Err(error) => {
                draft.discard(&self.bench.store).await;
                Err(error)
            }
        }
    }

    pub(crate) async fn finish(&self, fence: Fence, end: &End) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        jobs::guard(&tx, fence).await?;
        let job = jobs::get(&tx, fence.job_id).await?;
        match end {
            End::Success => self.succeed(&tx, &job).await?,
            End::Failed(_) | End::Cancelled => self.fail(&tx, &job).await?,
        }
        jobs::finish(&tx, fence, end, self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn take_back(&self, expired: &Expired) -> Result<Option<JobStatus>> {
        let tx = self.bench.store.begin().await?;
        let loss = self.loss(expired);
        let Some(status) = queue::lose_lease(&tx, expired, &loss, self.now).await? else { return Ok(None) };
        if status == JobStatus::Failed {
            let job = jobs::get(&tx, expired.fence.job_id).await?;
            self.fail(&tx, &job).await?;
        }
        self.close(tx).await?;
        Ok(Some(status))
    }

    fn loss(&self, expired: &Expired) -> Loss {
        let attempt = expired.fence.attempt;
        match Lost::of(expired.job_type, expired.status, attempt) {
            Lost::Retry => Loss::Retry { not_before: self.now + Lost::pause(attempt) },
            Lost::Abandon => Loss::Abandon { failure: failure(FailureReason::RunnerLost) },
        }
    }

    async fn succeed(&self, tx: &Tx, job: &Job) -> Result<()> {
        let (wanted, deployed) = match job.job_type {
            JobType::Deploy => (wanted(job.revision).to_vec(), Some(job.revision)),
            JobType::Destroy => (Vec::new(), None),
            _ => return plans::get(tx, job.id).await.map(drop),
        };
        for found in components::list(tx, job.spec_id).await? {
            let Some(event) = found.status.at_success(wanted.contains(&found.component)) else { continue };
            self.happen(tx, job, &found.component, event).await?;
        }
        specs::transition(tx, job.spec_id, &SpecEvent::Succeed, None, self.now).await?;
        specs::set_deployed(tx, job.spec_id, deployed, self.now).await
    }

    async fn fail(&self, tx: &Tx, job: &Job) -> Result<()> {
        if !job.job_type.is_mutating() {
            return Ok(());
        }
        let all = components::list(tx, job.spec_id).await?;
        for found in all.iter().filter(|found| found.status.is_in_progress()) {
            self.happen(tx, job, &found.component, ComponentEvent::Fail).await?;
        }
        let status = specs::transition(tx, job.spec_id, &SpecEvent::Fail, Some("why"), self.now).await?;
        assert_eq!(status, SpecStatus::Failed);
        Ok(())
    }

    /// What the lifecycle does not allow is left out, as the Console leaves it out.
    async fn happen(
        &self,
        tx: &Tx,
        job: &Job,
        component: &ComponentRef,
        event: ComponentEvent,
    ) -> Result<()> {
        let happening = Happening { job_id: Some(job.id), ..Happening::plain(event) };
        match components::transition(tx, job.spec_id, component, &happening, self.now).await {
            Ok(_) | Err(StoreError::Illegal(_) | StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
