-- What waits for a room's moderators.

-- name: moderated_rooms
-- The rooms that somebody and the bot are in: all (NULL), or those with their queue in one moderators' room.
SELECT r.*, false AS is_direct, r.state_read_at >= r.bot_joined_at AS state_read
FROM rooms r JOIN members m ON m.room_id = r.room_id AND m.user_id = :user_id AND m.membership = 'join'
WHERE r.bot_membership = 'join' AND NOT is_direct(r.room_id, r.direct)
    AND (:moderators_room::text IS NULL OR r.settings->>'moderators_room' = :moderators_room)
ORDER BY r.key;

-- name: is_moderators_room
SELECT EXISTS (SELECT FROM rooms WHERE settings->>'moderators_room' = :room_id) AS found;

-- name: joined_in_both
SELECT m.user_id FROM members m JOIN members o USING (user_id)
WHERE m.room_id = :room_id AND o.room_id = :other_room_id AND m.membership = 'join' AND o.membership = 'join';

-- name: held_videos
-- The oldest first, with how many reported each.
SELECT v.*, (SELECT count(*) FROM reports r WHERE r.video_id = v.id) AS reports
FROM videos v WHERE v.visibility = 'held' AND v.state <> 'failed' AND v.room_id = ANY (:room_ids)
ORDER BY v.sent_at, v.id;

-- name: reported_videos
-- Reports by video, the latest first.
SELECT v.*, reported.reasons FROM videos v JOIN LATERAL (
    SELECT array_agg(r.reason ORDER BY r.reported_at) AS reasons, max(r.reported_at) AS latest
    FROM reports r WHERE r.video_id = v.id
) AS reported ON reported.reasons IS NOT NULL
WHERE v.visibility <> 'removed' AND v.room_id = ANY (:room_ids)
ORDER BY reported.latest DESC, v.id;
