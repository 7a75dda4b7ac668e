//! What the Console does, in its order, on the real store: each function is one use case in one transaction, without
//! who may do it, audit and HTTP.

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    event::Failure,
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, ComponentStatus, FailureReason, JobStatus, JobType, SpecEvent, SpecStatus},
    plan::{PlanBasis, PlanSummary, sha256_hex},
};
use alethia_store::{
    Result, StoreError, Tx, components,
    components::Happening,
    jobs::{self, End, Fence, Heartbeat, Job, NewJob},
    logs::{self, LogChunk},
    plans,
    queue::{self, Claimant, Claimed, Expired, Loss},
    revisions, specs,
    states::{self, Force, StateLock, StateVersion},
};
use chrono::TimeDelta;
use serde_json::json;

use crate::world::World;

/// How long an attempt is valid without a heartbeat.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);
const MOST_ATTEMPTS: u32 = 3;

/// What a Revision wants: the databases of odd and even ones differ.
pub(crate) fn wanted(revision: u32) -> [ComponentRef; 2] {
    let name = if revision % 2 == 1 { "orders" } else { "events" };
    [ComponentRef::singleton(ComponentKind::Network), ComponentRef::named(ComponentKind::Database, name)]
}

pub(crate) fn failure(reason: FailureReason) -> Failure {
    Failure { reason, message: "it failed".to_owned(), address: None, hint: None }
}

