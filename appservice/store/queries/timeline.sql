-- How far the timelines of rooms were read.

-- name: reset_member_since
-- Members whose joining, or coming back, was missed: since when they are there is not known before now.
UPDATE members SET joined_at = clock_timestamp(), invited_at = clock_timestamp(), join_heard = true
WHERE room_id = :room_id AND membership IN ('join', 'invite') AND user_id IN (
    SELECT lost.user_id FROM unnest(:user_ids::text[], :event_ids::text[]) AS lost (user_id, event_id)
    WHERE NOT EXISTS (SELECT FROM seen_events s WHERE s.event_id = lost.event_id)
);

-- name: reset_edit_time
-- The newest edit may be older than the one that we know.
UPDATE videos SET edited_at = NULL WHERE sent_in = :sent_in AND event_id = :event_id;

-- name: store_mark
-- All up to this event was dealt with; unless the bot left since, and came back: then it is from before.
UPDATE rooms SET last_event = :event_id, last_event_at = :requested_at
WHERE room_id = :room_id AND bot_membership = 'join' AND bot_joined_at <= :requested_at;

-- name: store_joined_event
-- Where history begins; as `store_mark`.
UPDATE rooms SET joined_event = :event_id WHERE room_id = :room_id AND bot_membership = 'join' AND bot_joined_at <= :requested_at;

-- name: joined_event
SELECT joined_event FROM rooms WHERE room_id = :room_id;

-- name: delete_old_events
-- No backfill goes so far.
DELETE FROM seen_events WHERE seen_at < now() - make_interval(days => :days);
