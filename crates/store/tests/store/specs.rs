//! Specs, their Revisions and components.

use alethia_domain::{
    component::ComponentRef,
    ids::SpecId,
    lifecycle::{ComponentEvent, ComponentStatus, JobType, SpecEvent, SpecStatus},
};
use alethia_store::{
    Conflict, PageRequest, StoreError,
    components::{self, Happening},
    jobs, revisions, specs, zones,
};
use serde_json::json;

use crate::fixture::{World, database, network, on_both};

on_both!(
    a_spec_begins_as_a_draft_with_its_document,
    a_name_is_taken_once_in_a_zone,
    a_lost_update_is_refused,
    concurrent_edits_lose_nothing,
    a_status_changes_only_as_the_lifecycle_says,
    components_follow_the_document,
    components_follow_their_lifecycle,
    a_spec_is_listed_with_its_active_job,
    a_live_spec_is_not_deleted,
    a_deleted_spec_takes_everything_with_it,
);

async fn a_spec_begins_as_a_draft_with_its_document(world: World) {
    let id = world.spec("shop").await;
    let spec = specs::get(&world.store, id).await.unwrap();
    assert_eq!((spec.status, spec.revision, spec.zone.as_str()), (SpecStatus::Draft, 1, "default"));
    assert_eq!((spec.identity.as_str(), spec.created_at), ("sandbox", world.now));
    let found = specs::find(&world.store, spec.zone_id, "shop").await.unwrap();
    assert_eq!(found, Some(spec.clone()));
    assert_eq!(specs::find(&world.store, spec.zone_id, "other").await.unwrap(), None);
    let revision = revisions::get(&world.store, id, 1).await.unwrap();
    assert_eq!(revision.document.to_string(), r#"{"zone":"default","apiVersion":"alethia/v1","size":1}"#);
}

async fn a_name_is_taken_once_in_a_zone(world: World) {
    world.spec("shop").await;
    let zone = zones::by_name(&world.store, zones::DEFAULT).await.unwrap();
    let revision = world.revision(1).await;
    let tx = world.store.begin().await.unwrap();
    let second = specs::insert(&tx, zone.id, "shop", &revision, world.now).await;
    assert!(matches!(second, Err(StoreError::Conflict(Conflict::NameTaken { .. }))), "{second:?}");
    drop(tx);
    let other = world.zone("other").await;
    world.spec_in(other, "shop").await;
}

async fn a_lost_update_is_refused(world: World) {
    let id = world.spec("shop").await;
    assert_eq!(append(&world, id, Some(1)).await.unwrap(), 2);
    let lost = append(&world, id, Some(1)).await;
    assert!(matches!(lost, Err(StoreError::Stale { expected: 1, current: 2 })), "{lost:?}");
    assert_eq!(append(&world, id, None).await.unwrap(), 3);
    let page = revisions::list(&world.store, id, PageRequest::first(2)).await.unwrap();
    assert_eq!(page.items.iter().map(|revision| revision.number).collect::<Vec<_>>(), [3, 2]);
    let rest = PageRequest { after: page.next, limit: 2 };
    let rest = revisions::list(&world.store, id, rest).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

async fn concurrent_edits_lose_nothing(world: World) {
    let id = world.spec("shop").await;
    let world = std::sync::Arc::new(world);
    let mut edits = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = world.clone();
        edits.spawn(async move { append(&world, id, Some(1)).await.is_ok() });
    }
    let won = edits.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

async fn a_status_changes_only_as_the_lifecycle_says(world: World) {
    let id = world.spec("shop").await;
    let illegal = transition(&world, id, &SpecEvent::StartDeploy).await;
    assert!(matches!(illegal, Err(StoreError::Illegal(_))), "{illegal:?}");
    assert_eq!(transition(&world, id, &SpecEvent::QueueDeploy).await.unwrap(), SpecStatus::Queued);
    assert_eq!(transition(&world, id, &SpecEvent::StartDeploy).await.unwrap(), SpecStatus::Provisioning);
    assert_eq!(transition(&world, id, &SpecEvent::Fail).await.unwrap(), SpecStatus::Failed);
    let spec = specs::get(&world.store, id).await.unwrap();
    assert_eq!((spec.status, spec.status_reason.as_deref()), (SpecStatus::Failed, Some("why")));
}

async fn components_follow_the_document(world: World) {
    let id = world.spec("shop").await;
    sync(&world, id, &[network(), database("orders"), database("users")]).await;
    happen(&world, id, &database("users"), ComponentEvent::Build).await.unwrap();
    sync(&world, id, &[network()]).await;
    assert_eq!(
        statuses(&world, id).await,
        [
            (network(), ComponentStatus::Pending),
            (database("orders"), ComponentStatus::Destroyed),
            (database("users"), ComponentStatus::Creating),
        ],
        "what was never made is gone at once, what was being made stays"
    );
    sync(&world, id, &[network(), database("orders")]).await;
    assert_eq!(statuses(&world, id).await[1], (database("orders"), ComponentStatus::Pending));
}

async fn components_follow_their_lifecycle(world: World) {
    let id = world.spec("shop").await;
    sync(&world, id, &[database("orders")]).await;
    let orders = database("orders");
    happen(&world, id, &orders, ComponentEvent::Build).await.unwrap();
    let status = happen(&world, id, &orders, ComponentEvent::Settle).await.unwrap();
    assert_eq!(status, ComponentStatus::Active);
    let outputs = json!({"endpoint": "orders.example", "port": 5432}).as_object().unwrap().clone();
    let tx = world.store.begin().await.unwrap();
    components::set_outputs(&tx, id, &orders, &outputs, world.now).await.unwrap();
    tx.commit().await.unwrap();
    let listed = components::list(&world.store, id).await.unwrap();
    assert_eq!(listed[0].outputs, outputs);
    let missing = happen(&world, id, &network(), ComponentEvent::Build).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    happen(&world, id, &orders, ComponentEvent::Vanish).await.unwrap();
    let illegal = happen(&world, id, &orders, ComponentEvent::Settle).await;
    assert!(matches!(illegal, Err(StoreError::Illegal(_))), "{illegal:?}");
}

async fn a_spec_is_listed_with_its_active_job(world: World) {
    let (shop, blog) = (world.spec("shop").await, world.spec("blog").await);
    let job = world.job(shop, JobType::Plan).await;
    let page = specs::list(&world.store, None, PageRequest::first(10)).await.unwrap();
    let listed: Vec<_> = page.items.iter().map(|spec| (spec.id, spec.active_job)).collect();
    assert_eq!(listed, [(blog, None), (shop, Some(job))]);
    let zone = world.zone("empty").await;
    assert!(specs::list(&world.store, Some(zone), PageRequest::first(10)).await.unwrap().items.is_empty());
}

async fn a_live_spec_is_not_deleted(world: World) {
    let id = world.spec("shop").await;
    let job = world.job(id, JobType::Plan).await;
    assert!(matches!(delete(&world, id).await, Err(StoreError::Conflict(Conflict::SpecInUse(_)))));
    let tx = world.store.begin().await.unwrap();
    jobs::cancel(&tx, job, world.now).await.unwrap();
    tx.commit().await.unwrap();
    transition(&world, id, &SpecEvent::QueueDeploy).await.unwrap();
    assert!(matches!(delete(&world, id).await, Err(StoreError::Conflict(Conflict::SpecInUse(_)))));
}

async fn a_deleted_spec_takes_everything_with_it(world: World) {
    let id = world.spec("shop").await;
    sync(&world, id, &[network()]).await;
    let fence = world.started(id, JobType::Deploy).await;
    let content = br#"{"version": 4, "serial": 1, "lineage": "l", "resources": []}"#;
    let write = alethia_store::states::Write { spec_id: id, fence, lock_id: None, content };
    alethia_store::states::write(&world.store, write, world.now).await.unwrap();
    world.finish(fence, &jobs::End::Success).await.unwrap();
    assert_eq!(world.needed_blobs().await.len(), 1);
    delete(&world, id).await.unwrap();
    assert!(matches!(specs::get(&world.store, id).await, Err(StoreError::NotFound { .. })));
    assert!(world.needed_blobs().await.is_empty());
}

async fn append(world: &World, id: SpecId, expected: Option<u32>) -> alethia_store::Result<u32> {
    let revision = world.revision(2).await;
    let tx = world.store.begin().await?;
    let number = revisions::append(&tx, id, expected, &revision, world.now).await?;
    tx.commit().await?;
    Ok(number)
}

async fn transition(world: &World, id: SpecId, event: &SpecEvent) -> alethia_store::Result<SpecStatus> {
    let tx = world.store.begin().await?;
    let status = specs::transition(&tx, id, event, Some("why"), world.now).await?;
    tx.commit().await?;
    Ok(status)
}

async fn delete(world: &World, id: SpecId) -> alethia_store::Result<()> {
    let tx = world.store.begin().await?;
    specs::delete(&tx, id).await?;
    tx.commit().await
}

async fn sync(world: &World, id: SpecId, wanted: &[ComponentRef]) {
    let tx = world.store.begin().await.unwrap();
    components::sync(&tx, id, wanted, world.now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn happen(
    world: &World,
    id: SpecId,
    component: &ComponentRef,
    event: ComponentEvent,
) -> alethia_store::Result<ComponentStatus> {
    let tx = world.store.begin().await?;
    let status = components::transition(&tx, id, component, &Happening::plain(event), world.now).await?;
    tx.commit().await?;
    Ok(status)
}

async fn statuses(world: &World, id: SpecId) -> Vec<(ComponentRef, ComponentStatus)> {
    let listed = components::list(&world.store, id).await.unwrap();
    listed.into_iter().map(|component| (component.component, component.status)).collect()
}
