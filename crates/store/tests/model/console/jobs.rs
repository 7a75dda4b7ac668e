//! Jobs that people ask for, end, and recover.

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{JobStatus, JobType, SpecEvent},
};
use alethia_store::{
    Result, Tx, components,
    idempotency::{self, Answer, Key},
    jobs::{self, Job, NewJob},
    specs,
    states::{self, Force, StateVersion},
};
use serde_json::json;

use super::{Wish, wanted};
use crate::world::World;

impl World<'_> {
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

    pub(crate) async fn kill(&self, id: JobId) -> Result<JobStatus> {
        let tx = self.bench.store.begin().await?;
        let job = jobs::get(&tx, id).await?;
        let status = jobs::kill(&tx, id, self.now).await?;
        self.withdraw(&tx, &job, status).await?;
        self.close(tx).await?;
        Ok(status)
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
}
