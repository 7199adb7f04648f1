-- What operators observe: queues, storage, what failed of late.

-- name: queue_depths
-- Jobs by kind, and for how long the oldest that is due has waited. What its worker has not given a sign of life of for
-- so many seconds waits as well: another one takes it over.
SELECT entrypoint AS kind,
    count(*) FILTER (WHERE waits AND execute_after <= now()) AS due,
    count(*) FILTER (WHERE waits AND execute_after > now()) AS later,
    count(*) FILTER (WHERE NOT waits) AS taken,
    coalesce(extract(epoch FROM now() - min(execute_after) FILTER (WHERE waits AND execute_after <= now())), 0)::float8
        AS oldest
FROM (
    SELECT entrypoint, execute_after, status = 'queued' OR heartbeat < now() - make_interval(secs => :heartbeat_timeout) AS waits
    FROM pgqueuer WHERE status IN ('queued', 'picked')
) AS jobs
GROUP BY entrypoint;

-- name: stored_bytes
-- Of videos, what counts for quotas, with those in progress; of uploads, what was announced.
SELECT
    (SELECT coalesce(sum(bytes), 0) FROM ready_totals)::bigint + (
        SELECT coalesce(sum(bytes), 0) FROM videos
        WHERE state IN ('queued', 'processing', 'playable') AND visibility <> 'removed'
    )::bigint AS videos,
    (SELECT coalesce(sum(length), 0) FROM uploads WHERE state IN ('uploading', 'preparing'))::bigint AS uploads;

-- name: applied_migrations
SELECT version, checksum FROM schema_migrations;

-- name: stages_under_way
-- Videos that workers which gave a sign of life within so many seconds are at, and how far.
SELECT v.id, v.state, v.percent, v.remaining, v.attempts
FROM pgqueuer j JOIN videos v ON v.id::text = encode(j.payload, 'escape')
    AND v.state IN ('queued', 'processing', 'playable')
WHERE j.entrypoint = 'video' AND j.status = 'picked' AND j.heartbeat > now() - make_interval(secs => :heartbeat_timeout)
ORDER BY v.percent IS NULL, j.id LIMIT :most;

-- name: recent_failures
-- Videos that failed within so many minutes, by code.
SELECT failure AS code, count(*) AS videos FROM videos
WHERE state = 'failed' AND visibility <> 'removed' AND changed_at > now() - make_interval(mins => :minutes)
GROUP BY failure ORDER BY videos DESC, code;

-- name: recent_jobs
-- Jobs that ended within so many minutes, by kind.
SELECT entrypoint AS kind, count(*) AS jobs, count(*) FILTER (WHERE status <> 'successful') AS failed
FROM pgqueuer_log
WHERE created > now() - make_interval(mins => :minutes) AND status IN ('successful', 'exception', 'canceled', 'failed')
GROUP BY entrypoint ORDER BY jobs DESC, kind;
