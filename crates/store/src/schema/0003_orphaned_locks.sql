-- What is known of a lock whose holder is over, and states that came too late to be written.
ALTER TABLE state_locks ADD COLUMN orphaned_at TIMESTAMPTZ;
ALTER TABLE state_locks ADD COLUMN orphaned_by TEXT;

CREATE TABLE rescued_states (
    id UUID PRIMARY KEY,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    lineage TEXT NOT NULL,
    md5 TEXT NOT NULL,
    size BIGINT NOT NULL,
    resources BIGINT NOT NULL,
    blob TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (job_id, attempt, md5)
);
CREATE INDEX rescued_states_by_spec ON rescued_states (spec_id, id);
