//! Lists of jobs, the newest first, as quick among a million jobs as among ten.
//!
//! Left alone, both databases walk all jobs from the newest on until enough fit, which is quick only where many do. So
//! jobs that wait and jobs that ended have indexes in the order of a list, and those that Runners have, which are never
//! many, are first looked up where they alone stand.

use alethia_domain::{ids::SpecId, lifecycle::JobStatus};
use sea_orm::{DbBackend, Value};

use super::{Job, row};
use crate::{
    Page, PageRequest, Reader, Result,
    db::{Query, values},
};

/// The words for the indexes `provision_jobs_waiting` and `provision_jobs_ended`, which SQLite does not take otherwise.
const WAITING: &str = "j.attempt >= 0";
const ENDED: &str = "j.status IN ('SUCCESS', 'FAILED', 'CANCELLED')";

/// Which jobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobFilter {
    /// Only those of this Spec.
    pub spec_id: Option<SpecId>,
    /// Only those with this status.
    pub status: Option<JobStatus>,
}

/// Jobs, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, filter: JobFilter, page: PageRequest) -> Result<Page<Job>> {
    let mut values = values![page.before(), page.fetch()];
    values.extend(filter.spec_id.map(|spec_id| Value::from(spec_id.0)));
    let rows = reader.all(&list_sql(reader.connection().backend(), filter), values).await?;
    let jobs = rows.iter().map(row::job).collect::<Result<Vec<_>>>()?;
    Ok(page.page(jobs, |job| job.id.0))
}

/// The statement of a list: below the id $1, at most $2, of the Spec $3 where one is asked for. Public for the test that
/// pins its plan.
#[doc(hidden)]
pub fn list_sql(backend: DbBackend, JobFilter { spec_id, status }: JobFilter) -> String {
    let condition = match (spec_id, status) {
        (None, None) => String::new(),
        (None, Some(status)) => of_status(backend, status),
        (Some(_), None) => " AND j.spec_id = $3".to_owned(),
        (Some(_), Some(status)) => format!(" AND j.spec_id = $3 AND j.status = '{status}'"),
    };
    format!("{} WHERE j.id < $1{condition} ORDER BY j.id DESC LIMIT $2", row::SELECT)
}

fn of_status(backend: DbBackend, status: JobStatus) -> String {
    match status {
        JobStatus::Queued => format!(" AND j.status = '{status}' AND {WAITING}"),
        JobStatus::Claimed | JobStatus::Processing => active(backend, status),
        JobStatus::Success | JobStatus::Failed | JobStatus::Cancelled => {
            format!(" AND j.status = '{status}' AND {ENDED}")
        }
    }
}

/// Those of a page, looked up in the index of the jobs that Runners have. `OFFSET 0` keeps PostgreSQL from walking the ids.
fn active(backend: DbBackend, status: JobStatus) -> String {
    let (hint, fence) = match backend {
        DbBackend::Postgres => ("", "OFFSET 0"),
        _ => ("INDEXED BY provision_jobs_one_active", ""),
    };
    format!(
        " AND j.id IN (SELECT q.id FROM (SELECT o.id FROM provision_jobs o {hint} WHERE o.status = '{status}' \
         AND o.status IN ('CLAIMED', 'PROCESSING') {fence}) q WHERE q.id < $1 ORDER BY q.id DESC LIMIT $2)"
    )
}
