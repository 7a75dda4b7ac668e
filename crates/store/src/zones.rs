//! Zones: groups of Specs. The Zone `default` is always there.

use alethia_domain::ids::ZoneId;
use chrono::{DateTime, Utc};

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, found, values},
    doorbell::Bell,
    specs,
};

/// Name of the Zone that is always there.
pub const DEFAULT: &str = "default";

/// A Zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Id.
    pub id: ZoneId,
    /// Name, unique on the platform.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How many Specs it has that are not DESTROYED, counted up to [`SPECS_COUNTED`].
    pub live_specs: u32,
    /// How many of its jobs Runners may have at a time; `None` for as many as there are.
    pub max_jobs: Option<u32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// How many Specs of a Zone are counted at most: a Zone is asked for often, whatever lives in it.
pub const SPECS_COUNTED: u32 = 1000;

/// Of a Zone `z`.
const LIVE: &str = "FROM specs s WHERE s.zone_id = z.id AND s.status <> 'DESTROYED'";

/// Makes a Zone.
///
/// # Errors
/// [`Conflict::NameTaken`].
pub async fn insert(tx: &Tx, name: &str, description: Option<&str>, now: DateTime<Utc>) -> Result<Zone> {
    let id = ZoneId::generate();
    let inserted = tx
        .execute(
            "INSERT INTO zones (id, name, description, created_at) VALUES ($1, $2, $3, $4)",
            values![id, name, description, now],
        )
        .await;
    inserted.map_err(|error| error.or_taken(Conflict::NameTaken { noun: "zone", name: name.to_owned() }))?;
    get(tx, id).await
}

/// A Zone by its id.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, id: ZoneId) -> Result<Zone> {
    let row = reader.optional(&format!("{} WHERE z.id = $1", select()), values![id]).await?;
    zone(&found(row, "zone", id)?)
}

/// A Zone by its name.
///
/// # Errors
/// When there is none.
pub async fn by_name(reader: &impl Reader, name: &str) -> Result<Zone> {
    let row = reader.optional(&format!("{} WHERE z.name = $1", select()), values![name]).await?;
    zone(&found(row, "zone", name)?)
}

/// Zones, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, page: PageRequest) -> Result<Page<Zone>> {
    let sql = format!("{} WHERE z.id < $1 ORDER BY z.id DESC LIMIT $2", select());
    let rows = reader.all(&sql, values![page.before(), page.fetch()]).await?;
    let zones = rows.iter().map(zone).collect::<Result<Vec<_>>>()?;
    Ok(page.page(zones, |zone| zone.id.0))
}

/// Limits how many jobs of a Zone Runners may have at a time, or no longer does. Those that they have already go on.
///
/// # Errors
/// When there is no such Zone.
pub async fn limit(tx: &Tx, id: ZoneId, max_jobs: Option<u32>) -> Result<Zone> {
    tx.execute("UPDATE zones SET max_jobs = $2 WHERE id = $1", values![id, max_jobs]).await?;
    tx.ring(Bell::Queue);
    get(tx, id).await
}

/// Says what a Zone is for.
///
/// # Errors
/// When there is no such Zone.
pub async fn describe(tx: &Tx, id: ZoneId, description: Option<&str>) -> Result<Zone> {
    tx.execute("UPDATE zones SET description = $2 WHERE id = $1", values![id, description]).await?;
    get(tx, id).await
}

/// Deletes a Zone, with what its DESTROYED Specs left.
///
/// # Errors
/// [`Conflict::ZoneHasSpecs`] while it has a live Spec.
pub async fn delete(tx: &Tx, id: ZoneId) -> Result<()> {
    let zone = get(tx, id).await?;
    if zone.live_specs > 0 {
        let sql = format!("SELECT (SELECT count(*) {LIVE}) AS specs FROM zones z WHERE z.id = $1");
        let count = tx.one(&sql, values![id]).await?.number("specs")?;
        return Err(Conflict::ZoneHasSpecs { count }.into());
    }
    let rows = tx.all("SELECT id FROM specs WHERE zone_id = $1", values![id]).await?;
    for row in &rows {
        specs::delete(tx, row.id("id")?).await?;
    }
    tx.execute("DELETE FROM zones WHERE id = $1", values![id]).await?;
    Ok(())
}

pub(crate) async fn ensure_default(tx: &Tx, now: DateTime<Utc>) -> Result<()> {
    tx.execute(
        "INSERT INTO zones (id, name, description, created_at) VALUES ($1, $2, NULL, $3) ON CONFLICT (name) DO NOTHING",
        values![ZoneId::generate(), DEFAULT, now],
    )
    .await?;
    Ok(())
}

fn select() -> String {
    format!(
        "SELECT z.id, z.name, z.description, z.max_jobs, z.created_at, \
         (SELECT count(*) FROM (SELECT 1 {LIVE} LIMIT {SPECS_COUNTED}) live) AS live_specs FROM zones z"
    )
}

fn zone(row: &Row) -> Result<Zone> {
    Ok(Zone {
        id: row.id("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        live_specs: row.number("live_specs")?,
        max_jobs: row.optional_number("max_jobs")?,
        created_at: row.get("created_at")?,
    })
}
