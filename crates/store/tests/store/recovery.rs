//! What a change leaves behind that broke off: a lock that says why, a state that came late.

use alethia_domain::{
    event::Failure,
    ids::SpecId,
    lifecycle::{FailureReason, JobStatus, JobType},
    orphan::OrphanReason,
};
use alethia_store::{
    Conflict, StateRefusal, StoreError,
    jobs::{self, End, Fence},
    queue::{self, Loss},
    specs,
    states::{self, Force, Rescue, StateVersion, Write},
};
use serde_json::json;

use crate::fixture::{World, on_both};

on_both!(
    a_lock_of_a_lost_runner_says_what_became_of_its_holder,
    a_lock_of_a_killed_job_says_so,
    a_plan_that_is_lost_leaves_no_lock_behind,
    only_a_job_that_was_asked_to_end_is_killed,
    a_late_state_becomes_current_only_when_it_is_adopted,
    a_late_state_that_is_not_newer_or_of_another_lineage_does_not_fit,
    a_late_state_of_a_forgotten_one_fits_only_when_it_is_newer,
    a_first_state_that_came_late_is_adopted_and_gone_on_from,
    of_late_first_states_that_of_the_newest_job_is_chosen,
    a_late_state_does_not_fit_once_others_changed_the_state,
    a_late_state_is_kept_once_and_few_of_one_attempt,
    a_deleted_spec_takes_its_late_states_with_it,
    the_last_change_that_began_is_known,
);

async fn a_lock_of_a_lost_runner_says_what_became_of_its_holder(world: World) {
    let (spec, fence) = deploying(&world).await;
    lock(&world, spec, fence).await;
    let held = states::get(&world.store, spec).await.unwrap().lock.unwrap();
    assert_eq!((held.holder_alive, held.orphaned, held.attempt), (true, None, Some(1)));
    assert!(held.runner.is_some());
    lose(&world, abandon()).await;
    let left = states::get(&world.store, spec).await.unwrap().lock.unwrap();
    let orphaned = left.orphaned.unwrap();
    assert!(!left.holder_alive);
    assert_eq!((orphaned.since, orphaned.reason), (world.after(31), OrphanReason::RunnerLost));
    assert_eq!((left.job_id, left.runner), (Some(fence.job_id), held.runner));
}

async fn a_lock_of_a_killed_job_says_so(world: World) {
    let (spec, fence) = deploying(&world).await;
    lock(&world, spec, fence).await;
    for kill in [false, true] {
        ask(&world, fence, kill).await.unwrap();
    }
    world.finish(fence, &End::Cancelled).await.unwrap();
    let orphaned = states::get(&world.store, spec).await.unwrap().lock.unwrap().orphaned.unwrap();
    assert_eq!(orphaned.reason, OrphanReason::Killed);
}

/// It changes no state, so nothing of it is worth a lock; the next attempt needs it.
async fn a_plan_that_is_lost_leaves_no_lock_behind(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    lock(&world, spec, fence).await;
    let status = lose(&world, Loss::Retry { not_before: world.now, failure: lost() }).await;
    assert_eq!(status, Some(JobStatus::Queued));
    assert_eq!(states::get(&world.store, spec).await.unwrap().lock, None);
    let runner = world.runner("next", &[]).await;
    let next = world.claim_at(runner, &[], world.after(60)).await.unwrap().fence;
    lock(&world, spec, next).await;
    world.start(next).await;
    world.finish(next, &abandoned()).await.unwrap();
    assert_eq!(states::get(&world.store, spec).await.unwrap().lock, None);
}

async fn only_a_job_that_was_asked_to_end_is_killed(world: World) {
    let (_, fence) = deploying(&world).await;
    let early = ask(&world, fence, true).await;
    assert!(matches!(early, Err(StoreError::Conflict(Conflict::NotAsked))), "{early:?}");
    ask(&world, fence, false).await.unwrap();
    assert!(!jobs::alive(&world.store, fence).await.unwrap().kill_requested);
    assert_eq!(ask(&world, fence, true).await.unwrap(), JobStatus::Processing);
    assert!(jobs::alive(&world.store, fence).await.unwrap().kill_requested);
    assert!(jobs::get(&world.store, fence.job_id).await.unwrap().kill_requested);
    let waiting = world.spec("blog").await;
    let waiting = world.job(waiting, JobType::Deploy).await;
    let fence = Fence { job_id: waiting, attempt: 0 };
    assert_eq!(ask(&world, fence, true).await.unwrap(), JobStatus::Cancelled, "nothing runs yet");
}