impl World<'_> {
    pub(crate) async fn create(
        &self,
        spec: SpecId,
        job_type: JobType,
        retry_of: Option<&Job>,
        label: Option<&str>,
    ) -> Result<JobId> {
        let tx = self.bench.store.begin().await?;
        specs::lock(&tx, spec).await?;
        let spec = specs::get(&tx, spec).await?;
        let event = match job_type {
            JobType::Deploy => Some(SpecEvent::QueueDeploy),
            JobType::Destroy => Some(SpecEvent::QueueDestroy),
            _ => None,
        };
        if let Some(event) = event {
            specs::transition(&tx, spec.id, &event, None, self.now).await?;
        }
        let revision = retry_of.map_or(spec.revision, |old| old.revision);
        if job_type == JobType::Deploy {
            components::sync(&tx, spec.id, &wanted(revision), self.now).await?;
        }
        let new = NewJob {
            job_type,
            spec_id: spec.id,
            revision,
            snapshot: json!({ "revision": revision }),
            snapshot_hash: format!("hash-{revision}"),
            identity_id: spec.identity_id,
            plan_job_id: None,
            retry_of: retry_of.map(|old| old.id),
            destroy: false,
            required_labels: label.map(str::to_owned).into_iter().collect(),
            assigned_runner_id: None,
            former_status: (job_type == JobType::Deploy).then_some(spec.status),
            author: "ada".to_owned(),
        };
        let id = jobs::insert(&tx, &new, self.now).await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(crate) async fn cancel(&self, id: JobId) -> Result<JobStatus> {
        let tx = self.bench.store.begin().await?;
        let job = jobs::get(&tx, id).await?;
        let status = jobs::cancel(&tx, id, self.now).await?;
        if let (JobStatus::Cancelled, JobType::Deploy, Some(former)) =
            (status, job.job_type, job.former_status)
        {
            specs::transition(&tx, job.spec_id, &SpecEvent::WithdrawDeploy(former), None, self.now).await?;
        }
        tx.commit().await?;
        Ok(status)
    }

    pub(crate) async fn revise(&self, spec: SpecId) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let number = specs::get(&tx, spec).await?.revision + 1;
        revisions::append(&tx, spec, None, &self.bench.revision(number), self.now).await?;
        components::sync(&tx, spec, &wanted(number), self.now).await?;
        tx.commit().await
    }

    pub(crate) async fn claim(&self, runner: usize, token: &str) -> Result<Option<Claimed>> {
        let claimant = Claimant { runner_id: self.bench.runners[runner], labels: &[] };
        if !queue::is_claimable(&self.bench.store, claimant, self.now).await? {
            return Ok(None);
        }
        let tx = self.bench.store.begin().await?;
        let claimed = queue::claim(&tx, claimant, token, LEASE, self.now).await?;
        tx.commit().await?;
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
        tx.commit().await
    }

    pub(crate) async fn heartbeat(&self, fence: Fence) -> Result<Heartbeat> {
        let tx = self.bench.store.begin().await?;
        let alive = jobs::heartbeat(&tx, fence, Some("apply"), LEASE, self.now).await?;
        tx.commit().await?;
        Ok(alive)
    }

    pub(crate) async fn append_log(&self, fence: Fence, chunk: LogChunk) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        logs::append(&tx, fence, &[chunk]).await?;
        tx.commit().await
    }

    pub(crate) async fn progress(&self, fence: Fence, event: ComponentEvent) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        jobs::guard(&tx, fence).await?;
        jobs::progress(&tx, fence, "apply", 1, 2, self.now).await?;
        let job = jobs::get(&tx, fence.job_id).await?;
        self.happen(&tx, &job, &ComponentRef::singleton(ComponentKind::Network), event).await?;
        tx.commit().await
    }

    pub(crate) async fn put_plan(&self, fence: Fence) -> Result<()> {
        let store = &self.bench.store;
        let file = format!("plan of attempt {}", fence.attempt);
        plans::put_file(store, fence, file.as_bytes(), self.now).await?;
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
        let hash = sha256_hex(file.as_bytes());
        plans::report(&tx, fence, &basis, &PlanSummary::default(), &hash, self.now).await?;
        tx.commit().await
    }

    pub(crate) async fn lock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::lock(&tx, spec, fence, &json!({ "ID": id, "Who": "r" }), self.now).await?;
        tx.commit().await
    }

    pub(crate) async fn unlock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::unlock(&tx, spec, fence, Some(id)).await?;
        tx.commit().await
    }

    pub(crate) async fn forget(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::forget(&tx, spec, fence, Some(id)).await?;
        tx.commit().await
    }

    pub(crate) async fn force_unlock(&self, spec: SpecId, id: &str, force: Force) -> Result<StateLock> {
        let tx = self.bench.store.begin().await?;
        let lock = states::force_unlock(&tx, spec, id, force).await?;
        tx.commit().await?;
        Ok(lock)
    }

    pub(crate) async fn restore(&self, spec: SpecId, serial: u64) -> Result<StateVersion> {
        let draft = states::draft_restore(&self.bench.store, spec, serial).await?;
        let tx = self.bench.store.begin().await?;
        match states::restore(&tx, &draft, self.now).await {
            Ok(version) => tx.commit().await.map(|()| version),
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
        tx.commit().await
    }

    pub(crate) async fn take_back(&self, expired: &Expired) -> Result<Option<JobStatus>> {
        let tx = self.bench.store.begin().await?;
        let loss = self.loss(expired);
        let Some(status) = queue::lose_lease(&tx, expired, &loss, self.now).await? else { return Ok(None) };
        if status == JobStatus::Failed {
            let job = jobs::get(&tx, expired.fence.job_id).await?;
            self.fail(&tx, &job).await?;
        }
        tx.commit().await?;
        Ok(Some(status))
    }

    fn loss(&self, expired: &Expired) -> Loss {
        let attempt = expired.fence.attempt;
        let started = expired.status == JobStatus::Processing;
        if started && (expired.job_type.is_mutating() || attempt >= MOST_ATTEMPTS) {
            return Loss::Abandon { failure: failure(FailureReason::RunnerLost) };
        }
        Loss::Retry {
            not_before: self.now + TimeDelta::seconds(2) * 2_i32.pow(attempt.saturating_sub(1).min(8)),
        }
    }

    async fn succeed(&self, tx: &Tx, job: &Job) -> Result<()> {
        let (wanted, deployed) = match job.job_type {
            JobType::Deploy => (wanted(job.revision).to_vec(), Some(job.revision)),
            JobType::Destroy => (Vec::new(), None),
            _ => return plans::get(tx, job.id).await.map(drop),
        };
        for found in components::list(tx, job.spec_id).await? {
            let event = if wanted.contains(&found.component) {
                ComponentEvent::Settle
            } else {
                ComponentEvent::Vanish
            };
            self.happen(tx, job, &found.component, event).await?;
        }
        specs::transition(tx, job.spec_id, &SpecEvent::Succeed, None, self.now).await?;
        specs::set_deployed(tx, job.spec_id, deployed, self.now).await
    }

    async fn fail(&self, tx: &Tx, job: &Job) -> Result<()> {
        if !job.job_type.is_mutating() {
            return Ok(());
        }
        for found in components::list(tx, job.spec_id).await? {
            if matches!(
                found.status,
                ComponentStatus::Creating | ComponentStatus::Updating | ComponentStatus::Destroying
            ) {
                self.happen(tx, job, &found.component, ComponentEvent::Fail).await?;
            }
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
