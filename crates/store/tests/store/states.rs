//! States follow the rules of Terraform's http backend.

use alethia_domain::{ids::SpecId, lifecycle::JobType};
use alethia_store::{
    PageRequest, StateRefusal, StoreError,
    jobs::{End, Fence},
    states::{self, Force, StateVersion, Write},
};
use serde_json::{Value, json};

use crate::fixture::{World, on_both};

on_both!(
    every_write_is_a_version,
    a_state_does_not_go_back_or_turn_into_another,
    a_write_needs_the_lock_that_is_held,
    a_lock_belongs_to_one_and_shows_its_holder,
    an_orphaned_lock_is_released_by_hand,
    an_older_version_is_restored_under_a_new_serial,
    a_restore_is_part_of_its_transaction,
    a_forgotten_state_can_be_restored,
    a_forgotten_state_still_does_not_go_back,
    an_attempt_that_is_over_changes_no_state,
    a_state_is_sealed_at_rest,
);

async fn every_write_is_a_version(world: World) {
    let (spec, fence) = deploying(&world).await;
    for serial in 1..=3 {
        write(&world, spec, fence, None, &state(serial, "l")).await.unwrap();
    }
    let again = write(&world, spec, fence, None, &state(3, "l")).await.unwrap();
    assert_eq!((again.serial, again.resources, again.job_id), (3, 2, Some(fence.job_id)));
    let page = states::versions(&world.store, spec, PageRequest::first(2)).await.unwrap();
    assert_eq!(page.items.iter().map(|version| version.serial).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(page.next, Some(2));
    let (version, content) = states::read_version(&world.store, spec, 2).await.unwrap();
    assert_eq!((version.serial, content.as_ref()), (2, state(2, "l").as_bytes()));
    assert_eq!(world.needed_blobs().await.len(), 3, "a repeated write keeps nothing");
}

async fn a_state_does_not_go_back_or_turn_into_another(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(5, "l")).await.unwrap();
    let lower = write(&world, spec, fence, None, &state(4, "l")).await;
    assert_eq!(refusal(lower), StateRefusal::Serial { current: 5, got: 4 });
    let same = write(&world, spec, fence, None, &state(5, "l").replace("web", "api")).await;
    assert_eq!(refusal(same), StateRefusal::Serial { current: 5, got: 5 });
    let other = write(&world, spec, fence, None, &state(6, "other")).await;
    assert!(matches!(refusal(other), StateRefusal::Lineage { .. }));
    let none = write(&world, spec, fence, None, "nothing").await;
    assert!(matches!(refusal(none), StateRefusal::Malformed(_)));
    assert_eq!(world.needed_blobs().await.len(), 1, "what was refused is not kept");
}

async fn a_write_needs_the_lock_that_is_held(world: World) {
    let (spec, fence) = deploying(&world).await;
    lock(&world, spec, fence, "one").await.unwrap();
    let without = write(&world, spec, fence, None, &state(1, "l")).await;
    assert!(matches!(refusal(without), StateRefusal::Locked(held) if held.id == "one"));
    let wrong = write(&world, spec, fence, Some("two"), &state(1, "l")).await;
    assert!(matches!(refusal(wrong), StateRefusal::Locked(_)));
    write(&world, spec, fence, Some("one"), &state(1, "l")).await.unwrap();
    unlock(&world, spec, fence, "one").await.unwrap();
    let stale = write(&world, spec, fence, Some("one"), &state(2, "l")).await;
    assert!(matches!(refusal(stale), StateRefusal::WrongLock(_)));
}

async fn a_lock_belongs_to_one_and_shows_its_holder(world: World) {
    let (spec, fence) = deploying(&world).await;
    lock(&world, spec, fence, "one").await.unwrap();
    lock(&world, spec, fence, "one").await.unwrap();
    let StateRefusal::Locked(held) = refusal(lock(&world, spec, fence, "two").await) else { panic!() };
    assert_eq!((held.who.as_str(), held.operation.as_str()), ("ada@host", "OperationTypeApply"));
    assert_eq!((held.job_id, held.holder_alive), (Some(fence.job_id), true));
    assert_eq!(held.info["Path"], "kept as it came");
    let wrong = unlock(&world, spec, fence, "two").await;
    assert_eq!(refusal(wrong), StateRefusal::WrongLock("two".to_owned()));
    unlock(&world, spec, fence, "one").await.unwrap();
    unlock(&world, spec, fence, "one").await.unwrap();
    assert_eq!(states::get(&world.store, spec).await.unwrap().lock, None);
}

async fn an_orphaned_lock_is_released_by_hand(world: World) {
    let (spec, fence) = deploying(&world).await;
    lock(&world, spec, fence, "one").await.unwrap();
    let alive = force_unlock(&world, spec, "one", Force::OnlyOrphaned).await;
    assert!(matches!(refusal(alive), StateRefusal::Locked(_)));
    world.finish(fence, &End::Cancelled).await.unwrap();
    assert!(!states::get(&world.store, spec).await.unwrap().lock.unwrap().holder_alive);
    let other = force_unlock(&world, spec, "two", Force::Always).await;
    assert!(matches!(refusal(other), StateRefusal::WrongLock(_)));
    assert_eq!(force_unlock(&world, spec, "one", Force::OnlyOrphaned).await.unwrap().id, "one");
    assert_eq!(states::get(&world.store, spec).await.unwrap().lock, None);
}

