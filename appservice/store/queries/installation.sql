-- What the processes of an installation share.

-- name: bot_profile
SELECT field, value FROM bot_profile;

-- name: store_bot_profile
INSERT INTO bot_profile (field, value) VALUES (:field, :value) ON CONFLICT (field) DO UPDATE SET value = excluded.value;

-- name: delete_bot_profile
DELETE FROM bot_profile;

-- name: wake_queues
-- Notify pgqueuer in every process, as its trigger does, where a job is due that none may have seen: it is queued for a
-- retry, or was taken by a worker that is dead or cut off.
SELECT pg_notify('ch_pgqueuer', json_build_object(
    'channel', 'ch_pgqueuer', 'operation', 'update', 'sent_at', now(), 'table', 'pgqueuer', 'type', 'table_changed_event'
)::text)
WHERE EXISTS (
    SELECT FROM pgqueuer
    WHERE status = 'queued' AND execute_after <= now()
        OR status = 'picked' AND heartbeat < now() - :heartbeat_timeout::interval
);

-- name: ensure_secret
-- Every process ends up with the same one.
WITH made AS (INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING RETURNING value)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = :name LIMIT 1;

-- name: find_secret
SELECT value FROM secrets WHERE name = :name;

-- name: store_secret
INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: replace_secret
UPDATE secrets SET value = :value WHERE name = :name AND value = :before;

-- name: delete_old_job_log
-- Nothing reads so old entries of what became of jobs; a part at a time.
DELETE FROM pgqueuer_log WHERE id IN (
    SELECT id FROM pgqueuer_log WHERE created < now() - make_interval(days => :days) ORDER BY created LIMIT :most
);

-- name: delete_old_offers
-- Of jobs that something else than a worker has deleted.
DELETE FROM offered_jobs o WHERE NOT EXISTS (SELECT FROM pgqueuer j WHERE j.id = o.job_id);

-- name: delete_old_job_statistics
DELETE FROM pgqueuer_statistics WHERE id IN (
    SELECT id FROM pgqueuer_statistics WHERE created < now() - make_interval(days => :days) LIMIT :most
);

-- name: hold_backup_off
-- False while a backup is being made; else none begins before the transaction's end.
SELECT pg_try_advisory_xact_lock_shared(:lock::bigint);
