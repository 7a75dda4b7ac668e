//! People: they ask for jobs, change their mind, and tend what is left behind. Whether what they ask for is refused is
//! known before.

use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{
    Conflict, PageRequest, Result, StateRefusal, StoreError,
    jobs::{self, Fence},
    states::{self, Force},
};
use rand::RngExt;

use crate::{
    console::Wish,
    invariants::{JobStory, Verdict},
    world::{World, text},
};

/// What came of what a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Done,
    Refused,
    CutOff,
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
