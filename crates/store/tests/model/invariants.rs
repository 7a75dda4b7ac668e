//! What must hold, whatever happens. A [`Story`] is told every event and every answer that a Runner got, in order, and
//! says at once what can't be. It knows nothing of the store: it can be told a history that no store would make.

use std::collections::BTreeMap;

use alethia_domain::{
    component::ComponentRef,
    event::{EventChange, Failure},
    ids::{JobId, SpecId},
    lifecycle::{
        ComponentEvent, ComponentStatus, FailureReason, JobEvent, JobStatus, JobType, SpecEvent, SpecStatus,
    },
};
use alethia_store::{events::Event, jobs::Fence, states::StateVersion};

/// All is well, or a sentence about what is not.
pub(crate) type Verdict<T = ()> = Result<T, String>;

/// How often a job that only reads may begin.
const MOST_STARTS: u32 = 3;

/// What is known of one world from its events alone.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) last_event: i64,
    pub(crate) jobs: BTreeMap<JobId, JobStory>,
    pub(crate) specs: BTreeMap<SpecId, SpecStatus>,
    pub(crate) components: BTreeMap<(SpecId, ComponentRef), ComponentStatus>,
    serials: BTreeMap<(SpecId, String), u64>,
}

/// What is known of one job.
#[derive(Clone)]
pub(crate) struct JobStory {
    pub(crate) spec: SpecId,
    pub(crate) job_type: JobType,
    pub(crate) status: JobStatus,
    pub(crate) attempt: u32,
    pub(crate) cancel_requested: bool,
    pub(crate) failure: Option<Failure>,
    starts: u32,
}

/// How the store answered a write of a Runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done.
    Accepted,
    /// The attempt is over.
    LeaseLost,
    /// Refused for another reason.
    Refused,
    /// The database went away before it was done.
    CutOff,
}

impl JobStory {
    pub(crate) fn is_with_a_runner(&self) -> bool {
        matches!(self.status, JobStatus::Claimed | JobStatus::Processing)
    }
}

impl Story {
    /// One that begins after an event.
    pub(crate) fn after(last_event: i64) -> Self {
        Self { last_event, ..Self::default() }
    }

    /// Whether this attempt is the one that counts.
    pub(crate) fn is_live(&self, fence: Fence) -> bool {
        self.jobs.get(&fence.job_id).is_some_and(|job| job.is_with_a_runner() && job.attempt == fence.attempt)
    }

    /// A Runner wrote. To be told before the events of that write.
    pub(crate) fn write(&self, fence: Fence, answer: Answer) -> Verdict {
        match (self.is_live(fence), answer) {
            (false, Answer::Accepted) => {
                Err(format!("a write of attempt {} was accepted: stale fence", fence.attempt))
            }
            (true, Answer::LeaseLost) => {
                Err(format!("attempt {} is live, and was told that it is over", fence.attempt))
            }
            (true, Answer::Accepted | Answer::Refused | Answer::CutOff)
            | (false, Answer::LeaseLost | Answer::Refused | Answer::CutOff) => Ok(()),
        }
    }

    /// A version of a state came to be.
    pub(crate) fn version(&mut self, spec: SpecId, version: &StateVersion) -> Verdict {
        let known = self.serials.entry((spec, version.lineage.clone())).or_insert(0);
        if version.serial <= *known {
            return Err(format!("serial {} came after serial {known} of the same lineage", version.serial));
        }
        *known = version.serial;
        Ok(())
    }

    /// The newest serial of a lineage; 0 when there is none.
    pub(crate) fn serial(&self, spec: SpecId, lineage: &str) -> u64 {
        self.serials.get(&(spec, lineage.to_owned())).copied().unwrap_or(0)
    }

    /// An event came.
    pub(crate) fn event(&mut self, event: &Event) -> Verdict {
        if event.id <= self.last_event {
            return Err(format!("event {} came after event {}", event.id, self.last_event));
        }
        self.last_event = event.id;
        let spec = event.spec_id.ok_or("an event names no spec")?;
        match &event.change {
            EventChange::JobChanged {
                job_type,
                status,
                attempt,
                cancel_requested,
                kill_requested: _,
                failure,
            } => {
                let now = JobStory {
                    spec,
                    job_type: *job_type,
                    status: *status,
                    attempt: *attempt,
                    cancel_requested: *cancel_requested,
                    failure: failure.clone(),
                    starts: 0,
                };
                self.job(event.job_id.ok_or("a job event names no job")?, now)
            }
            EventChange::SpecChanged { status } => self.spec(spec, *status),
            EventChange::ComponentChanged { component, status, .. } => {
                self.component(spec, component, *status)
            }
            EventChange::RevisionAdded { .. } | EventChange::JobProgressed { .. } => Ok(()),
        }
    }

