-- The room's channel: its schedule, and who watches.

-- name: schedule
SELECT starts_at, items, before FROM channels WHERE room_id = :room_id;

-- name: ensure_schedule
INSERT INTO channels (room_id) VALUES (:room_id) ON CONFLICT DO NOTHING;

-- name: lock_schedule
-- One process at a time revises it; the time is taken once it is our turn.
SELECT starts_at, items, before FROM channels WHERE room_id = :room_id FOR UPDATE;

-- name: set_schedule
UPDATE channels SET starts_at = :starts_at, items = :items, before = :before WHERE room_id = :room_id;

-- name: present_videos
-- As `listed_videos`, of those members who are there, and for all of them (`reels.for_all`).
SELECT v.id, v.event_id, v.room_id, v.sent_in, v.sender, v.sent_at, v.position, v.item, v.kind, v.state, v.visibility, v.failure,
    v.version, v.published_at, v.spoiler, v.held_for, v.hidden_by, v.awaited_since, v.stage, v.has_preview, v.available, v.history,
    v.received_at, v.sent_after, v.of_before,
    v.renditions <> '[]' AS has_renditions
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.room_id = :room_id AND v.visibility <> 'removed' AND (
    v.history IN ('shared', 'before') OR v.sent_in = :room_id AND coalesce(v.sent_after, v.received_at, to_timestamp(0)) >= (
        SELECT coalesce(max(CASE WHEN n.join_heard THEN n.joined_at ELSE now() END), to_timestamp(0)) FROM members n
        WHERE n.room_id = :room_id AND n.membership = 'join'
    )
)
ORDER BY v.position, v.sent_at, v.id;

-- name: playing_lengths
-- Of those that have something to play.
SELECT id, stage, CASE WHEN jsonb_typeof(renditions) = 'array' THEN jsonb_build_array(renditions -> 0) ELSE renditions END AS renditions
FROM videos
WHERE id = ANY (:ids::uuid[]) AND room_id = :room_id AND state IN ('playable', 'ready') AND visibility <> 'removed'
    AND renditions <> '[]';

-- name: watching
-- In the order of their names, so that an unchanged list is equal.
SELECT w.user_id
FROM watching w JOIN members m ON m.room_id = w.room_id AND m.user_id = w.user_id AND m.membership = 'join'
WHERE w.room_id = :room_id AND w.until > now()
ORDER BY w.user_id;

-- name: watch
-- A sign of life; `fresh` when the user did not watch before.
WITH before AS (SELECT FROM watching WHERE room_id = :room_id AND user_id = :user_id AND until > now()), written AS (
    INSERT INTO watching (room_id, user_id, until) VALUES (:room_id, :user_id, now() + make_interval(secs => :seconds))
    ON CONFLICT (room_id, user_id) DO UPDATE SET until = excluded.until
)
SELECT NOT EXISTS (SELECT FROM before) AS fresh;

-- name: stop_watching
-- Nothing comes back when the user did not watch.
DELETE FROM watching WHERE room_id = :room_id AND user_id = :user_id RETURNING user_id;

-- name: lapse_watching
-- Expire those without a heartbeat in time, in every room.
DELETE FROM watching WHERE until <= now() RETURNING room_id;
