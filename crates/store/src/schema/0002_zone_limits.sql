-- How many jobs of a Zone Runners may have at a time; NULL for as many as there are.
ALTER TABLE zones ADD COLUMN max_jobs BIGINT;
CREATE INDEX zones_limited ON zones (id) WHERE max_jobs IS NOT NULL;
