//! Zones: groups of Specs. One is deleted only when nothing lives in it.

use alethia_api::{
    page::{Page, PageQuery},
    zones::{NewZone, Zone},
};
use alethia_store::{Reader, StoreError, zones};

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::{Error, Result},
};

/// Zones, the newest first.
///
/// # Errors
/// When the query is wrong or the store is not available.
pub async fn list(app: &App, _: &Viewer, query: &PageQuery) -> Result<Page<Zone>> {
    let request = page::request(query.limit, query.cursor.as_deref())?;
    let page = zones::list(&app.store, request).await?;
    Ok(page::answer(page, view))
}

/// A Zone by name.
///
/// # Errors
/// When there is none.
pub async fn get(app: &App, _: &Viewer, name: &str) -> Result<Zone> {
    by_name(&app.store, name).await.map(view)
}

/// Makes a Zone.
///
/// # Errors
/// When the name is none or taken.
pub async fn create(app: &App, admin: &Admin, new: NewZone, key: Option<String>) -> Result<Zone> {
    check::name("name", &new.name)?;
    check::text("description", new.description.as_deref())?;
    let (once, now) = (Once::new(admin, key, "zones".to_owned(), &new), app.now());
    let tx = app.store.begin().await?;
    if let Some(zone) = once.answer(&tx, now).await? {
        return Ok(zone);
    }
    let zone = view(zones::insert(&tx, &new.name, new.description.as_deref(), now).await?);
    once.keep(&tx, &zone).await?;
    audit::done(&tx, &admin.name, "zone.create", &zone.name, audit::nothing(), now).await?;
    tx.commit().await?;
    Ok(zone)
}

/// Deletes a Zone without live Specs.
///
/// # Errors
/// When there is none, or it has live Specs.
pub async fn delete(app: &App, admin: &Admin, name: &str) -> Result<()> {
    if name == zones::DEFAULT {
        return Err(Error::conflict(format!("the zone {name} is always there")));
    }
    let (tx, now) = (app.store.begin().await?, app.now());
    let zone = by_name(&tx, name).await?;
    zones::delete(&tx, zone.id).await?;
    audit::done(&tx, &admin.name, "zone.delete", name, audit::nothing(), now).await?;
    Ok(tx.commit().await?)
}

/// A Zone by name, or how to make it.
pub(super) async fn by_name(reader: &impl Reader, name: &str) -> Result<zones::Zone> {
    zones::by_name(reader, name).await.map_err(|error| match error {
        StoreError::NotFound { .. } => Error::NotFound {
            what: "zone",
            name: name.to_owned(),
            hint: Some(format!("alethia zone create {name}")),
        },
        other => other.into(),
    })
}

fn view(zone: zones::Zone) -> Zone {
    let zones::Zone { id, name, description, live_specs, created_at } = zone;
    Zone { id, name, description, specs: live_specs, created_at }
}
