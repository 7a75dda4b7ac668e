-- Jobs that are looked for by more than their age: those for one Runner alone, and those that ended in some way.
CREATE INDEX provision_jobs_assigned ON provision_jobs (assigned_runner_id)
    WHERE status = 'QUEUED' AND assigned_runner_id IS NOT NULL;
CREATE INDEX provision_jobs_ended ON provision_jobs (status, id) WHERE status IN ('SUCCESS', 'FAILED', 'CANCELLED');
