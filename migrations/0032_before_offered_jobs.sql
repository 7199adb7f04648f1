-- What a worker has taken and not begun: idle ones may take it.
CREATE TABLE offered_jobs (
    -- No reference: pgqueuer's table may be truncated by itself.
    job_id bigint PRIMARY KEY,
    -- The worker's, so that an offer means nothing once another one has the job.
    queue_manager_id uuid NOT NULL
);
