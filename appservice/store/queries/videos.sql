-- Videos as people see them.

-- name: withheld
-- Those that somebody may not see: they were not there when it was sent.
SELECT v.id FROM videos v
WHERE v.id = ANY (:ids)
    AND NOT was_there(v.sent_in, :user_id, v.history, coalesce(v.sent_after, v.received_at), v.received_at);

-- name: video
SELECT * FROM videos WHERE id = :id;

-- name: room_videos
-- Every reel of the room, in order.
SELECT * FROM videos WHERE room_id = :room_id AND visibility <> 'removed' ORDER BY position, sent_at, id;

-- name: videos_of
-- A member's reels: of one room, or of all where both they and the bot are.
SELECT v.*
FROM videos v
    JOIN rooms r ON r.room_id = v.room_id AND r.bot_membership = 'join'
    JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.sender = :sender AND (:room_id::text IS NULL OR v.room_id = :room_id) AND v.visibility <> 'removed'
ORDER BY r.key, v.position, v.sent_at, v.id;

-- name: videos_by_short_id
-- `digits` are hexadecimal. One more than is of use, to see that they are too few.
SELECT v.*
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = :user_id AND m.membership = 'join'
WHERE v.visibility <> 'removed' AND v.id BETWEEN rpad(:digits, 32, '0')::uuid AND rpad(:digits, 32, 'f')::uuid
ORDER BY v.id LIMIT 2;

-- name: served_stage
-- The folder of a video that viewers of a room may be served from now; its sender must be there.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = :id AND v.room_id = :room_id AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND v.history IN ('shared', 'before');

-- name: served_stage_to
-- As `served_stage`, of what not every member may see.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = :id AND v.room_id = :room_id AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND (v.sender = :user_id OR was_there(v.sent_in, :user_id, v.history, coalesce(v.sent_after, v.received_at), v.received_at));

-- name: under_way
-- What workers that gave a sign of life within so many seconds are at.
SELECT id, room_id, sender, attempts, percent, remaining FROM videos
WHERE percent IS NOT NULL AND state IN ('queued', 'processing', 'playable') AND EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8') AND status = 'picked'
        AND heartbeat > now() - make_interval(secs => :heartbeat_timeout)
)
ORDER BY position, id;

-- name: counts
-- For operators: videos by state.
SELECT state, sum(videos)::bigint AS videos FROM (
    SELECT 'ready' AS state, sum(videos) AS videos FROM ready_totals
    UNION ALL SELECT state, count(*) FROM videos
        WHERE state IN ('queued', 'processing', 'playable') AND visibility <> 'removed' GROUP BY state
    UNION ALL SELECT state, count(*) FROM videos WHERE state = 'failed' AND visibility <> 'removed' GROUP BY state
) AS counted
WHERE videos > 0 GROUP BY state ORDER BY state;
