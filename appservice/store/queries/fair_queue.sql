-- Which video's job a worker takes next.

-- name: videos_taken
-- How many jobs a process has taken, by sender and room; of a video that is gone or done, or a job that names none,
-- both are empty. Those of `lower_rungs` (wanted, or spare) alone are nobody's.
SELECT coalesce(v.sender, '') AS sender, coalesce(v.room_id, '') AS room_id, count(*) AS jobs,
    CASE WHEN v.state = 'ready' AND v.lower_rungs IN ('wanted', 'spare') THEN v.lower_rungs END AS lower_rungs
FROM pgqueuer j LEFT JOIN videos v ON v.id::text = encode(j.payload, 'escape')
    AND (v.state IN ('queued', 'processing', 'playable') OR v.finishing IS NOT NULL)
WHERE j.entrypoint = 'video' AND j.status = 'picked' AND j.queue_manager_id = :queue_manager_id
GROUP BY 1, 2, 4;

-- name: videos_to_take
-- The oldest job of each sender in each room that may be taken, and what both have in progress in all processes; of
-- lower rungs the one that was due first, of those that are wanted and of those in spare time: what failed in passing is
-- due again after what nobody tried yet. `late`: wanted for too long to come last. `idle` processes are told what others
-- offer as well.
WITH jobs AS MATERIALIZED (
    SELECT j.id, j.priority, j.status = 'queued' OR j.heartbeat < now() - :heartbeat_timeout::interval AS free,
        :idle AND o.job_id IS NOT NULL AS offered,
        coalesce(v.sender, '') AS sender, coalesce(v.room_id, '') AS room_id, l.lower_rungs, j.execute_after
    FROM pgqueuer j LEFT JOIN videos v
        -- As text: a payload that is no id is nobody's. The rest is the index' condition.
        ON v.id::text = encode(j.payload, 'escape')
            AND (v.state IN ('queued', 'processing', 'playable') OR v.finishing IS NOT NULL)
        LEFT JOIN offered_jobs o ON o.job_id = j.id AND j.status = 'picked' AND o.queue_manager_id = j.queue_manager_id
            AND o.queue_manager_id <> :queue_manager_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN v.state = 'ready' AND v.lower_rungs IN ('wanted', 'spare') THEN v.lower_rungs END AS lower_rungs
        ) AS l
    WHERE j.entrypoint = 'video' AND j.status IN ('queued', 'picked') AND j.execute_after <= now()
),
senders AS (SELECT sender, count(*) AS taken FROM jobs WHERE NOT free AND lower_rungs IS NULL GROUP BY sender),
rooms AS (SELECT room_id, count(*) AS taken FROM jobs WHERE NOT free AND lower_rungs IS NULL GROUP BY room_id),
first AS (
    -- No DISTINCT ON: it sorts the whole queue.
    SELECT min(id) AS id, priority, sender, room_id, NULL AS lower_rungs, false AS late, NOT free AS offered FROM jobs
    WHERE (free OR offered) AND lower_rungs IS NULL
    GROUP BY priority, sender, room_id, free
),
rungs AS (
    SELECT DISTINCT ON (lower_rungs) id, priority, '' AS sender, '' AS room_id, lower_rungs,
        lower_rungs = 'wanted' AND execute_after <= now() - :patience::interval AS late, false AS offered
    FROM jobs WHERE free AND lower_rungs IS NOT NULL
    ORDER BY lower_rungs, execute_after, id
)
SELECT * FROM (
    SELECT id, priority, sender, room_id, lower_rungs, late, offered,
        coalesce(senders.taken, 0) + coalesce(rooms.taken, 0) AS load
    FROM first LEFT JOIN senders USING (sender) LEFT JOIN rooms USING (room_id)
    ORDER BY offered, priority DESC, load, id
    LIMIT 100
) AS others
UNION ALL SELECT *, 0 FROM rungs;

-- name: take_video
-- As pgqueuer takes a job; nothing comes back when another process has it. Of an offer, whoever deletes it decides: who
-- takes the job, or who made it and begins itself.
WITH given AS (
    DELETE FROM offered_jobs WHERE job_id = :id RETURNING queue_manager_id
),
taken AS (
    UPDATE pgqueuer SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = :queue_manager_id
    WHERE id = (
        SELECT id FROM pgqueuer
        WHERE id = :id AND execute_after <= now()
            AND (status = 'queued' OR status = 'picked' AND (
                heartbeat < now() - :heartbeat_timeout::interval
                OR :offered AND queue_manager_id = (SELECT queue_manager_id FROM given)
            ))
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
),
log AS (INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) SELECT id, status, entrypoint, priority FROM taken)
SELECT * FROM taken;
