//! What a Runner does with one job, step by step, as far as it hears what came of each step.

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, FailureReason, JobStatus, JobType},
};
use alethia_store::{
    Conflict, StoreError,
    jobs::{End, Fence},
    logs::LogChunk,
    plans,
    states::{self, Write},
};
use rand::RngExt;
use serde_json::json;

use crate::{
    console::{LEASE, failure},
    invariants::{Answer, Verdict},
    world::{World, text},
};

/// What a Runner knows of the job that it has, or thinks it has.
pub(super) struct Work {
    fence: Fence,
    spec: SpecId,
    steps: &'static [Step],
    at: usize,
    sequence: u64,
    lock: String,
    lineage: String,
    serial: u64,
    is_cancelled: bool,
    is_killed: bool,
    has_failed: bool,
    /// The PLAN that it is bound to.
    plan: Option<JobId>,
    /// How often it went on after it was told that the attempt is over.
    ignored: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    FetchPlan,
    Lock,
    PutPlan,
    Build,
    Remove,
    WriteState,
    Settle,
    Forget,
    Unlock,
    Finish,
}

impl Work {
    pub(super) fn new(
        world: &World<'_>,
        fence: Fence,
        spec: SpecId,
        job_type: JobType,
        plan: Option<JobId>,
    ) -> Self {
        use Step::{
            Build, FetchPlan, Finish, Forget, Lock, PutPlan, Remove, Settle, Start, Unlock, WriteState,
        };
        let steps: &[Step] = match job_type {
            JobType::Deploy => &[
                Start, FetchPlan, Lock, Build, WriteState, WriteState, Forget, WriteState, Settle, Unlock,
                Finish,
            ],
            JobType::Destroy => &[Start, Lock, Remove, WriteState, Forget, Unlock, Finish],
            _ => &[Start, Lock, PutPlan, Unlock, Finish],
        };
        let lock = format!("{}-{}", world.name(fence.job_id), fence.attempt);
        Self {
            fence,
            spec,
            steps,
            at: 0,
            sequence: 1,
            lineage: lock.clone(),
            lock,
            serial: 0,
            is_cancelled: false,
            is_killed: false,
            has_failed: false,
            plan,
            ignored: 0,
        }
    }

    /// Does the next thing; whether there is more to do.
    pub(super) async fn go_on(&mut self, world: &mut World<'_>) -> Verdict<bool> {
        let is_lost = world.faults && world.once_in(12);
        let step = self.steps[self.at];
        if world.faults && step == Step::Start && world.once_in(12) {
            return self.give_back(world).await;
        }
        let answer = match world.dice.random_range(0..12) {
            0..2 => self.heartbeat(world).await?,
            2..4 => self.log(world, is_lost).await?,
            _ => {
                let answer = self.step(world, step).await?;
                if !is_lost && answer == Answer::Accepted && step == Step::Finish {
                    return Ok(false);
                }
                self.after(step, answer, is_lost);
                answer
            }
        };
        if answer == Answer::LeaseLost {
            self.ignored += 1;
            return Ok(world.faults && self.ignored < 5 && world.once_in(2));
        }
        Ok(true)
    }

    /// A step whose answer got lost is done again; one that was refused makes the job fail.
    fn after(&mut self, step: Step, answer: Answer, is_lost: bool) {
        let last = self.steps.len() - 1;
        match answer {
            Answer::CutOff => {}
            Answer::Accepted if is_lost => {}
            Answer::Accepted | Answer::LeaseLost => self.at = last.min(self.at + 1),
            Answer::Refused => {
                self.has_failed |= step != Step::Unlock;
                self.at = last;
            }
        }
        if self.is_cancelled && self.at > 0 {
            self.at = last;
        }
    }

    /// Its Runner ends before it began.
    async fn give_back(&mut self, world: &mut World<'_>) -> Verdict<bool> {
        world.may_be_cut_off();
        let result = world.release(self.fence).await;
        // An earlier start may have been heard of, though its answer was lost.
        if matches!(result, Err(StoreError::Illegal(_))) {
            return Ok(true);
        }
        let answer = world.answered(self.fence, "give back", &result).await?;
        Ok(answer == Answer::CutOff)
    }

    async fn heartbeat(&mut self, world: &mut World<'_>) -> Verdict<Answer> {
        let result = world.heartbeat(self.fence).await;
        let answer = world.answered(self.fence, "heartbeat", &result).await?;
        if let Ok(alive) = result {
            let asked = world.story.jobs[&self.fence.job_id].cancel_requested;
            if alive.cancel_requested != asked {
                return Err(format!(
                    "a heartbeat hears of a cancel: {}, and it is {asked}",
                    alive.cancel_requested
                ));
            }
            if alive.kill_requested != world.killed.contains(&self.fence.job_id) {
                return Err(format!("a heartbeat hears that it is to be killed: {}", alive.kill_requested));
            }
            self.is_cancelled = asked;
            self.is_killed = alive.kill_requested;
            world.leases.insert(self.fence.job_id, alive.lease_expires_at);
        }
        Ok(answer)
    }

