//! Who acts: Runners that work, die, fall silent and come back late; people who ask for this and that; the reaper, that
//! looks first and acts later.

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, FailureReason, JobStatus, JobType},
};
use alethia_store::{
    Conflict, PageRequest, Result, StateRefusal, StoreError,
    jobs::{self, End, Fence},
    logs::LogChunk,
    queue::{self, Expired},
    states::{self, Force, Write},
};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::json;

use crate::{
    console::failure,
    invariants::{Answer, Verdict},
    world::{World, text},
};

/// A Runner with one slot.
pub(crate) struct Runner {
    number: usize,
    work: Option<Work>,
    silent_until: Option<DateTime<Utc>>,
}

/// What a Runner knows of the job that it has, or thinks it has.
struct Work {
    fence: Fence,
    spec: SpecId,
    steps: &'static [Step],
    at: usize,
    sequence: u64,
    lock: String,
    lineage: String,
    serial: u64,
    is_cancelled: bool,
    has_failed: bool,
    /// How often it went on after it was told that the attempt is over.
    ignored: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
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

/// Looks for attempts whose lease ended; what it saw may be old when it acts.
#[derive(Default)]
pub(crate) struct Reaper {
    seen: Vec<Expired>,
}

impl Runner {
    pub(crate) fn new(number: usize) -> Self {
        Self { number, work: None, silent_until: None }
    }

    pub(crate) async fn act(&mut self, world: &mut World<'_>) -> Verdict {
        if world.faults && self.silent_until.is_some_and(|until| until > world.now) {
            return Ok(());
        }
        self.silent_until = None;
        let Some(mut work) = self.work.take() else { return self.claim(world).await };
        if world.faults && world.once_in(40) {
            world.tell(format!("r{} dies and starts anew", self.number + 1));
            return Ok(());
        }
        if world.faults && world.once_in(24) {
            let seconds = world.dice.random_range(5..90);
            world.tell(format!("r{} is silent for {seconds}s", self.number + 1));
            self.silent_until = Some(world.now + TimeDelta::seconds(seconds));
            self.work = Some(work);
            return Ok(());
        }
        if work.go_on(world).await? {
            self.work = Some(work);
        }
        Ok(())
    }

    async fn claim(&mut self, world: &mut World<'_>) -> Verdict {
        if !world.has_waiting() {
            return Ok(());
        }
        let token = uuid::Uuid::now_v7().to_string();
        let Some(claimed) = world.claim(self.number, &token).await.map_err(text)? else { return Ok(()) };
        world.tell(format!("r{} claims {}", self.number + 1, world.name(claimed.fence.job_id)));
        if world.unwanted.contains(&claimed.fence.job_id) {
            return Err("a Runner without the label got the job".to_owned());
        }
        world.read_events().await?;
        world.has_token(claimed.fence, token);
        world.leases.insert(claimed.fence.job_id, claimed.lease_expires_at);
        if world.faults && world.once_in(10) {
            world.tell("and never hears of it");
            return Ok(());
        }
        self.work = Some(Work::new(world, claimed.fence, claimed.spec_id, claimed.job_type));
        Ok(())
    }
}

impl Work {
    fn new(world: &World<'_>, fence: Fence, spec: SpecId, job_type: JobType) -> Self {
        use Step::{Build, Finish, Forget, Lock, PutPlan, Remove, Settle, Start, Unlock, WriteState};
        let steps: &[Step] = match job_type {
            JobType::Deploy => {
                &[Start, Lock, Build, WriteState, WriteState, Forget, WriteState, Settle, Unlock, Finish]
            }
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
            has_failed: false,
            ignored: 0,
        }
    }

