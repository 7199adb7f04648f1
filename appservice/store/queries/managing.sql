-- What people do with videos. asyncpg's $n arguments are listed behind each name.

-- name: lock_video (id) One person's change after the other's.
SELECT * FROM videos WHERE id = $1 FOR UPDATE;

-- name: manage (id, title, visibility, hidden_by, published) What is hidden still has what it waits for once it is shown.
UPDATE videos SET title = $2, renamed = renamed OR title <> $2, visibility = $3, hidden_by = $4,
    held_for = CASE WHEN $3 <> 'shown' THEN held_for END,
    published_at = CASE WHEN $5 THEN coalesce(published_at, now()) END,
    version = version + 1, changed_at = now()
WHERE id = $1
RETURNING *;

-- name: is_video_avatar (room_id, video_id)
SELECT EXISTS (SELECT FROM members WHERE room_id = $1 AND avatar_video = $2) AS worn;

-- name: set_video_avatar (room_id, user_id, video_id) NULL for none.
UPDATE members SET avatar_video = $3 WHERE room_id = $1 AND user_id = $2;

-- name: delete_video (id, deleted_by) Nobody sees it any more, and for some seconds it can come back.
UPDATE videos SET visibility = 'removed', undone_to = visibility, deleted_at = now(), deleted_by = $2,
    version = version + 1, changed_at = now()
WHERE id = $1
RETURNING (extract(epoch FROM deleted_at) * 1000)::bigint AS deleted_at;

-- name: restore_video (id, seconds) Nothing comes back when it is too late. What was unfinished is begun anew: its worker gave up, and took its files away.
UPDATE videos SET visibility = undone_to, undone_to = NULL, deleted_at = NULL, deleted_by = NULL,
    state = CASE WHEN state = 'playable' THEN 'processing' ELSE state END,
    stage = CASE WHEN state = 'ready' THEN stage END,
    has_poster = has_poster AND state = 'ready',
    renditions = CASE WHEN state = 'ready' THEN renditions ELSE '[]' END,
    available = CASE WHEN state = 'ready' THEN available END,
    storyboard = CASE WHEN state = 'ready' THEN storyboard END,
    has_preview = has_preview AND state = 'ready',
    percent = NULL, remaining = NULL, version = version + 1, changed_at = now()
WHERE id = $1 AND deleted_at > now() - make_interval(secs => $2)
RETURNING *;

-- name: last_deleted (actor, room_id or NULL, seconds)
SELECT v.*
FROM videos v JOIN audit a ON a.video_id = v.id AND a.action IN ('deleted', 'rejected') AND a.actor = $1
WHERE v.deleted_at > now() - make_interval(secs => $3) AND ($2::text IS NULL OR v.room_id = $2)
ORDER BY a.key DESC LIMIT 1;

-- name: has_video_job (id) One that is still to begin: one in progress gives up, for the video was gone.
SELECT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'video' AND payload = convert_to($1::uuid::text, 'UTF8') AND status = 'queued'
) AS found;

-- name: lock_reel (room_id, sender) A member's videos, in order.
SELECT id, position FROM videos
WHERE room_id = $1 AND sender = $2 AND visibility <> 'removed'
ORDER BY position, sent_at, id
FOR UPDATE;

-- name: sent_videos (room_id, sender) Also those that are removed.
SELECT id FROM videos WHERE room_id = $1 AND sender = $2;

-- name: set_positions (ids, positions)
UPDATE videos SET position = placed.position
FROM unnest($1::uuid[], $2::float8[]) AS placed (id, position)
WHERE videos.id = placed.id;

-- name: report (video_id, reporter, reason) Once for each person; what they say last counts.
INSERT INTO reports (video_id, reporter, reason) VALUES ($1, $2, $3)
ON CONFLICT (video_id, reporter) DO UPDATE SET reason = excluded.reason, reported_at = now();

-- name: dismiss_reports (video_id)
DELETE FROM reports WHERE video_id = $1;

-- name: report_reasons (video_id) Why members reported it, the first of them: nobody reads more of one video.
SELECT reason FROM reports WHERE video_id = $1 ORDER BY reported_at, reporter LIMIT 100;

-- name: reports (room_id) How many reported each video of a room.
SELECT r.video_id, count(*) AS reports
FROM reports r JOIN videos v ON v.id = r.video_id
WHERE v.room_id = $1
GROUP BY r.video_id;