    fn job(&mut self, id: JobId, mut now: JobStory) -> Verdict {
        match self.jobs.get(&id) {
            None if now.status == JobStatus::Queued && now.attempt == 0 => {}
            None => return Err(format!("a job begins {}, attempt {}", now.status, now.attempt)),
            Some(old) => {
                follows(old, &now)?;
                let began = old.status == JobStatus::Claimed && now.status == JobStatus::Processing;
                now.starts = old.starts + u32::from(began);
            }
        }
        began_too_often(&now)?;
        if !says_why(&now) {
            return Err(format!("a {} job and its failure do not fit", now.status));
        }
        let spec = now.spec;
        self.jobs.insert(id, now);
        self.one_at_a_time(spec)
    }

    fn one_at_a_time(&self, spec: SpecId) -> Verdict {
        let of_spec = || self.jobs.values().filter(|job| job.spec == spec && !job.status.is_final());
        if of_spec().filter(|job| job.is_with_a_runner()).count() > 1 {
            return Err("two jobs of one Spec are with Runners".to_owned());
        }
        if of_spec().filter(|job| job.job_type.is_mutating()).count() > 1 {
            return Err("two jobs that change the cloud are pending in one Spec".to_owned());
        }
        Ok(())
    }

    fn spec(&mut self, spec: SpecId, now: SpecStatus) -> Verdict {
        let old = self.specs.insert(spec, now).unwrap_or(SpecStatus::Draft);
        let plain = [
            SpecEvent::QueueDeploy,
            SpecEvent::StartDeploy,
            SpecEvent::QueueDestroy,
            SpecEvent::StartDestroy,
            SpecEvent::Succeed,
            SpecEvent::Fail,
        ];
        let mut events = plain.into_iter().chain(SpecStatus::ALL.map(SpecEvent::WithdrawDeploy));
        if events.any(|event| old.next(&event) == Ok(now)) {
            return Ok(());
        }
        Err(format!("a Spec went from {old} to {now}"))
    }

    fn component(&mut self, spec: SpecId, component: &ComponentRef, now: ComponentStatus) -> Verdict {
        let old =
            self.components.insert((spec, component.clone()), now).unwrap_or(ComponentStatus::Destroyed);
        let is_new = old == ComponentStatus::Destroyed && now == ComponentStatus::Pending;
        if is_new || ComponentEvent::ALL.iter().any(|event| old.next(event) == Ok(now)) {
            return Ok(());
        }
        Err(format!("{component} went from {old} to {now}"))
    }
}

fn follows(old: &JobStory, now: &JobStory) -> Verdict {
    if !JobEvent::ALL.iter().any(|event| old.status.next(event) == Ok(now.status)) {
        return Err(format!("a job went from {} to {}", old.status, now.status));
    }
    let claims = u32::from(now.status == JobStatus::Claimed);
    if now.attempt != old.attempt + claims {
        return Err(format!(
            "attempt {} became {} as the job became {}",
            old.attempt, now.attempt, now.status
        ));
    }
    if old.cancel_requested && !now.cancel_requested {
        return Err("a request to cancel was forgotten".to_owned());
    }
    Ok(())
}

/// A job that FAILED says why; one that is CANCELLED only when its Runner was lost meanwhile.
fn says_why(job: &JobStory) -> bool {
    let why = job.failure.as_ref().map(|failure| failure.reason);
    match job.status {
        JobStatus::Failed => why.is_some(),
        JobStatus::Cancelled => {
            why.is_none_or(|why| why == FailureReason::RunnerLost && job.cancel_requested)
        }
        JobStatus::Queued | JobStatus::Claimed | JobStatus::Processing | JobStatus::Success => why.is_none(),
    }
}

fn began_too_often(job: &JobStory) -> Verdict {
    let most = if job.job_type.is_mutating() { 1 } else { MOST_STARTS };
    if job.starts > most {
        return Err(format!("a {} began {} times; allowed: {most}", job.job_type, job.starts));
    }
    Ok(())
}