    /// Does the next thing; whether there is more to do.
    async fn go_on(&mut self, world: &mut World<'_>) -> Verdict<bool> {
        let is_lost = world.faults && world.once_in(12);
        let step = self.steps[self.at];
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

    async fn heartbeat(&mut self, world: &mut World<'_>) -> Verdict<Answer> {
        let result = world.heartbeat(world.sent(self.fence)).await;
        let answer = world.answered(self.fence, "heartbeat", &result).await?;
        if let Ok(alive) = result {
            let asked = world.story.jobs[&self.fence.job_id].cancel_requested;
            if alive.cancel_requested != asked {
                return Err(format!(
                    "a heartbeat hears of a cancel: {}, and it is {asked}",
                    alive.cancel_requested
                ));
            }
            self.is_cancelled = asked;
            world.leases.insert(self.fence.job_id, alive.lease_expires_at);
        }
        Ok(answer)
    }

    async fn log(&mut self, world: &mut World<'_>, is_lost: bool) -> Verdict<Answer> {
        let (attempt, sequence) = (self.fence.attempt, self.sequence);
        let text = crate::world::line(attempt, sequence);
        let chunk = LogChunk { attempt, sequence, at: world.now, text };
        let result = world.append_log(world.sent(self.fence), chunk).await;
        let answer = world.answered(self.fence, "log", &result).await?;
        if answer == Answer::Accepted {
            world.has_logged(self.fence, sequence);
            self.sequence += u64::from(!is_lost);
        }
        Ok(answer)
    }

    async fn step(&mut self, world: &mut World<'_>, step: Step) -> Verdict<Answer> {
        let (own, fence) = (self.fence, world.sent(self.fence));
        let result = match step {
            Step::Start => world.start(fence).await,
            Step::Lock => world.lock(self.spec, fence, &self.lock).await,
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
        let answer = world.answered(own, &format!("{step:?}"), &result).await?;
        if step == Step::Lock && answer == Answer::Accepted {
            let current = states::current(&world.bench.store, self.spec).await.map_err(text)?;
            if let Some(current) = current {
                (self.lineage, self.serial) = (current.lineage, current.serial);
            }
        }
        Ok(answer)
    }

    /// The next version; now and then one that goes back, which must be refused.
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
        Ok(answer)
    }

    fn end(&self, world: &mut World<'_>) -> End {
        let planned = self.steps.contains(&Step::PutPlan);
        if self.has_failed {
            return End::Failed(failure(FailureReason::Terraform));
        }
        if self.is_cancelled && (planned || world.once_in(2)) {
            return End::Cancelled;
        }
        if world.once_in(6) { End::Failed(failure(FailureReason::Timeout)) } else { End::Success }
    }
}

impl Reaper {
    pub(crate) async fn act(&mut self, world: &mut World<'_>) -> Verdict {
        match self.seen.pop() {
            Some(expired) => self.take_back(world, &expired).await,
            None => self.look(world).await,
        }
    }

    /// Looks, and takes back all that it sees.
    pub(crate) async fn sweep(&mut self, world: &mut World<'_>) -> Verdict {
        self.look(world).await?;
        while let Some(expired) = self.seen.pop() {
            self.take_back(world, &expired).await?;
        }
        Ok(())
    }

    async fn look(&mut self, world: &mut World<'_>) -> Verdict {
        if world.has_leases() {
            self.seen = queue::expired(&world.bench.store, world.now, 50).await.map_err(text)?;
        }
        Ok(())
    }

