-- Whether a person asked to kill what a job runs, after a request to end it.
ALTER TABLE provision_jobs ADD COLUMN kill_requested BOOLEAN NOT NULL DEFAULT FALSE;
