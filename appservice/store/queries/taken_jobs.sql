-- The jobs that a worker has taken: as pgqueuer ends them, but only those that are still its own. One that was silent for
-- too long (stopped, or cut off) must not end what another has taken meanwhile.

-- name: end_jobs
WITH outcomes AS (
    SELECT * FROM unnest(:job_ids::bigint[], :queue_manager_ids::uuid[], :statuses::text[], :tracebacks::jsonb[])
        AS each (id, queue_manager_id, status, traceback)
),
ended AS (
    DELETE FROM pgqueuer j USING outcomes o WHERE j.id = o.id AND j.queue_manager_id = o.queue_manager_id
    RETURNING j.id, j.entrypoint, j.priority, o.status::pgqueuer_status, o.traceback
),
offers AS (DELETE FROM offered_jobs o USING ended e WHERE o.job_id = e.id)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT id, status, entrypoint, priority, traceback FROM ended;

-- name: retry_job
WITH queued AS (
    UPDATE pgqueuer SET status = 'queued', execute_after = now() + :delay::interval, attempts = attempts + 1,
        updated = now(), queue_manager_id = NULL
    WHERE id = :id AND queue_manager_id = :queue_manager_id
    RETURNING id, entrypoint, priority
),
offers AS (DELETE FROM offered_jobs o USING queued q WHERE o.job_id = q.id)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT id, 'queued', entrypoint, priority, :traceback::jsonb FROM queued;

-- name: keep_jobs
UPDATE pgqueuer SET heartbeat = now() WHERE id = ANY (:job_ids::bigint[]) AND queue_manager_id = :queue_manager_id;

-- name: offer_job
-- Notify pgqueuer in every process, as its trigger does.
WITH offered AS (
    INSERT INTO offered_jobs (job_id, queue_manager_id)
    SELECT id, queue_manager_id FROM pgqueuer WHERE id = :id AND queue_manager_id = :queue_manager_id
    ON CONFLICT (job_id) DO UPDATE SET queue_manager_id = excluded.queue_manager_id
    RETURNING job_id
)
SELECT pg_notify('ch_pgqueuer', json_build_object(
    'channel', 'ch_pgqueuer', 'operation', 'update', 'sent_at', now(), 'table', 'pgqueuer', 'type', 'table_changed_event'
)::text) FROM offered;

-- name: withdraw_offer
-- Nothing comes back when another worker has taken it.
DELETE FROM offered_jobs WHERE job_id = :id AND queue_manager_id = :queue_manager_id RETURNING job_id;
