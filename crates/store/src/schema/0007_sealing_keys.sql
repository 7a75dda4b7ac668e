-- Keys that something is sealed with, by their ids; the keys themselves are in no database. A key that a row names
-- can't go: who seals with one that was removed is refused.
CREATE TABLE sealing_keys (
    id TEXT PRIMARY KEY,
    is_current BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX sealing_keys_current ON sealing_keys (is_current) WHERE is_current;

-- NULL where it was sealed before this was kept.
ALTER TABLE state_versions ADD COLUMN sealed_with TEXT REFERENCES sealing_keys (id);
ALTER TABLE rescued_states ADD COLUMN sealed_with TEXT REFERENCES sealing_keys (id);
ALTER TABLE plan_files ADD COLUMN sealed_with TEXT REFERENCES sealing_keys (id);
ALTER TABLE job_log_archives ADD COLUMN sealed_with TEXT REFERENCES sealing_keys (id);
ALTER TABLE idempotency_keys ADD COLUMN sealed_with TEXT REFERENCES sealing_keys (id);
CREATE INDEX state_versions_sealed ON state_versions (sealed_with, blob);
CREATE INDEX rescued_states_sealed ON rescued_states (sealed_with, blob);
CREATE INDEX plan_files_sealed ON plan_files (sealed_with, blob);
CREATE INDEX job_log_archives_sealed ON job_log_archives (sealed_with, blob);
CREATE INDEX idempotency_keys_sealed ON idempotency_keys (sealed_with);

-- Consoles that run, and the keys that each knows.
CREATE TABLE consoles (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    known_keys JSONB NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL
);

-- Blobs that no row names any more. They stay for a day after they were first seen here: whoever read the row before,
-- such as a backup, still finds them.
CREATE TABLE discarded_blobs (
    blob TEXT PRIMARY KEY,
    seen_at TIMESTAMPTZ
);
CREATE INDEX discarded_blobs_by_age ON discarded_blobs (seen_at);
