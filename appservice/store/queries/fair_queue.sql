-- Which video's job a worker takes next.

-- name: videos_taken
-- How many jobs a process has taken, by sender and room; of a video that is gone or done, or a job that names none,
-- both are empty.
SELECT coalesce(v.sender, '') AS sender, coalesce(v.room_id, '') AS room_id, count(*) AS jobs
FROM pgqueuer j LEFT JOIN videos v ON v.id::text = encode(j.payload, 'escape')
    AND (v.state IN ('queued', 'processing', 'playable') OR v.finishing IS NOT NULL)
WHERE j.entrypoint = 'video' AND j.status = 'picked' AND j.queue_manager_id = :queue_manager_id
GROUP BY 1, 2;

-- name: videos_to_take
-- The oldest job of each sender in each room that may be taken, and what both have in progress in all processes.
WITH jobs AS MATERIALIZED (
    SELECT j.id, j.priority, coalesce(v.sender, '') AS sender, coalesce(v.room_id, '') AS room_id,
        j.status = 'queued' OR j.heartbeat < now() - :heartbeat_timeout::interval AS free
    FROM pgqueuer j LEFT JOIN videos v
        -- As text: a payload that is no id is nobody's. The rest is the index' condition.
        ON v.id::text = encode(j.payload, 'escape')
            AND (v.state IN ('queued', 'processing', 'playable') OR v.finishing IS NOT NULL)
    WHERE j.entrypoint = 'video' AND j.status IN ('queued', 'picked') AND j.execute_after <= now()
),
senders AS (SELECT sender, count(*) AS taken FROM jobs WHERE NOT free GROUP BY sender),
rooms AS (SELECT room_id, count(*) AS taken FROM jobs WHERE NOT free GROUP BY room_id),
first AS (
    -- No DISTINCT ON: it sorts the whole queue.
    SELECT min(id) AS id, priority, sender, room_id FROM jobs WHERE free GROUP BY priority, sender, room_id
)
SELECT id, priority, sender, room_id, coalesce(senders.taken, 0) + coalesce(rooms.taken, 0) AS load
FROM first LEFT JOIN senders USING (sender) LEFT JOIN rooms USING (room_id)
ORDER BY priority DESC, load, id
LIMIT 100;

-- name: take_video
-- As pgqueuer takes a job; nothing comes back when another process has it.
WITH taken AS (
    UPDATE pgqueuer SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = :queue_manager_id
    WHERE id = (
        SELECT id FROM pgqueuer
        WHERE id = :id AND execute_after <= now()
            AND (status = 'queued' OR status = 'picked' AND heartbeat < now() - :heartbeat_timeout::interval)
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
),
log AS (INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) SELECT id, status, entrypoint, priority FROM taken)
SELECT * FROM taken;