    async fn log(&mut self, world: &mut World<'_>, is_lost: bool) -> Verdict<Answer> {
        let (attempt, sequence) = (self.fence.attempt, self.sequence);
        let text = crate::world::line(attempt, sequence);
        let chunk = LogChunk { attempt, sequence, at: world.now, text };
        let result = world.append_log(self.fence, chunk).await;
        let answer = world.answered(self.fence, "log", &result).await?;
        if answer == Answer::Accepted {
            world.has_logged(self.fence, sequence);
            self.sequence += u64::from(!is_lost);
        }
        Ok(answer)
    }

    async fn step(&mut self, world: &mut World<'_>, step: Step) -> Verdict<Answer> {
        let fence = self.fence;
        let was_claimed = world.story.jobs[&fence.job_id].status == JobStatus::Claimed;
        world.may_be_cut_off();
        let result = match step {
            Step::Start => world.start(fence).await,
            Step::Lock => world.lock(self.spec, fence, &self.lock).await,
            Step::FetchPlan => return self.fetch_plan(world).await,
            Step::PutPlan => world.put_plan(fence).await,
            Step::Build => world.progress(fence, ComponentEvent::Build).await,
            Step::Remove => world.progress(fence, ComponentEvent::Remove).await,
            Step::Settle => world.progress(fence, ComponentEvent::Settle).await,
            Step::WriteState => return self.write_state(world, fence).await,
            Step::Forget if world.once_in(4) => world.forget(self.spec, fence, &self.lock).await,
            Step::Forget => return Ok(Answer::Accepted),
            Step::Unlock => world.unlock(self.spec, fence, &self.lock).await,
            Step::Finish => {
                let end = self.end(world);
                world.finish(fence, &end).await
            }
        };
        let answer = world.answered(fence, &format!("{step:?}"), &result).await?;
        if step == Step::Start && answer == Answer::Accepted && was_claimed {
            world.leases.insert(fence.job_id, world.now + LEASE);
        }
        if step == Step::PutPlan && answer == Answer::Accepted {
            world.plans.insert(fence.job_id, crate::console::plan_file(fence));
        }
        if step == Step::Lock && answer == Answer::Accepted {
            let current = states::current(&world.bench.store, self.spec).await.map_err(text)?;
            if let Some(current) = current {
                (self.lineage, self.serial) = (current.lineage, current.serial);
            }
        }
        Ok(answer)
    }

    /// A job that is bound to a plan gets the file that the PLAN put.
    async fn fetch_plan(&self, world: &mut World<'_>) -> Verdict<Answer> {
        let Some(plan) = self.plan else { return Ok(Answer::Accepted) };
        let file = plans::file(&world.bench.store, plan).await.map_err(text)?;
        if Some(file.as_ref()) != world.plans.get(&plan).map(Vec::as_slice) {
            return Err(format!("the plan of {} is another one", world.name(plan)));
        }
        Ok(Answer::Accepted)
    }

    /// The next version; now and then one that goes back, which must be refused. One that came too late is left to whoever
    /// recovers the Spec.
    async fn write_state(&mut self, world: &mut World<'_>, fence: Fence) -> Verdict<Answer> {
        let newest = world.story.serial(self.spec, &self.lineage);
        let goes_back = world.faults && newest > 1 && world.once_in(12);
        let serial = if goes_back { newest - 1 } else { self.serial + 1 };
        let state = json!({"version": 4, "serial": serial, "lineage": self.lineage, "resources": []});
        let content = state.to_string();
        let write =
            Write { spec_id: self.spec, fence, lock_id: Some(&self.lock), content: content.as_bytes() };
        let result = states::write(&world.bench.store, write, world.now).await;
        let answer = world.answered(self.fence, &format!("write serial {serial}"), &result).await?;
        if let Ok(version) = result {
            world.has_version(self.spec, &version, true)?;
            let is_repeated = world.faults && world.once_in(8);
            self.serial += u64::from(!is_repeated);
        }
        if answer == Answer::LeaseLost && world.once_in(2) {
            let result = world.rescue(self.spec, self.fence, content.as_bytes()).await;
            match result {
                Ok(()) | Err(StoreError::Conflict(Conflict::RescuedEnough { .. })) => {}
                Err(other) => return Err(format!("a late state was not kept: {other}")),
            }
            world.tell(format!("and leaves serial {serial} behind"));
            world.nothing_happened("a late state").await?;
        }
        Ok(answer)
    }

    fn end(&self, world: &mut World<'_>) -> End {
        let planned = self.steps.contains(&Step::PutPlan);
        if self.is_killed {
            return End::Cancelled;
        }
        if self.has_failed {
            return End::Failed(failure(FailureReason::Terraform));
        }
        if self.is_cancelled && (planned || world.once_in(2)) {
            return End::Cancelled;
        }
        if world.once_in(6) { End::Failed(failure(FailureReason::Timeout)) } else { End::Success }
    }
}