async fn an_older_version_is_restored_under_a_new_serial(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(1, "l").replace("web", "old")).await.unwrap();
    write(&world, spec, fence, None, &state(7, "l")).await.unwrap();
    lock(&world, spec, fence, "one").await.unwrap();
    let locked = restore(&world, spec, 1).await;
    assert!(matches!(refusal(locked), StateRefusal::Locked(_)));
    unlock(&world, spec, fence, "one").await.unwrap();

    let restored = restore(&world, spec, 1).await.unwrap();
    assert_eq!((restored.serial, restored.lineage.as_str(), restored.job_id), (8, "l", None));
    let (_, content) = states::read(&world.store, spec).await.unwrap().unwrap();
    let content: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!((&content["serial"], &content["resources"][0]["name"]), (&json!(8), &json!("old")));
    write(&world, spec, fence, None, &state(9, "l")).await.unwrap();
}

/// What else belongs to the restore (its audit entry, the answer kept for a repetition) stands or falls with it.
async fn a_restore_is_part_of_its_transaction(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(1, "l")).await.unwrap();
    let draft = states::draft_restore(&world.store, spec, 1).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    assert_eq!(states::restore(&tx, &draft, world.now).await.unwrap().serial, 2);
    drop(tx);
    assert_eq!(states::current(&world.store, spec).await.unwrap().unwrap().serial, 1);
    draft.discard(&world.store).await;
    assert_eq!(world.needed_blobs().await.len(), 1);
}

async fn a_forgotten_state_can_be_restored(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(1, "l")).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    states::forget(&tx, spec, fence, None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(states::read(&world.store, spec).await.unwrap().is_none());
    write(&world, spec, fence, None, &state(1, "another")).await.unwrap();
    states::read_version(&world.store, spec, 1).await.unwrap();
}

async fn a_forgotten_state_still_does_not_go_back(world: World) {
    let (spec, fence) = deploying(&world).await;
    for serial in [1, 2, 5] {
        write(&world, spec, fence, None, &state(serial, "l")).await.unwrap();
    }
    let tx = world.store.begin().await.unwrap();
    states::forget(&tx, spec, fence, None).await.unwrap();
    tx.commit().await.unwrap();
    let lower = write(&world, spec, fence, None, &state(4, "l")).await;
    assert_eq!(refusal(lower), StateRefusal::Serial { current: 5, got: 4 });
    let draft = states::draft_restore(&world.store, spec, 1).await.unwrap();
    let tx = world.store.begin().await.unwrap();
    let restored = states::restore(&tx, &draft, world.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(restored.serial, 6, "serial 2 was there before");
}

async fn an_attempt_that_is_over_changes_no_state(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(1, "l")).await.unwrap();
    world.finish(fence, &End::Success).await.unwrap();
    let late = write(&world, spec, fence, None, &state(2, "l")).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    let late = lock(&world, spec, fence, "one").await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    assert_eq!(states::current(&world.store, spec).await.unwrap().unwrap().serial, 1);
}

async fn a_state_is_sealed_at_rest(world: World) {
    let (spec, fence) = deploying(&world).await;
    write(&world, spec, fence, None, &state(1, "l")).await.unwrap();
    write(&world, spec, fence, None, &state(2, "l")).await.unwrap();
    let blobs = world.needed_blobs().await;
    assert!(blobs.values().all(|blob| !blob.windows(7).any(|window| window == b"planted")));
    let paths: Vec<_> = blobs.keys().collect();
    std::fs::copy(paths[0], paths[1]).unwrap();
    let moved = [1, 2].map(|serial| states::read_version(&world.store, spec, serial));
    let [first, second] = moved;
    let results = [first.await.is_ok(), second.await.is_ok()];
    assert_eq!(results.iter().filter(|ok| **ok).count(), 1, "a moved blob does not open");
}

async fn deploying(world: &World) -> (SpecId, Fence) {
    let spec = world.spec("shop").await;
    (spec, world.started(spec, JobType::Deploy).await)
}

fn state(serial: u64, lineage: &str) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "outputs": {},
        "resources": [
            {"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{}, {"attributes": {"x": "planted"}}]},
            {"mode": "data", "type": "aws_region", "name": "here", "instances": [{}]},
        ],
    })
    .to_string()
}

async fn write(
    world: &World,
    spec_id: SpecId,
    fence: Fence,
    lock_id: Option<&str>,
    content: &str,
) -> alethia_store::Result<StateVersion> {
    let write = Write { spec_id, fence, lock_id, content: content.as_bytes() };
    states::write(&world.store, write, world.now).await
}

async fn lock(world: &World, spec: SpecId, fence: Fence, id: &str) -> alethia_store::Result<()> {
    let info =
        json!({"ID": id, "Operation": "OperationTypeApply", "Who": "ada@host", "Path": "kept as it came"});
    let tx = world.store.begin().await?;
    states::lock(&tx, spec, fence, &info, world.now).await?;
    tx.commit().await
}

async fn unlock(world: &World, spec: SpecId, fence: Fence, id: &str) -> alethia_store::Result<()> {
    let tx = world.store.begin().await?;
    states::unlock(&tx, spec, fence, Some(id)).await?;
    tx.commit().await
}

async fn force_unlock(
    world: &World,
    spec: SpecId,
    id: &str,
    force: Force,
) -> alethia_store::Result<states::StateLock> {
    let tx = world.store.begin().await?;
    let lock = states::force_unlock(&tx, spec, id, force).await?;
    tx.commit().await?;
    Ok(lock)
}

fn refusal<T: std::fmt::Debug>(result: alethia_store::Result<T>) -> StateRefusal {
    match result {
        Err(StoreError::StateRefused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn restore(world: &World, spec: SpecId, serial: u64) -> alethia_store::Result<StateVersion> {
    let draft = states::draft_restore(&world.store, spec, serial).await?;
    let tx = world.store.begin().await?;
    let restored = states::restore(&tx, &draft, world.now).await?;
    tx.commit().await?;
    Ok(restored)
}
