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
    plans,
    queue::{self, Expired},
    states::{self, Force, Write},
};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::json;

use crate::{
    console::{Wish, failure},
    invariants::{Answer, JobStory, Verdict},
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
        world.may_be_cut_off();
        let claimed = match world.claim(self.number, &token).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) | Err(StoreError::Unavailable { .. }) => return world.nothing_happened("a claim").await,
            Err(other) => return Err(text(other)),
        };
        world.tell(format!("r{} claims {}", self.number + 1, world.name(claimed.fence.job_id)));
        if world.unwanted.contains(&claimed.fence.job_id) {
            return Err("a Runner without the label got the job".to_owned());
        }
        world.read_events().await?;
        let zone = world.zone(claimed.spec_id);
        if world.limits[zone].is_some_and(|most| world.active_in(zone) > most as usize) {
            return Err("a Zone has more jobs with Runners than it may".to_owned());
        }
        world.has_token(claimed.fence, token);
        world.leases.insert(claimed.fence.job_id, claimed.lease_expires_at);
        if world.faults && world.once_in(10) {
            world.tell("and never hears of it");
            return Ok(());
        }
        let plan = jobs::get(&world.bench.store, claimed.fence.job_id).await.map_err(text)?.plan_job_id;
        self.work = Some(Work::new(world, claimed.fence, claimed.spec_id, claimed.job_type, plan));
        Ok(())
    }
}

