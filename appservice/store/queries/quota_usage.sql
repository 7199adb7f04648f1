-- What videos take of the quotas: their files, or what was downloaded while these are made. What was declared counts
-- for its sender alone, who may then add no more (bounded, or a few would be too much to add up). What the widget
-- uploaded counts until its message comes, and then as a video.

-- name: used_by_user
-- What failed takes nothing; of what is in progress only what was let in before, or else came before, is in a video's
-- way. Our clock says what was before: a sender's may say anything.
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT count(*) AS videos, coalesce(sum(CASE WHEN state = 'ready' THEN bytes
        ELSE greatest(bytes, least(coalesce(claimed_size, 0), 1099511627776)) END), 0) AS bytes
    FROM videos
    WHERE sender = :user_id AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM :without_video
        AND (:without_video::uuid IS NULL OR state = 'ready' OR (admitted_at, arrived_at, id)
            < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = :without_video))
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE owner = :user_id AND sent_at IS NULL AND upload_id IS DISTINCT FROM :without_upload
        AND (:without_video::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = :without_video))
) AS u;

-- name: used_by_room
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT count(*) AS videos, coalesce(sum(bytes), 0) AS bytes FROM videos
    WHERE room_id = :room_id AND visibility <> 'removed' AND state <> 'failed' AND id IS DISTINCT FROM :without_video
        AND (:without_video::uuid IS NULL OR state = 'ready' OR (admitted_at, arrived_at, id)
            < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = :without_video))
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE room_id = :room_id AND sent_at IS NULL AND upload_id IS DISTINCT FROM :without_upload
        AND (:without_video::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = :without_video))
) AS u;

-- name: used_by_server
SELECT v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM (
    SELECT coalesce(sum(part.videos), 0)::bigint AS videos, coalesce(sum(part.bytes), 0) AS bytes FROM (
        SELECT videos, bytes FROM ready_totals
        UNION ALL SELECT -1, -bytes FROM videos
            WHERE id = :without_video AND state = 'ready' AND visibility <> 'removed'
        UNION ALL SELECT 1, bytes FROM videos
            WHERE state IN ('queued', 'processing', 'playable') AND visibility <> 'removed'
                AND id IS DISTINCT FROM :without_video
                AND (:without_video::uuid IS NULL OR (admitted_at, arrived_at, id)
                    < (SELECT o.admitted_at, o.arrived_at, o.id FROM videos o WHERE o.id = :without_video))
    ) AS part
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE sent_at IS NULL AND upload_id IS DISTINCT FROM :without_upload
        AND (:without_video::uuid IS NULL OR stored_at < (SELECT o.admitted_at FROM videos o WHERE o.id = :without_video))
) AS u;

-- name: used_by_each
-- The same of several users, of several rooms, and of all, where nothing is left out.
SELECT 'user' AS scope, w.whose, v.videos + u.videos AS videos, (v.bytes + u.bytes)::bigint AS bytes
FROM unnest(:user_ids::text[]) AS w (whose), LATERAL (
    SELECT count(*) AS videos, coalesce(sum(CASE WHEN state = 'ready' THEN bytes
        ELSE greatest(bytes, least(coalesce(claimed_size, 0), 1099511627776)) END), 0) AS bytes
    FROM videos WHERE sender = w.whose AND visibility <> 'removed' AND state <> 'failed'
) AS v, LATERAL (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE owner = w.whose AND sent_at IS NULL
) AS u
UNION ALL
SELECT 'room', w.whose, v.videos + u.videos, (v.bytes + u.bytes)::bigint
FROM unnest(:room_ids::text[]) AS w (whose), LATERAL (
    SELECT count(*) AS videos, coalesce(sum(bytes), 0) AS bytes FROM videos
    WHERE room_id = w.whose AND visibility <> 'removed' AND state <> 'failed'
) AS v, LATERAL (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE room_id = w.whose AND sent_at IS NULL
) AS u
UNION ALL
SELECT 'server', '', v.videos + u.videos, (v.bytes + u.bytes)::bigint
FROM (
    SELECT coalesce(sum(part.videos), 0)::bigint AS videos, coalesce(sum(part.bytes), 0) AS bytes FROM (
        SELECT videos, bytes FROM ready_totals WHERE :server
        UNION ALL SELECT 1, bytes FROM videos
            WHERE :server AND state IN ('queued', 'processing', 'playable') AND visibility <> 'removed'
    ) AS part
) AS v, (
    SELECT count(DISTINCT upload_id) AS videos, coalesce(sum(bytes), 0) AS bytes FROM upload_media
    WHERE :server AND sent_at IS NULL
) AS u
WHERE :server;

-- name: first_quota_warning
-- A row comes back when nobody was warned yet.
INSERT INTO quota_warnings (scope, whose) VALUES (:scope, :whose) ON CONFLICT DO NOTHING RETURNING true AS is_first;

-- name: delete_quota_warning
DELETE FROM quota_warnings WHERE scope = :scope AND whose = :whose;

-- name: delete_quota_warnings
DELETE FROM quota_warnings w USING unnest(:scopes::text[], :whose::text[]) AS t (scope, whose)
WHERE w.scope = t.scope AND w.whose = t.whose;
