//! Zones.

use alethia_domain::lifecycle::SpecEvent;
use alethia_store::{Conflict, PageRequest, StoreError, specs, zones};

use crate::fixture::{World, on_both};

on_both!(
    the_zone_default_is_always_there,
    a_zone_with_a_live_spec_is_not_deleted,
    an_empty_zone_is_deleted,
    specs_are_counted_up_to_a_number_that_does_not_grow,
    zones_are_listed_in_pages,
    a_spec_in_a_zone_that_was_just_deleted_is_a_conflict,
);

async fn the_zone_default_is_always_there(world: World) {
    let zone = zones::by_name(&world.store, zones::DEFAULT).await.unwrap();
    assert_eq!((zone.live_specs, zone.created_at), (0, world.now));
}

async fn a_zone_with_a_live_spec_is_not_deleted(world: World) {
    let zone = world.zone("team").await;
    world.spec_in(zone, "shop").await;
    let refused = delete(&world, zone).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Conflict::ZoneHasSpecs { count: 1 }))), "{refused:?}");
}

async fn specs_are_counted_up_to_a_number_that_does_not_grow(world: World) {
    let zone = world.zone("team").await;
    let revision = world.revision(1).await;
    let tx = world.store.begin().await.unwrap();
    for number in 0..=zones::SPECS_COUNTED {
        specs::insert(&tx, zone, &format!("spec-{number}"), &revision, world.now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let told = zones::get(&world.store, zone).await.unwrap();
    assert_eq!(told.live_specs, zones::SPECS_COUNTED);
    let refused = delete(&world, zone).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(Conflict::ZoneHasSpecs { count: 1001 }))),
        "{refused:?}"
    );
}

async fn an_empty_zone_is_deleted(world: World) {
    let zone = world.zone("team").await;
    let spec = world.spec_in(zone, "shop").await;
    let tx = world.store.begin().await.unwrap();
    for event in [
        SpecEvent::QueueDeploy,
        SpecEvent::StartDeploy,
        SpecEvent::Succeed,
        SpecEvent::StartDestroy,
        SpecEvent::Succeed,
    ] {
        specs::transition(&tx, spec, &event, None, world.now).await.unwrap();
    }
    tx.commit().await.unwrap();
    delete(&world, zone).await.unwrap();
    assert!(matches!(zones::by_name(&world.store, "team").await, Err(StoreError::NotFound { .. })));
}

/// Whoever looked the Zone up before it was deleted must hear that, not that the database is away.
async fn a_spec_in_a_zone_that_was_just_deleted_is_a_conflict(world: World) {
    let zone = world.zone("team").await;
    delete(&world, zone).await.unwrap();
    let revision = world.revision(1).await;
    let tx = world.store.begin().await.unwrap();
    let late = specs::insert(&tx, zone, "shop", &revision, world.now).await;
    assert!(matches!(late, Err(StoreError::Conflict(Conflict::Overtaken))), "{late:?}");
}

async fn zones_are_listed_in_pages(world: World) {
    for name in ["one", "two", "three"] {
        world.zone(name).await;
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = zones::list(&world.store, PageRequest { after, limit: 3 }).await.unwrap();
        names.extend(page.items.into_iter().map(|zone| zone.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, ["three", "two", "one", "default"]);
}

async fn delete(world: &World, zone: alethia_domain::ids::ZoneId) -> alethia_store::Result<()> {
    let tx = world.store.begin().await?;
    zones::delete(&tx, zone).await?;
    tx.commit().await
}
