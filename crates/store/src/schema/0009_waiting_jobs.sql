-- Jobs that wait, in the order of lists, however many there are. What stands after WHERE differs from that of every other
-- index: the planner of PostgreSQL would take either.
CREATE INDEX provision_jobs_waiting ON provision_jobs (id) WHERE status = 'QUEUED' AND attempt >= 0;
