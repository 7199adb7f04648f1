-- What a worker has taken and not begun: idle ones may take it.
CREATE TABLE offered_jobs (
    job_id bigint PRIMARY KEY REFERENCES pgqueuer ON DELETE CASCADE,
    -- The worker's, so that an offer means nothing once another one has the job.
    queue_manager_id uuid NOT NULL
);
