-- What people do with videos.

-- name: lock_video
-- One person's change after the other's.
SELECT * FROM videos WHERE id = :id FOR UPDATE;

-- name: manage
-- What is hidden still has what it waits for once it is shown.
UPDATE videos SET title = :title, renamed = renamed OR title <> :title, visibility = :visibility, hidden_by = :hidden_by,
    held_for = CASE WHEN :visibility <> 'shown' THEN held_for END,
    published_at = CASE WHEN :published THEN coalesce(published_at, now()) END,
    version = version + 1, changed_at = now()
WHERE id = :id
RETURNING *;

-- name: is_video_avatar
SELECT EXISTS (SELECT FROM members WHERE room_id = :room_id AND avatar_video = :video_id) AS worn;

-- name: set_video_avatar
-- NULL for none.
UPDATE members SET avatar_video = :video_id WHERE room_id = :room_id AND user_id = :user_id;

-- name: restore_video
-- Nothing comes back when it is too late. What was unfinished is begun anew: its worker gave up, and took its files
-- away.
UPDATE videos SET visibility = undone_to, undone_to = NULL, deleted_at = NULL, deleted_by = NULL,
    state = CASE WHEN state = 'playable' THEN 'processing' ELSE state END,
    stage = CASE WHEN state = 'ready' THEN stage END,
    has_poster = has_poster AND state = 'ready',
    renditions = CASE WHEN state = 'ready' THEN renditions ELSE '[]' END,
    available = CASE WHEN state = 'ready' THEN available END,
    storyboard = CASE WHEN state = 'ready' THEN storyboard END,
    has_preview = has_preview AND state = 'ready',
    percent = NULL, remaining = NULL, version = version + 1, changed_at = now()
WHERE id = :id AND deleted_at > now() - make_interval(secs => :seconds)
RETURNING *;

-- name: last_deleted
-- In a room, or (NULL) anywhere.
SELECT v.*
FROM videos v JOIN audit a ON a.video_id = v.id AND a.action IN ('deleted', 'rejected') AND a.actor = :actor
WHERE v.deleted_at > now() - make_interval(secs => :seconds) AND (:room_id::text IS NULL OR v.room_id = :room_id)
ORDER BY a.key DESC LIMIT 1;

-- name: has_video_job
-- One that is still to begin: one in progress gives up, for the video was gone.
SELECT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'video' AND payload = convert_to(:id::uuid::text, 'UTF8') AND status = 'queued'
) AS found;

-- name: lock_reel
-- A member's videos, in order.
SELECT id, position FROM videos
WHERE room_id = :room_id AND sender = :sender AND visibility <> 'removed'
ORDER BY position, sent_at, id
FOR UPDATE;

-- name: sent_videos
-- Also those that are removed.
SELECT id FROM videos WHERE room_id = :room_id AND sender = :sender;

-- name: set_positions
UPDATE videos SET position = placed.position
FROM unnest(:ids::uuid[], :positions::float8[]) AS placed (id, position)
WHERE videos.id = placed.id;

-- name: report
-- Once for each person; what they say last counts.
INSERT INTO reports (video_id, reporter, reason) VALUES (:video_id, :reporter, :reason)
ON CONFLICT (video_id, reporter) DO UPDATE SET reason = excluded.reason, reported_at = now();

-- name: dismiss_reports
DELETE FROM reports WHERE video_id = :video_id;

-- name: report_reasons
-- Why members reported it, the first of them: nobody reads more of one video.
SELECT reason FROM reports WHERE video_id = :video_id ORDER BY reported_at, reporter LIMIT 100;

-- name: reports
-- How many reported each video of a room.
SELECT r.video_id, count(*) AS reports
FROM reports r JOIN videos v ON v.id = r.video_id
WHERE v.room_id = :room_id
GROUP BY r.video_id;

-- name: count_reports
SELECT count(*) AS reports FROM reports WHERE video_id = :video_id;

-- name: hold_video
-- What is shown waits from now on.
UPDATE videos SET visibility = 'held', held_for = :held_for, version = version + 1, changed_at = now()
WHERE id = :id AND visibility = 'shown';

-- name: release_video
-- What waited is shown from now on.
UPDATE videos SET visibility = 'shown', held_for = NULL, version = version + 1, changed_at = now()
WHERE id = :id AND visibility = 'held';

-- name: room_settings
SELECT settings FROM rooms WHERE room_id = :room_id;

-- name: next_purge
-- In how many seconds the next of those that people deleted is to be removed; not above 0: now.
SELECT extract(epoch FROM min(deleted_at) + make_interval(secs => :seconds) - now())::float8 AS due
FROM videos WHERE deleted_at IS NOT NULL;

-- name: removable_deleted
-- Those that people deleted longer ago than that.
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE deleted_at <= now() - make_interval(secs => :seconds) FOR UPDATE SKIP LOCKED;
