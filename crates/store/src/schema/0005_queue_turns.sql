-- The end of a Zone's own line, found without walking past the jobs of all others. What stands after WHERE differs from
-- that of every other index: the planner of PostgreSQL would take either.
CREATE INDEX provision_jobs_turns ON provision_jobs (zone_id, priority, turn) WHERE status = 'QUEUED' AND turn >= 0;
