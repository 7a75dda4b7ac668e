//! The jobs that are next: the heads of the lines of the Specs, in the order in which they are given away.
//!
//! `LIMIT 1 OFFSET 0` keeps PostgreSQL from joining where it should probe. In these statements a status is a literal,
//! never bound: otherwise PostgreSQL plans without the partial indexes.

use alethia_domain::{
    ids::{JobId, RunnerId, SpecId, ZoneId},
    lifecycle::JobType,
};
use chrono::{DateTime, Utc};
use sea_orm::DbBackend;

use super::assignment::{self, Assignment};
use crate::{
    Reader, Result, Tx,
    db::{Query, Row, ToValue, json, values},
};

/// A job that a Runner may have now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) id: JobId,
    pub(super) job_type: JobType,
    pub(super) spec_id: SpecId,
    /// The only Runner that may have it.
    pub(super) assigned_runner_id: Option<RunnerId>,
    /// Its Zone, if that has a limit.
    pub(super) limited: Option<ZoneId>,
}

/// What its Runner is told, or why it can be told to none.
pub(super) type Told = Result<Assignment>;

/// Heads for Runners with the labels $1 at the time $2. Who they are comes after that.
const POSTGRES: &str = "SELECT j.* FROM provision_jobs j WHERE j.status = 'QUEUED' \
    AND (j.assigned_runner_id IS NULL OR j.assigned_runner_id IN (RUNNERS)) \
    AND j.required_labels <@ $1 \
    AND (j.not_before IS NULL OR j.not_before <= $2) \
    AND (NOT EXISTS (SELECT 1 FROM zones WHERE max_jobs IS NOT NULL) OR j.zone_id NOT IN ( \
        SELECT x.zone_id FROM (SELECT o.zone_id FROM provision_jobs o \
            WHERE o.status IN ('CLAIMED', 'PROCESSING') OFFSET 0) x \
        JOIN zones z ON z.id = x.zone_id WHERE z.max_jobs IS NOT NULL \
        GROUP BY x.zone_id, z.max_jobs HAVING count(*) >= z.max_jobs)) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs a WHERE a.spec_id = j.spec_id \
        AND a.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') AND a.id < j.id LIMIT 1 OFFSET 0) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs b WHERE b.spec_id = j.spec_id \
        AND b.status IN ('CLAIMED', 'PROCESSING') LIMIT 1 OFFSET 0) \
    ORDER BY j.priority DESC, j.turn, j.id LIMIT MOST FOR UPDATE OF j SKIP LOCKED";

/// The same. Without `INDEXED BY`, SQLite reads all jobs that a Spec ever had.
const SQLITE: &str = "SELECT j.* FROM provision_jobs j INDEXED BY provision_jobs_line WHERE j.status = 'QUEUED' \
    AND (j.assigned_runner_id IS NULL OR j.assigned_runner_id IN (RUNNERS)) \
    AND NOT EXISTS (SELECT 1 FROM json_each(j.required_labels) need \
        WHERE need.value NOT IN (SELECT has.value FROM json_each($1) has)) \
    AND (j.not_before IS NULL OR j.not_before <= $2) \
    AND (NOT EXISTS (SELECT 1 FROM zones WHERE max_jobs IS NOT NULL) OR j.zone_id NOT IN ( \
        SELECT o.zone_id FROM provision_jobs o INDEXED BY provision_jobs_one_active \
        JOIN zones z ON z.id = o.zone_id WHERE o.status IN ('CLAIMED', 'PROCESSING') AND z.max_jobs IS NOT NULL \
        GROUP BY o.zone_id, z.max_jobs HAVING count(*) >= z.max_jobs)) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs a INDEXED BY provision_jobs_of_spec WHERE a.spec_id = j.spec_id \
        AND a.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') AND a.id < j.id) \
    AND NOT EXISTS (SELECT 1 FROM provision_jobs b INDEXED BY provision_jobs_one_active WHERE b.spec_id = j.spec_id \
        AND b.status IN ('CLAIMED', 'PROCESSING')) \
    ORDER BY j.priority DESC, j.turn, j.id LIMIT MOST";

/// The statement that finds so many heads for as many Runners. Public for the test that pins its plan.
#[doc(hidden)]
pub fn heads_sql(backend: DbBackend, runners: usize) -> String {
    let heads = if backend == DbBackend::Postgres { POSTGRES } else { SQLITE };
    let places: Vec<String> = (3..runners + 3).map(|number| format!("${number}")).collect();
    let heads = heads.replace("RUNNERS", &places.join(", ")).replace("MOST", &runners.to_string());
    let (columns, joins) = (assignment::COLUMNS, assignment::JOINS);
    format!(
        "SELECT j.id, j.job_type, j.spec_id, j.assigned_runner_id, z.id AS limited, {columns} FROM ({heads}) j \
         LEFT JOIN zones z ON z.id = j.zone_id AND z.max_jobs IS NOT NULL {joins} \
         ORDER BY j.priority DESC, j.turn, j.id"
    )
}

/// The first heads that any of these Runners may have, no more than there are Runners. On PostgreSQL they are locked, and
/// those that others have locked are passed over.
pub(super) async fn heads(
    tx: &Tx,
    labels: &[String],
    runners: &[RunnerId],
    now: DateTime<Utc>,
) -> Result<Vec<(Head, Told)>> {
    let sql = heads_sql(tx.connection().backend(), runners.len());
    let mut values = values![json(&labels), now];
    values.extend(runners.iter().map(ToValue::to_value));
    tx.all(&sql, values).await?.iter().map(head).collect()
}

fn head(row: &Row) -> Result<(Head, Told)> {
    let head = Head {
        id: row.id("id")?,
        job_type: row.word("job_type")?,
        spec_id: row.id("spec_id")?,
        assigned_runner_id: row.optional_id("assigned_runner_id")?,
        limited: row.optional_id("limited")?,
    };
    Ok((head, Assignment::from_row(row)))
}