impl Work {
    fn new(world: &World<'_>, fence: Fence, spec: SpecId, job_type: JobType, plan: Option<JobId>) -> Self {
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
    async fn go_on(&mut self, world: &mut World<'_>) -> Verdict<bool> {
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
        world.may_be_cut_off();
        let became = match world.take_back(expired).await {
            Ok(became) => became,
            Err(StoreError::Unavailable { .. }) => return world.nothing_happened("a loss").await,
            Err(other) => return Err(text(other)),
        };
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
    world.may_be_cut_off();
    match world.dice.random_range(0..24) {
        0..3 => create(world, spec, JobType::Plan).await,
        3..7 => create(world, spec, JobType::Deploy).await,
        7..10 => create(world, spec, JobType::Destroy).await,
        10..12 => cancel_some(world).await,
        12..14 => kill_some(world).await,
        14..16 => retry(world).await,
        16..18 => force_unlock(world, spec).await,
        18..20 => restore(world, spec).await,
        20..22 => recover(world, spec).await,
        22 => administrate(world).await,
        _ => {
            let result = world.revise(spec).await;
            asked(world, "revise", &result).await.map(drop)
        }
    }
}

/// Limits a Zone, or replaces a Runner by another.
async fn administrate(world: &mut World<'_>) -> Verdict {
    if world.once_in(2) {
        let number = world.dice.random_range(0..world.runners.len());
        let result = world.replace_runner(number).await;
        return asked(world, &format!("replace r{}", number + 1), &result).await.map(drop);
    }
    let (zone, limit) = (world.dice.random_range(0..2), world.one_of(&[None, Some(1), Some(2)]).flatten());
    let result = world.set_limit(zone, limit).await;
    if asked(world, &format!("limit zone {zone} to {limit:?}"), &result).await? == Asked::Done {
        world.limits[zone] = limit;
    }
    Ok(())
}

async fn create(world: &mut World<'_>, spec: SpecId, job_type: JobType) -> Verdict {
    let label = world.once_in(20).then_some("gpu");
    let destroy = job_type == JobType::Plan && world.once_in(3);
    let plan = if job_type == JobType::Deploy && world.once_in(2) { world.plan_of(spec) } else { None };
    let key = uuid::Uuid::now_v7().to_string();
    let wish = Wish { job_type, destroy, plan, retry_of: None, label, key: &key };
    made(world, &format!("make {job_type}"), spec, wish).await
}

async fn retry(world: &mut World<'_>) -> Verdict {
    let is_unsuccessful = |job: &&JobId| {
        let status = world.story.jobs[*job].status;
        status == JobStatus::Failed || status == JobStatus::Cancelled
    };
    let candidates: Vec<JobId> = world.jobs.iter().filter(is_unsuccessful).copied().collect();
    let Some(id) = world.one_of(&candidates) else { return Ok(()) };
    let old = jobs::get(&world.bench.store, id).await.map_err(text)?;
    let (key, label) = (uuid::Uuid::now_v7().to_string(), old.required_labels.first().map(String::as_str));
    let (job_type, destroy) = (old.job_type, old.destroy);
    let wish = Wish { job_type, destroy, plan: None, retry_of: Some(&old), label, key: &key };
    made(world, &format!("retry {}", world.name(id)), old.spec_id, wish).await
}

/// A request whose answer got lost is sent again, and done once.
async fn made(world: &mut World<'_>, what: &str, spec: SpecId, wish: Wish<'_>) -> Verdict {
    let result = world.create(spec, wish).await;
    if let Ok(job) = &result {
        world.jobs.push(*job);
        world.unwanted.extend(wish.label.is_some().then_some(*job));
    }
    let is_done = asked(world, what, &result).await? == Asked::Done;
    if is_done && world.faults && world.once_in(5) {
        world.tell("and again, under the same key");
        let again = world.create(spec, wish).await;
        if again.as_ref().ok() != result.as_ref().ok() {
            return Err(format!("the same request again gave {again:?}, not {result:?}"));
        }
        return world.nothing_happened("a repeated request").await;
    }
    Ok(())
}

async fn recover(world: &mut World<'_>, spec: SpecId) -> Verdict {
    let key = uuid::Uuid::now_v7().to_string();
    let result = world.recover(spec, &key).await;
    if let Ok(Some((plan, _))) = &result {
        world.jobs.push(*plan);
        let lost = jobs::get(&world.bench.store, *plan).await.map_err(text)?;
        world.unwanted.extend((!lost.required_labels.is_empty()).then_some(*plan));
    }
    let asked = asked(world, "recover", &result).await?;
    if asked == Asked::Refused {
        return Err(format!("a Spec can't be recovered: {result:?}"));
    }
    match result {
        Ok(Some((_, Some(adopted)))) => {
            world.tell(format!("and adopts serial {}", adopted.serial));
            world.has_version(spec, &adopted, false)
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn cancel_some(world: &mut World<'_>) -> Verdict {
    let Some(id) = world.one_of(&world.jobs.clone()) else { return Ok(()) };
    cancel(world, id).await
}

pub(crate) async fn cancel(world: &mut World<'_>, id: JobId) -> Verdict {
    let was_over = world.story.jobs[&id].status.is_final();
    let result = world.cancel(id).await;
    let asked = asked(world, &format!("cancel {}", world.name(id)), &result).await?;
    if asked == if was_over { Asked::Done } else { Asked::Refused } {
        return Err(format!("a job that was over ({was_over}) was asked to end: {asked:?}"));
    }
    let now = &world.story.jobs[&id];
    if asked == Asked::Done && !now.status.is_final() && !now.cancel_requested {
        return Err("a cancel was lost".to_owned());
    }
    Ok(())
}

/// Only what was asked to end before may be killed, unless nobody works on it yet.
async fn kill_some(world: &mut World<'_>) -> Verdict {
    let Some(id) = world.one_of(&world.jobs.clone()) else { return Ok(()) };
    let JobStory { status, cancel_requested, .. } = world.story.jobs[&id];
    let may = status == JobStatus::Processing && cancel_requested
        || matches!(status, JobStatus::Queued | JobStatus::Claimed);
    let result = world.kill(id).await;
    let asked = asked(world, &format!("kill {}", world.name(id)), &result).await?;
    if asked == if may { Asked::Refused } else { Asked::Done } {
        return Err(format!("a {status} job that may be killed ({may}) was to be killed: {asked:?}"));
    }
    if asked == Asked::Done && status == JobStatus::Processing {
        world.killed.insert(id);
    }
    Ok(())
}

async fn force_unlock(world: &mut World<'_>, spec: SpecId) -> Verdict {
    let lock = states::get(&world.bench.store, spec).await.map_err(text)?.lock;
    let Some(lock) = lock else { return Ok(()) };
    let holder = lock.job_id.zip(lock.attempt).map(|(job_id, attempt)| Fence { job_id, attempt });
    if holder.is_some_and(|holder| world.story.is_live(holder)) != lock.holder_alive
        || lock.orphaned.is_some() == lock.holder_alive
    {
        return Err(format!("the holder of a lock is alive: {}, says the lock", lock.holder_alive));
    }
    let force = if world.once_in(4) { Force::Always } else { Force::OnlyOrphaned };
    let may = !lock.holder_alive || force == Force::Always;
    let result = world.force_unlock(spec, &lock.id, force).await;
    let asked = asked(world, &format!("unlock {} ({force:?})", lock.id), &result).await?;
    if asked == if may { Asked::Refused } else { Asked::Done } {
        return Err(format!(
            "a lock whose holder is alive ({}) was to be released: {asked:?}",
            lock.holder_alive
        ));
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
        Err(StoreError::StateRefused(StateRefusal::Locked(_)) | StoreError::Unavailable { .. }) => Ok(()),
        Err(other) => Err(format!("a version can't be restored: {other}")),
    }
}

/// What came of what a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Done,
    Refused,
    CutOff,
}

/// The answer that a person got. What was refused or cut off has changed nothing.
async fn asked<T>(world: &mut World<'_>, what: &str, result: &Result<T>) -> Verdict<Asked> {
    let (asked, word) = match result {
        Ok(_) => (Asked::Done, "done"),
        Err(StoreError::Unavailable { .. }) => (Asked::CutOff, "the database went away"),
        Err(StoreError::Illegal(_)) => (Asked::Refused, "not allowed now"),
        Err(StoreError::Conflict(Conflict::MutatingJobPending)) => (Asked::Refused, "another is pending"),
        Err(StoreError::Conflict(Conflict::NotAsked)) => (Asked::Refused, "not asked to end before"),
        Err(StoreError::StateRefused(_)) => (Asked::Refused, "refused"),
        Err(other) => return Err(format!("{what}: {other}")),
    };
    world.tell(format!("a person: {what}: {word}"));
    if asked == Asked::Done {
        world.read_events().await.map(drop)?
    } else {
        world.nothing_happened(what).await?
    }
    Ok(asked)
}
