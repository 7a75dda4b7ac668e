//! What keeps jobs that wait from being taken, looked up for a whole page of them at once: a handful of statements, however
//! many jobs are asked for. What follows from it is the server's to say.

use std::collections::BTreeMap;

use alethia_domain::ids::{JobId, ZoneId};
use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, Value};

use crate::{
    Reader, Result,
    db::{Query, Row, values},
};

/// How much of the line is walked to find a place in it.
pub const LINE_WALKED: u32 = 1000;

/// What is known of a job that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the line, 1 for the first; absent beyond [`LINE_WALKED`].
    pub place: Option<u32>,
    /// Another job of its Spec that goes first.
    pub behind: Option<JobId>,
    /// Its Zone, if that has a limit.
    pub limited: Option<LimitedZone>,
    /// Before when it is not taken.
    pub not_before: Option<DateTime<Utc>>,
}

/// A Zone with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitedZone {
    /// How many of its jobs Runners may have.
    pub max_jobs: u32,
    /// How many they have.
    pub active: u32,
}

/// Index hints of SQLite, which reads all jobs without them; PostgreSQL finds the indexes by itself.
struct Hints {
    of_spec: &'static str,
    active: &'static str,
}

/// What is known of those of these jobs that are QUEUED.
///
/// # Errors
/// When the database is not available.
pub async fn waiting(reader: &impl Reader, jobs: &[JobId]) -> Result<BTreeMap<JobId, Waiting>> {
    if jobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Value> = jobs.iter().map(|job| job.0.into()).collect();
    let hints = hints(reader.connection().backend());
    let rows = reader.all(&facts_sql(hints, ids.len()), ids.clone()).await?;
    let places = places(reader, ids).await?;
    let limited = rows.iter().any(|row| !matches!(row.optional_number::<u32>("max_jobs"), Ok(None)));
    let active = if limited { active(reader).await? } else { BTreeMap::new() };
    rows.iter().map(|row| fact(row, &places, &active)).collect()
}

/// The statement that counts how many jobs of each Zone Runners have. Public for the test that pins its plan.
#[doc(hidden)]
pub fn active_sql(backend: DbBackend) -> String {
    let Hints { active, .. } = hints(backend);
    format!(
        "SELECT zone_id, count(*) AS jobs FROM provision_jobs {active} WHERE status IN ('CLAIMED', 'PROCESSING') \
         GROUP BY zone_id"
    )
}

fn hints(backend: DbBackend) -> Hints {
    match backend {
        DbBackend::Postgres => Hints { of_spec: "", active: "" },
        _ => Hints {
            of_spec: "INDEXED BY provision_jobs_of_spec",
            active: "INDEXED BY provision_jobs_one_active",
        },
    }
}

fn facts_sql(Hints { of_spec, active }: Hints, count: usize) -> String {
    format!(
        "SELECT j.id, j.zone_id, j.not_before, z.max_jobs, COALESCE( \
            (SELECT b.id FROM provision_jobs b {active} WHERE b.spec_id = j.spec_id \
                AND b.status IN ('CLAIMED', 'PROCESSING') LIMIT 1), \
            (SELECT a.id FROM provision_jobs a {of_spec} WHERE a.spec_id = j.spec_id \
                AND a.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') AND a.id < j.id ORDER BY a.id DESC LIMIT 1) \
            ) AS behind \
         FROM provision_jobs j JOIN zones z ON z.id = j.zone_id WHERE j.status = 'QUEUED' AND j.id IN ({})",
        numbered(count, 1)
    )
}

/// Places in the line, of those that are among the first.
async fn places(reader: &impl Reader, ids: Vec<Value>) -> Result<BTreeMap<JobId, u32>> {
    let sql = format!(
        "SELECT l.id, l.place FROM (SELECT f.id, row_number() OVER (ORDER BY f.priority DESC, f.turn, f.id) AS place \
            FROM (SELECT id, priority, turn FROM provision_jobs WHERE status = 'QUEUED' \
                ORDER BY priority DESC, turn, id LIMIT $1) f) l WHERE l.id IN ({})",
        numbered(ids.len(), 2)
    );
    let values = values![LINE_WALKED].into_iter().chain(ids).collect();
    let rows = reader.all(&sql, values).await?;
    rows.iter().map(|row| Ok((row.id("id")?, row.number("place")?))).collect()
}

/// How many jobs of each Zone Runners have.
async fn active(reader: &impl Reader) -> Result<BTreeMap<ZoneId, u32>> {
    let rows = reader.all(&active_sql(reader.connection().backend()), values![]).await?;
    rows.iter().map(|row| Ok((row.id("zone_id")?, row.number("jobs")?))).collect()
}

fn fact(
    row: &Row,
    places: &BTreeMap<JobId, u32>,
    active: &BTreeMap<ZoneId, u32>,
) -> Result<(JobId, Waiting)> {
    let (id, zone_id): (JobId, ZoneId) = (row.id("id")?, row.id("zone_id")?);
    let limit: Option<u32> = row.optional_number("max_jobs")?;
    let active = active.get(&zone_id).copied().unwrap_or(0);
    let waiting = Waiting {
        place: places.get(&id).copied(),
        behind: row.optional_id("behind")?,
        limited: limit.map(|max_jobs| LimitedZone { max_jobs, active }),
        not_before: row.get("not_before")?,
    };
    Ok((id, waiting))
}

/// `$2, $3, $4` for three values from the second on.
fn numbered(count: usize, first: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
