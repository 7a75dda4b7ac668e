CREATE TABLE zones (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE cloud_identities (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    access JSONB NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE specs (
    id UUID PRIMARY KEY,
    zone_id UUID NOT NULL REFERENCES zones (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    identity_id UUID NOT NULL REFERENCES cloud_identities (id) ON DELETE RESTRICT,
    status TEXT NOT NULL,
    status_reason TEXT,
    revision BIGINT NOT NULL,
    deployed_revision BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (zone_id, name)
);
CREATE INDEX specs_by_zone ON specs (zone_id, id);
CREATE INDEX specs_by_identity ON specs (identity_id);

-- Documents are text: they come back as they were written.
CREATE TABLE spec_revisions (
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    document TEXT NOT NULL,
    hash TEXT NOT NULL,
    author TEXT NOT NULL,
    message TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (spec_id, number)
);

CREATE TABLE components (
    id UUID PRIMARY KEY,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    outputs JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (spec_id, kind, name)
);
CREATE UNIQUE INDEX components_singleton ON components (spec_id, kind)
    WHERE kind IN ('network', 'cluster', 'dns', 'repositories');

-- A removed Runner keeps its row, so that its jobs still say who had them.
CREATE TABLE runners (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    labels JSONB NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    version TEXT,
    tool TEXT,
    last_seen_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX runners_by_name ON runners (name) WHERE removed_at IS NULL;

-- The table is the queue. `turn` is the place in the line of one priority: it grows by one for each job that a Zone
-- has waiting, and starts where the line is now, so that Zones take turns. `identity_id` outlives the Cloud Identity.
CREATE TABLE provision_jobs (
    id UUID PRIMARY KEY,
    zone_id UUID NOT NULL REFERENCES zones (id) ON DELETE RESTRICT,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    job_type TEXT NOT NULL,
    status TEXT NOT NULL,
    priority BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    snapshot_hash TEXT NOT NULL,
    identity_id UUID NOT NULL,
    plan_job_id UUID REFERENCES provision_jobs (id) ON DELETE CASCADE,
    retry_of UUID REFERENCES provision_jobs (id) ON DELETE CASCADE,
    destroy BOOLEAN NOT NULL,
    required_labels JSONB NOT NULL,
    assigned_runner_id UUID REFERENCES runners (id) ON DELETE RESTRICT,
    former_status TEXT,
    runner_id UUID REFERENCES runners (id) ON DELETE RESTRICT,
    attempt BIGINT NOT NULL,
    lease_expires_at TIMESTAMPTZ,
    not_before TIMESTAMPTZ,
    cancel_requested BOOLEAN NOT NULL,
    step TEXT,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    failure JSONB,
    logs_archived BOOLEAN NOT NULL DEFAULT FALSE,
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);
CREATE INDEX provision_jobs_line ON provision_jobs (priority DESC, turn, id) WHERE status = 'QUEUED';
CREATE INDEX provision_jobs_of_spec ON provision_jobs (spec_id, id) WHERE status IN ('QUEUED', 'CLAIMED', 'PROCESSING');
CREATE UNIQUE INDEX provision_jobs_one_active ON provision_jobs (spec_id) WHERE status IN ('CLAIMED', 'PROCESSING');
CREATE UNIQUE INDEX provision_jobs_one_mutating ON provision_jobs (spec_id)
    WHERE status IN ('QUEUED', 'CLAIMED', 'PROCESSING')
    AND job_type IN ('BOOTSTRAP', 'DEPLOY', 'DESTROY', 'DEPLOY_WORKER', 'DESTROY_WORKER');
-- No two of these say the same after WHERE: the planner of PostgreSQL would take either.
CREATE INDEX provision_jobs_leases ON provision_jobs (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX provision_jobs_held ON provision_jobs (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX provision_jobs_by_zone ON provision_jobs (zone_id, id);
CREATE INDEX provision_jobs_by_spec ON provision_jobs (spec_id, id);
-- Whoever deletes a job looks for those that name it.
CREATE INDEX provision_jobs_by_plan ON provision_jobs (plan_job_id) WHERE plan_job_id IS NOT NULL;
CREATE INDEX provision_jobs_by_retry ON provision_jobs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX provision_jobs_to_compact ON provision_jobs (id)
    WHERE status IN ('SUCCESS', 'FAILED', 'CANCELLED') AND NOT logs_archived;

-- One Runner's try at a job. The token's hash stays, so that a late write is told from a foreign one.
CREATE TABLE job_attempts (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    runner_id UUID NOT NULL REFERENCES runners (id) ON DELETE RESTRICT,
    token_hash TEXT NOT NULL UNIQUE,
    last_sequence BIGINT NOT NULL,
    claimed_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (job_id, attempt)
);

CREATE TABLE provision_job_logs (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt, sequence)
);

-- Chunks of a finished log that moved to the blob store.
CREATE TABLE job_log_archives (
    job_id UUID NOT NULL REFERENCES provision_jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt, first_sequence)
);

CREATE TABLE plan_files (
    job_id UUID PRIMARY KEY REFERENCES provision_jobs (id) ON DELETE CASCADE,
    blob TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE plans (
    job_id UUID PRIMARY KEY REFERENCES provision_jobs (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    basis JSONB NOT NULL,
    summary JSONB NOT NULL,
    has_changes BOOLEAN NOT NULL,
    file_sha256 TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE state_versions (
    id UUID PRIMARY KEY,
    spec_id UUID NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    serial BIGINT NOT NULL,
    lineage TEXT NOT NULL,
    md5 TEXT NOT NULL,
    size BIGINT NOT NULL,
    resources BIGINT NOT NULL,
    blob TEXT NOT NULL,
    job_id UUID REFERENCES provision_jobs (id) ON DELETE SET NULL,
    is_current BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (spec_id, serial, lineage)
);
CREATE INDEX state_versions_by_job ON state_versions (job_id) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX state_versions_current ON state_versions (spec_id) WHERE is_current;

CREATE TABLE state_locks (
    spec_id UUID PRIMARY KEY REFERENCES specs (id) ON DELETE CASCADE,
    lock_id TEXT NOT NULL,
    info JSONB NOT NULL,
    job_id UUID REFERENCES provision_jobs (id) ON DELETE SET NULL,
    attempt BIGINT,
    created_at TIMESTAMPTZ NOT NULL
);

-- Events outlive what they tell of.
CREATE TABLE events (
    id {counter},
    at TIMESTAMPTZ NOT NULL,
    spec_id UUID,
    job_id UUID,
    change JSONB NOT NULL
);
CREATE INDEX events_by_job ON events (job_id, id);
CREATE INDEX events_by_spec ON events (spec_id, id);

CREATE TABLE api_tokens (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);

-- Answers are sealed: one that shows a new token once must not show it to a reader of the database.
CREATE TABLE idempotency_keys (
    author TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT,
    body BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (author, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    allowed BOOLEAN NOT NULL,
    detail JSONB NOT NULL
);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
