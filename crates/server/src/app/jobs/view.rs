//! A job as clients see it.

use alethia_api::jobs::{Job, Progress};
use alethia_store::jobs;

pub(super) fn job(job: jobs::Job) -> Job {
    Job {
        id: job.id,
        job_type: job.job_type,
        status: job.status,
        spec_id: job.spec_id,
        spec: job.spec,
        zone: job.zone,
        revision: job.revision,
        plan_job_id: job.plan_job_id,
        retry_of: job.retry_of,
        destroy: job.destroy,
        attempt: job.attempt,
        cancel_requested: job.cancel_requested,
        kill_requested: job.kill_requested,
        waiting: None,
        runner_id: job.runner_id,
        runner: job.runner,
        required_labels: job.required_labels,
        progress: Progress { step: job.step, done: job.done, total: job.total },
        failure: job.failure,
        has_changes: job.has_changes,
        plan_digest: job.plan_digest,
        author: job.author,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
    }
}
