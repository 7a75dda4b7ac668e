//! Plans and their files.

use alethia_domain::{
    lifecycle::JobType,
    plan::{PlanBasis, PlanSummary, Totals, sha256_hex},
};
use alethia_store::{
    Conflict, StoreError,
    jobs::{self, End, Fence},
    plans,
};

use crate::fixture::{World, on_both};

on_both!(a_plan_is_kept_with_its_file, a_plan_needs_its_own_file, a_new_file_needs_a_new_report);

const FILE: &[u8] = b"a plan file with a planted secret";

async fn a_plan_is_kept_with_its_file(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    plans::put_file(&world.store, fence, b"an earlier one", world.now).await.unwrap();
    plans::put_file(&world.store, fence, FILE, world.now).await.unwrap();
    report(&world, fence, &sha256_hex(FILE)).await.unwrap();
    let before = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!((before.has_changes, before.plan_digest), (None, None), "it is not over yet");
    world.finish(fence, &End::Success).await.unwrap();

    let plan = plans::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!((&plan.basis, &plan.digest), (&basis(), &basis().digest()));
    assert_eq!(plan.summary.totals.create, 3);
    assert_eq!(plans::file(&world.store, fence.job_id).await.unwrap(), FILE);
    let job = jobs::get(&world.store, fence.job_id).await.unwrap();
    assert_eq!((job.has_changes, job.plan_digest), (Some(true), Some(basis().digest())));
    let blobs = world.needed_blobs().await;
    assert_eq!(blobs.len(), 1, "the earlier file is gone");
    assert!(blobs.values().all(|blob| !blob.windows(7).any(|window| window == b"planted")));
}

async fn a_plan_needs_its_own_file(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    let early = report(&world, fence, "x").await;
    assert!(matches!(early, Err(StoreError::Conflict(Conflict::PlanFile(_)))), "{early:?}");
    plans::put_file(&world.store, fence, FILE, world.now).await.unwrap();
    let other = report(&world, fence, "x").await;
    assert!(matches!(other, Err(StoreError::Conflict(Conflict::PlanFile(_)))), "{other:?}");
    world.finish(fence, &End::Success).await.unwrap();
    let late = plans::put_file(&world.store, fence, FILE, world.now).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    assert_eq!(world.needed_blobs().await.len(), 1, "what was refused is not kept");
}

/// An attempt that was lost left its plan; the next one's file is not what that plan tells of.
async fn a_new_file_needs_a_new_report(world: World) {
    let spec = world.spec("shop").await;
    let fence = world.started(spec, JobType::Plan).await;
    plans::put_file(&world.store, fence, b"an earlier one", world.now).await.unwrap();
    report(&world, fence, &sha256_hex(b"an earlier one")).await.unwrap();
    plans::put_file(&world.store, fence, FILE, world.now).await.unwrap();
    let plan = plans::get(&world.store, fence.job_id).await;
    assert!(matches!(plan, Err(StoreError::NotFound { .. })), "{plan:?}");
}

async fn report(world: &World, fence: Fence, sha256: &str) -> alethia_store::Result<()> {
    let totals = Totals { create: 3, ..Totals::default() };
    let summary = PlanSummary { totals, ..PlanSummary::default() };
    let tx = world.store.begin().await?;
    plans::report(&tx, fence, &basis(), &summary, sha256, world.now).await?;
    tx.commit().await
}

fn basis() -> PlanBasis {
    PlanBasis {
        snapshot: "snapshot".to_owned(),
        bundle: "bundle".to_owned(),
        lock_file: "lock".to_owned(),
        tool: "terraform 1.11.4".to_owned(),
        identity: "sandbox 1".to_owned(),
        state_lineage: String::new(),
        state_serial: 0,
    }
}
