-- What videos take of the quotas: their files, or what was downloaded while these are made. What was declared counts for its sender
-- alone, who may then add no more (bounded, or a few would be too much to add up). What the widget uploaded counts until its message
-- comes, and then as a video. asyncpg's $n arguments are listed behind each name.

-- name: lock_quotas () One admission at a time, until the transaction ends: two that look at once would not see each other.
SELECT pg_advisory_xact_lock(hashtextextended('quotas', 7417));

-- name: used_by_user (without: a video or NULL, but: an upload or NULL, user_id) What failed takes nothing; of what is in progress only what was let in before, or else came before, is in a video's way. Our clock says what was before: a sender's may say anything.
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT count(*) AS videos, coalesce(sum(CASE WHEN state = 'ready' THEN bytes
        ELSE greatest(bytes, least(coalesce(claimed_size, 0), 1099511627776)) END), 0) AS bytes
    FROM videos
    WHERE sender = $3 AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
        AND ($1::uuid IS NULL OR state = 'ready' OR (admitted_at, arrived_at, id)
            < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = $1))
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE owner = $3 AND sent_at IS NULL AND upload_id IS DISTINCT FROM $2
        AND ($1::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = $1))
) AS u;

-- name: used_by_room (without: a video or NULL, but: an upload or NULL, room_id)
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT count(*) AS videos, coalesce(sum(bytes), 0) AS bytes FROM videos
    WHERE room_id = $3 AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
        AND ($1::uuid IS NULL OR state = 'ready' OR (admitted_at, arrived_at, id)
            < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = $1))
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE room_id = $3 AND sent_at IS NULL AND upload_id IS DISTINCT FROM $2
        AND ($1::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = $1))
) AS u;

-- name: used_by_server (without: a video or NULL, but: an upload or NULL)
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT count(*) AS videos, coalesce(sum(bytes), 0) AS bytes FROM videos
    WHERE visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM $1
        AND ($1::uuid IS NULL OR state = 'ready' OR (admitted_at, arrived_at, id)
            < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = $1))
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE sent_at IS NULL AND upload_id IS DISTINCT FROM $2
        AND ($1::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = $1))
) AS u;

-- name: admit_video (id, attempt) It counts from now on, also when it is tried again.
UPDATE videos SET admitted_at = clock_timestamp() WHERE id = $1 AND attempts = $2 AND admitted_at = 'infinity';

-- name: first_quota_warning (scope, whose) A row comes back when nobody was warned yet.
INSERT INTO quota_warnings (scope, whose) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true AS is_first;

-- name: delete_quota_warning (scope, whose)
DELETE FROM quota_warnings WHERE scope = $1 AND whose = $2;

-- name: refuse_video (id, failure) A new one for which there is no room.
UPDATE videos SET state = 'failed', failure = $2 WHERE id = $1;
