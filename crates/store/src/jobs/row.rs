//! Rows of jobs become jobs.

use alethia_domain::plan::PlanDigest;

use super::{Fence, Job, JobCredential};
use crate::{Result, db::Row};

pub(super) const SELECT: &str = "SELECT j.id, j.job_type, j.status, j.spec_id, s.name AS spec, j.zone_id, \
    z.name AS zone, j.revision, j.snapshot_hash, j.identity_id, j.plan_job_id, j.retry_of, j.destroy, \
    j.required_labels, j.assigned_runner_id, j.former_status, j.attempt, j.lease_expires_at, j.cancel_requested, j.kill_requested, \
    j.runner_id, r.name AS runner, j.step, j.done, j.total, j.failure, p.has_changes, p.digest AS plan_digest, \
    j.author, j.created_at, j.started_at, j.finished_at \
    FROM provision_jobs j JOIN specs s ON s.id = j.spec_id JOIN zones z ON z.id = j.zone_id \
    LEFT JOIN runners r ON r.id = j.runner_id LEFT JOIN plans p ON p.job_id = j.id AND j.status = 'SUCCESS'";

pub(super) fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.id("id")?,
        job_type: row.word("job_type")?,
        status: row.word("status")?,
        spec_id: row.id("spec_id")?,
        spec: row.get("spec")?,
        zone_id: row.id("zone_id")?,
        zone: row.get("zone")?,
        revision: row.number("revision")?,
        snapshot_hash: row.get("snapshot_hash")?,
        identity_id: row.id("identity_id")?,
        plan_job_id: row.optional_id("plan_job_id")?,
        retry_of: row.optional_id("retry_of")?,
        destroy: row.get("destroy")?,
        required_labels: row.json("required_labels")?,
        assigned_runner_id: row.optional_id("assigned_runner_id")?,
        former_status: row.optional_word("former_status")?,
        attempt: row.number("attempt")?,
        lease_expires_at: row.get("lease_expires_at")?,
        cancel_requested: row.get("cancel_requested")?,
        kill_requested: row.get("kill_requested")?,
        runner_id: row.optional_id("runner_id")?,
        runner: row.get("runner")?,
        step: row.get("step")?,
        done: row.number("done")?,
        total: row.number("total")?,
        failure: row.optional_json("failure")?,
        has_changes: row.get("has_changes")?,
        plan_digest: row.optional_word::<PlanDigest>("plan_digest")?,
        author: row.get("author")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}

pub(super) fn credential(row: &Row) -> Result<JobCredential> {
    Ok(JobCredential {
        fence: Fence { job_id: row.id("job_id")?, attempt: row.number("attempt")? },
        job_type: row.word("job_type")?,
        spec_id: row.id("spec_id")?,
        alive: row.get("alive")?,
    })
}