async fn a_late_state_becomes_current_only_when_it_is_adopted(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, &state(3, "l")).await;
    lose(&world, abandon()).await;
    rescue(&world, spec, fence, &state(5, "l")).await.unwrap();
    let known = states::get(&world.store, spec).await.unwrap();
    assert_eq!(known.current.unwrap().serial, 3);
    assert_eq!((known.rescued.len(), known.rescued[0].serial, &known.rescued[0].unfit), (1, 5, &None));
    assert_eq!((known.rescued[0].job_id, known.rescued[0].attempt), (fence.job_id, 1));

    let late = states::newest_fitting(&world.store, spec).await.unwrap().unwrap();
    let adopted = adopt_newest(&world, spec).await;
    assert_eq!((adopted.serial, adopted.job_id), (5, Some(fence.job_id)));
    let (_, content) = states::read(&world.store, spec).await.unwrap().unwrap();
    assert_eq!(content.as_ref(), state(5, "l").as_bytes());
    assert_eq!(states::rescued(&world.store, spec).await.unwrap(), []);
    let tx = world.store.begin().await.unwrap();
    let again = states::adopt(&tx, spec, &late, world.now).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
}

async fn a_late_state_that_is_not_newer_or_of_another_lineage_does_not_fit(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, &state(3, "l")).await;
    lock(&world, spec, fence).await;
    lose(&world, abandon()).await;
    for late in [state(3, "l"), state(2, "l"), state(9, "other")] {
        rescue(&world, spec, fence, &late).await.unwrap();
    }
    let all = states::rescued(&world.store, spec).await.unwrap();
    assert_eq!(all.iter().filter(|late| late.unfit.is_some()).count(), 3, "{all:?}");
    assert_eq!(states::newest_fitting(&world.store, spec).await.unwrap(), None);
    let tx = world.store.begin().await.unwrap();
    let locked = states::adopt(&tx, spec, &all[0], world.now).await;
    assert!(matches!(locked, Err(StoreError::StateRefused(StateRefusal::Locked(_)))), "{locked:?}");
    drop(tx);
    let tx = world.store.begin().await.unwrap();
    let held = states::get(&tx, spec).await.unwrap().lock.unwrap();
    states::force_unlock(&tx, spec, &held.id, Force::OnlyOrphaned).await.unwrap();
    let refused = states::adopt(&tx, spec, &all[0], world.now).await;
    assert!(matches!(refused, Err(StoreError::StateRefused(StateRefusal::Lineage { .. }))), "{refused:?}");
}

/// Else a recovery would choose it, and fail for ever.
async fn a_late_state_of_a_forgotten_one_fits_only_when_it_is_newer(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, &state(5, "l")).await;
    let tx = world.store.begin().await.unwrap();
    states::forget(&tx, spec, fence, None).await.unwrap();
    tx.commit().await.unwrap();
    lose(&world, abandon()).await;
    rescue(&world, spec, fence, &state(4, "l")).await.unwrap();
    assert_eq!(states::newest_fitting(&world.store, spec).await.unwrap(), None);
    rescue(&world, spec, fence, &state(6, "l")).await.unwrap();
    let fitting = states::newest_fitting(&world.store, spec).await.unwrap();
    assert_eq!(fitting.map(|late| late.serial), Some(6));
}

/// Terraform never had the chance to give it a lineage.
async fn a_first_state_that_came_late_is_adopted_and_gone_on_from(world: World) {
    let (spec, fence) = deploying(&world).await;
    lose(&world, abandon()).await;
    for _ in 0..2 {
        rescue(&world, spec, fence, &state(0, "")).await.unwrap();
    }
    assert_eq!(states::rescued(&world.store, spec).await.unwrap().len(), 1);
    let adopted = adopt_newest(&world, spec).await;
    let (version, content) = states::read(&world.store, spec).await.unwrap().unwrap();
    let header = states::content::header(&content).unwrap();
    assert_eq!((adopted.serial, adopted.lineage.len()), (1, 36), "{adopted:?}");
    assert_eq!((version, header.lineage.as_str()), (adopted.clone(), adopted.lineage.as_str()));
    let next = world.started(spec, JobType::Deploy).await;
    write(&world, spec, next, &state(2, &adopted.lineage)).await;
}

async fn of_late_first_states_that_of_the_newest_job_is_chosen(world: World) {
    let (spec, first) = deploying(&world).await;
    lose(&world, abandon()).await;
    let second = world.started(spec, JobType::Deploy).await;
    lose(&world, abandon()).await;
    rescue(&world, spec, second, &state(1, "second")).await.unwrap();
    rescue(&world, spec, first, &state(4, "first")).await.unwrap();
    assert_eq!(adopt_newest(&world, spec).await.lineage, "second");
}

/// Terraform counts its serial on while nobody takes its state, so a high serial does not make it the newest.
async fn a_late_state_does_not_fit_once_others_changed_the_state(world: World) {
    let (spec, first) = deploying(&world).await;
    write(&world, spec, first, &state(3, "l")).await;
    lose(&world, abandon()).await;
    let second = world.started(spec, JobType::Deploy).await;
    write(&world, spec, second, &state(4, "l")).await;
    world.finish(second, &End::Success).await.unwrap();
    rescue(&world, spec, first, &state(7, "l")).await.unwrap();
    let late = states::rescued(&world.store, spec).await.unwrap();
    assert!(late[0].unfit.as_ref().unwrap().starts_with("the state went on without it at "), "{late:?}");
    let third = world.started(spec, JobType::Deploy).await;
    let restored = states::draft_restore(&world.store, spec, 3).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    states::restore(&tx, &restored, world.after(60)).await.unwrap();
    tx.commit().await.unwrap();
    rescue(&world, spec, third, &state(9, "l")).await.unwrap();
    assert_eq!(states::newest_fitting(&world.store, spec).await.unwrap(), None);
    let tx = world.store.begin().await.unwrap();
    let refused = states::adopt(&tx, spec, &late[0], world.now).await;
    assert!(matches!(refused, Err(StoreError::StateRefused(StateRefusal::GoneOn(_)))), "{refused:?}");
}