    async fn take_back(&mut self, world: &mut World<'_>, expired: &Expired) -> Verdict {
        let job = expired.fence.job_id;
        let became = world.take_back(expired).await.map_err(text)?;
        world.tell(format!("the reaper takes back {}: {became:?}", world.name(job)));
        if became.is_some() && world.leases.get(&job).is_none_or(|end| *end >= world.now) {
            return Err("an attempt was ended before its lease".to_owned());
        }
        if became.is_some() && !world.story.is_live(expired.fence) {
            return Err("an attempt was ended twice".to_owned());
        }
        world.read_events().await.map(drop)
    }
}

/// A person asks for something.
pub(crate) async fn person(world: &mut World<'_>) -> Verdict {
    let spec = world.specs[world.dice.random_range(0..world.specs.len())];
    match world.dice.random_range(0..20) {
        0..3 => create(world, spec, JobType::Plan).await,
        3..7 => create(world, spec, JobType::Deploy).await,
        7..10 => create(world, spec, JobType::Destroy).await,
        10..12 => cancel_some(world).await,
        12..15 => retry(world).await,
        15..17 => force_unlock(world, spec).await,
        17..19 => restore(world, spec).await,
        _ => {
            let result = world.revise(spec).await;
            asked(world, "revise", &result).await.map(drop)
        }
    }
}

async fn create(world: &mut World<'_>, spec: SpecId, job_type: JobType) -> Verdict {
    let label = world.once_in(20).then_some("gpu");
    let result = world.create(spec, job_type, None, label).await;
    made(world, &format!("make {job_type}"), result, label.is_some()).await
}

async fn retry(world: &mut World<'_>) -> Verdict {
    let is_unsuccessful = |job: &&JobId| {
        let status = world.story.jobs[*job].status;
        status == JobStatus::Failed || status == JobStatus::Cancelled
    };
    let candidates: Vec<JobId> = world.jobs.iter().filter(is_unsuccessful).copied().collect();
    let Some(id) = world.one_of(&candidates) else { return Ok(()) };
    let old = jobs::get(&world.bench.store, id).await.map_err(text)?;
    let label = old.required_labels.first().map(String::as_str);
    let result = world.create(old.spec_id, old.job_type, Some(&old), label).await;
    made(world, &format!("retry {}", world.name(id)), result, label.is_some()).await
}

async fn made(world: &mut World<'_>, what: &str, result: Result<JobId>, is_unwanted: bool) -> Verdict {
    if let Ok(job) = &result {
        world.jobs.push(*job);
        world.unwanted.extend(is_unwanted.then_some(*job));
    }
    asked(world, what, &result).await.map(drop)
}

async fn cancel_some(world: &mut World<'_>) -> Verdict {
    let Some(id) = world.one_of(&world.jobs.clone()) else { return Ok(()) };
    cancel(world, id).await
}

pub(crate) async fn cancel(world: &mut World<'_>, id: JobId) -> Verdict {
    let was_over = world.story.jobs[&id].status.is_final();
    let result = world.cancel(id).await;
    let is_done = asked(world, &format!("cancel {}", world.name(id)), &result).await?;
    if is_done == was_over {
        return Err(format!("a job that was over ({was_over}) could be cancelled: {is_done}"));
    }
    let now = &world.story.jobs[&id];
    if is_done && !now.status.is_final() && !now.cancel_requested {
        return Err("a cancel was lost".to_owned());
    }
    Ok(())
}

async fn force_unlock(world: &mut World<'_>, spec: SpecId) -> Verdict {
    let lock = states::get(&world.bench.store, spec).await.map_err(text)?.lock;
    let Some(lock) = lock else { return Ok(()) };
    let force = if world.once_in(4) { Force::Always } else { Force::OnlyOrphaned };
    let result = world.force_unlock(spec, &lock.id, force).await;
    let is_done = asked(world, &format!("unlock {} ({force:?})", lock.id), &result).await?;
    if is_done != (!lock.holder_alive || force == Force::Always) {
        return Err(format!("a lock whose holder is alive ({}) was released: {is_done}", lock.holder_alive));
    }
    Ok(())
}

async fn restore(world: &mut World<'_>, spec: SpecId) -> Verdict {
    let page = PageRequest { after: None, limit: 50 };
    let versions = states::versions(&world.bench.store, spec, page).await.map_err(text)?.items;
    let serials: Vec<u64> = versions.iter().map(|version| version.serial).collect();
    let Some(serial) = world.one_of(&serials) else { return Ok(()) };
    let result = world.restore(spec, serial).await;
    asked(world, &format!("restore serial {serial}"), &result).await?;
    match result {
        Ok(version) => world.has_version(spec, &version, false),
        Err(StoreError::StateRefused(StateRefusal::Locked(_))) => Ok(()),
        Err(other) => Err(format!("a version can't be restored: {other}")),
    }
}

/// The answer that a person got; whether it was done. What was refused has changed nothing.
async fn asked<T>(world: &mut World<'_>, what: &str, result: &Result<T>) -> Verdict<bool> {
    let word = match result {
        Ok(_) => "done",
        Err(StoreError::Illegal(_)) => "not allowed now",
        Err(StoreError::Conflict(Conflict::MutatingJobPending)) => "another is pending",
        Err(StoreError::StateRefused(_)) => "refused",
        Err(other) => return Err(format!("{what}: {other}")),
    };
    world.tell(format!("a person: {what}: {word}"));
    let events = world.read_events().await?;
    if result.is_err() && events > 0 {
        return Err(format!("{what} was refused and changed something"));
    }
    Ok(result.is_ok())
}
