-- What videos take of the quotas: their files, or what was downloaded while these are made. What was declared counts for its sender
-- alone, whom it may keep from more (bounded, or a few would be too much to add up). asyncpg's $n arguments are listed behind each name.

-- name: used_by_user (without: a video or NULL, user_id) What failed takes nothing; of what is under way only what was sent earlier is in a video's way.
SELECT count(*) AS videos, coalesce(sum(CASE WHEN state = 'ready' THEN bytes
    ELSE greatest(bytes, least(coalesce(claimed_size, 0), 1099511627776)) END), 0)::bigint AS bytes
FROM videos
WHERE sender = $2 AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
    AND ($1::uuid IS NULL OR state = 'ready' OR (sent_at, id) < (SELECT o.sent_at, o.id FROM videos o WHERE o.id = $1));

-- name: used_by_room (without: a video or NULL, room_id)
SELECT count(*) AS videos, coalesce(sum(bytes), 0)::bigint AS bytes FROM videos
WHERE room_id = $2 AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
    AND ($1::uuid IS NULL OR state = 'ready' OR (sent_at, id) < (SELECT o.sent_at, o.id FROM videos o WHERE o.id = $1));

-- name: used_by_server (without: a video or NULL)
SELECT count(*) AS videos, coalesce(sum(bytes), 0)::bigint AS bytes FROM videos
WHERE visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
    AND ($1::uuid IS NULL OR state = 'ready' OR (sent_at, id) < (SELECT o.sent_at, o.id FROM videos o WHERE o.id = $1));

-- name: first_quota_warning (scope, whose) A row comes back when nobody was told yet.
INSERT INTO quota_warnings (scope, whose) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true AS told;

-- name: forget_quota_warning (scope, whose)
DELETE FROM quota_warnings WHERE scope = $1 AND whose = $2;

-- name: refuse_video (id, failure) A new one for which there is no room.
UPDATE videos SET state = 'failed', failure = $2 WHERE id = $1;