async fn a_late_state_is_kept_once_and_few_of_one_attempt(world: World) {
    let (spec, fence) = deploying(&world).await;
    for _ in 0..2 {
        rescue(&world, spec, fence, &state(1, "l")).await.unwrap();
    }
    assert_eq!(
        (states::rescued(&world.store, spec).await.unwrap().len(), world.needed_blobs().await.len()),
        (1, 1)
    );
    for serial in 2..=4 {
        rescue(&world, spec, fence, &state(serial, "l")).await.unwrap();
    }
    let more = rescue(&world, spec, fence, &state(5, "l")).await;
    assert!(matches!(more, Err(StoreError::Conflict(Conflict::RescuedEnough { most: 4 }))), "{more:?}");
    let none = rescue(&world, spec, fence, "nothing").await;
    assert!(matches!(none, Err(StoreError::StateRefused(StateRefusal::Malformed(_)))), "{none:?}");
    assert_eq!(world.needed_blobs().await.len(), 4, "what was refused is not kept");
    assert!(
        world.needed_blobs().await.values().all(|blob| !blob.windows(7).any(|window| window == b"planted"))
    );
}

async fn a_deleted_spec_takes_its_late_states_with_it(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Deploy).await;
    rescue(&world, spec, fence, &state(1, "l")).await.unwrap();
    world.finish(fence, &abandoned()).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    specs::delete(&tx, spec).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.needed_blobs().await.len(), 0);
}

async fn the_last_change_that_began_is_known(world: World) {
    let spec = world.spec("shop").await;
    assert_eq!(jobs::last_change_begun(&world.store, spec).await.unwrap(), None);
    let first = world.started(spec, JobType::Deploy).await;
    world.finish(first, &abandoned()).await.unwrap();
    let plan = world.started(spec, JobType::Plan).await;
    world.finish(plan, &End::Success).await.unwrap();
    world.job(spec, JobType::Destroy).await;
    assert_eq!(jobs::last_change_begun(&world.store, spec).await.unwrap(), Some(first.job_id));
}

async fn deploying(world: &World) -> (SpecId, Fence) {
    let spec = world.spec("shop").await;
    (spec, world.started(spec, JobType::Deploy).await)
}

async fn ask(world: &World, fence: Fence, kill: bool) -> alethia_store::Result<JobStatus> {
    let tx = world.store.begin().await?;
    let status = match kill {
        true => jobs::kill(&tx, fence.job_id, world.now).await?,
        false => jobs::cancel(&tx, fence.job_id, world.now).await?,
    };
    tx.commit().await?;
    Ok(status)
}

async fn lose(world: &World, loss: Loss) -> Option<JobStatus> {
    let expired = queue::expired(&world.store, world.after(31), 10).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    let status = queue::lose_lease(&tx, &expired[0], &loss, world.after(31)).await.unwrap();
    tx.commit().await.unwrap();
    status
}

fn abandon() -> Loss {
    Loss::Abandon { failure: lost() }
}

fn abandoned() -> End {
    End::Failed(lost())
}

fn lost() -> Failure {
    let message = "the runner was lost".to_owned();
    Failure { reason: FailureReason::RunnerLost, message, address: None, hint: None }
}

async fn lock(world: &World, spec: SpecId, fence: Fence) {
    let info = json!({"ID": format!("lock-{}", fence.attempt), "Operation": "OperationTypeApply", "Who": "ada@host"});
    let tx = world.store.begin().await.unwrap();
    states::lock(&tx, spec, fence, &info, world.now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn adopt_newest(world: &World, spec: SpecId) -> StateVersion {
    let late = states::newest_fitting(&world.store, spec).await.unwrap().unwrap();
    let tx = world.store.begin().await.unwrap();
    let adopted = states::adopt(&tx, spec, &late, world.now).await.unwrap();
    tx.commit().await.unwrap();
    adopted
}

async fn write(world: &World, spec_id: SpecId, fence: Fence, content: &str) {
    let write = Write { spec_id, fence, lock_id: None, content: content.as_bytes() };
    states::write(&world.store, write, world.now).await.unwrap();
}

async fn rescue(world: &World, spec_id: SpecId, fence: Fence, content: &str) -> alethia_store::Result<()> {
    let late = Rescue { spec_id, fence, content: content.as_bytes() };
    states::rescue(&world.store, late, world.now).await
}

fn state(serial: u64, lineage: &str) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "outputs": {},
        "resources": [{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{"attributes": {"x": "planted"}}]}],
    })
    .to_string()
}
