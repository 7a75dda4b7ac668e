//! Zones: groups of Specs. One is deleted only when nothing lives in it.

use alethia_api::{
    page::{Page, PageQuery},
    zones::{ChangeZone, NewZone, SPECS_COUNTED, Zone},
};
use alethia_store::{Reader, StoreError, zones};
use serde_json::json;

use super::{App, audit, check, once::Once, page};
use crate::{
    auth::{Admin, Viewer},
    error::{Error, Result},
};

/// Most jobs of one Zone at a time that a limit may allow.
const HIGHEST_LIMIT: u32 = 10_000;

/// What a Zone tells is what the store counts.
const _: () = assert!(SPECS_COUNTED == zones::SPECS_COUNTED);

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
    check_limit(new.max_jobs)?;
    let (once, now) = (Once::new(admin, key, "zones".to_owned(), &new), app.now());
    let tx = app.store.begin().await?;
    if let Some(zone) = once.answer(&tx, now).await? {
        tx.commit().await?;
        return Ok(zone);
    }
    let made = zones::insert(&tx, &new.name, new.description.as_deref(), now).await?;
    let zone = view(match new.max_jobs {
        Some(_) => zones::limit(&tx, made.id, new.max_jobs).await?,
        None => made,
    });
    once.keep(&tx, &zone).await?;
    audit::done(&tx, &admin.name, "zone.create", &zone.name, audit::nothing(), now);
    tx.commit().await?;
    Ok(zone)
}

/// Changes what a Zone is for, or how many of its jobs may run at a time.
///
/// # Errors
/// When there is none, or what is asked for is out of range.
pub async fn change(app: &App, admin: &Admin, name: &str, change: ChangeZone) -> Result<Zone> {
    check::text("description", change.description.as_ref().and_then(Option::as_deref))?;
    check_limit(change.max_jobs.flatten())?;
    let (tx, now) = (app.store.begin().await?, app.now());
    let mut zone = by_name(&tx, name).await?;
    if let Some(description) = &change.description {
        zone = zones::describe(&tx, zone.id, description.as_deref()).await?;
    }
    if let Some(max_jobs) = change.max_jobs {
        zone = zones::limit(&tx, zone.id, max_jobs).await?;
    }
    audit::done(&tx, &admin.name, "zone.change", name, json!(change), now);
    tx.commit().await?;
    Ok(view(zone))
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
    audit::done(&tx, &admin.name, "zone.delete", name, audit::nothing(), now);
    Ok(tx.commit().await?)
}

/// A Zone by name, or where to see which there are.
pub(super) async fn by_name(reader: &impl Reader, name: &str) -> Result<zones::Zone> {
    find(reader, name, "alethia zone list".to_owned()).await
}

/// A Zone by name to write into, or how to make it.
pub(super) async fn to_write(reader: &impl Reader, name: &str) -> Result<zones::Zone> {
    find(reader, name, format!("alethia zone create {name}")).await
}

async fn find(reader: &impl Reader, name: &str, hint: String) -> Result<zones::Zone> {
    zones::by_name(reader, name).await.map_err(|error| match error {
        StoreError::NotFound { .. } => {
            Error::NotFound { what: "zone", name: name.to_owned(), hint: Some(hint) }
        }
        other => other.into(),
    })
}

fn check_limit(max_jobs: Option<u32>) -> Result<()> {
    match max_jobs {
        Some(limit) if !(1..=HIGHEST_LIMIT).contains(&limit) => {
            Err(Error::field("max_jobs", format!("{limit} is out of range; allowed: 1 to {HIGHEST_LIMIT}")))
        }
        Some(_) | None => Ok(()),
    }
}

fn view(zone: zones::Zone) -> Zone {
    let zones::Zone { id, name, description, live_specs, max_jobs, created_at } = zone;
    Zone { id, name, description, specs: live_specs, max_jobs, created_at }
}
