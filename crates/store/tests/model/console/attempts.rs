//! What Runners do with the jobs that they have, and what becomes of a job whose Runner is lost.

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    lifecycle::{ComponentEvent, FailureReason, JobStatus, JobType, Lost, SpecEvent, SpecStatus},
    plan::{PlanBasis, PlanSummary, sha256_hex},
};
use alethia_store::{
    Result, StoreError, Tx, components,
    components::Happening,
    jobs::{self, End, Fence, Heartbeat, Job},
    logs::{self, LogChunk},
    plans,
    queue::{self, Answer, Claimant, Claimed, Expired, Loss},
    specs,
};

use super::{LEASE, failure, plan_file, wanted};
use crate::world::World;

impl World<'_> {
    pub(crate) async fn claim(&self, runner: usize, token: &str) -> Result<Option<Claimed>> {
        let (runner_id, name) = (self.runners[runner], format!("r{}", runner + 1));
        let claimant = Claimant { runner_id, name, labels: Vec::new(), token_hash: token.to_owned() };
        let tx = self.bench.store.begin().await?;
        let answers = queue::claim(&tx, &[claimant], LEASE, self.now).await?;
        self.close(tx).await?;
        Ok(answers.into_iter().find_map(Answer::job))
    }

    /// A Runner that ends gives back what it has not begun.
    pub(crate) async fn release(&self, fence: Fence) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        queue::release(&tx, fence, self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn start(&self, fence: Fence) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        let Some(begun) = jobs::start(&tx, fence, LEASE, self.now).await? else { return Ok(()) };
        let event = match begun.job_type {
            JobType::Deploy => Some(SpecEvent::StartDeploy),
            JobType::Destroy => Some(SpecEvent::StartDestroy),
            _ => None,
        };
        if let Some(event) = event {
            specs::transition(&tx, begun.spec_id, &event, None, self.now).await?;
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
        let failure = failure(FailureReason::RunnerLost);
        match Lost::of(expired.job_type, expired.status, attempt) {
            Lost::Retry => Loss::Retry { not_before: self.now + Lost::pause(attempt), failure },
            Lost::Abandon => Loss::Abandon { failure },
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
