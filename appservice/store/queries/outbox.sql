-- Notifications of other processes, and alerts for admins.

-- name: add_alert
INSERT INTO troubles (subject, details) VALUES (:subject, :details);

-- name: announce
-- Notify every process that these rooms changed (LISTEN roomreel).
SELECT pg_notify('roomreel', room_id) FROM unnest(:room_ids::text[]) AS r (room_id);

-- name: announce_talk
-- Notify every process of what is new about messages (LISTEN roomreel_talk): of what relates to one, where it brought a
-- video that is here; of what may be about any, where the room has a video.
SELECT pg_notify('roomreel_talk', json_build_object('room_id', t.room_id, 'event_id', t.target)::text)
FROM unnest(:room_ids::text[], :targets::text[], :relates::boolean[]) AS t (room_id, target, relates)
WHERE CASE
    WHEN t.relates THEN EXISTS (
        SELECT FROM videos v WHERE v.event_id = t.target AND v.room_id = t.room_id AND v.visibility <> 'removed'
    )
    ELSE EXISTS (SELECT FROM videos v WHERE v.room_id = t.room_id AND v.visibility <> 'removed')
END;

-- name: concerns_moderators
-- Whether a video has a post in a moderators' queue, or is to have one.
SELECT EXISTS (SELECT FROM queue_posts WHERE video_id = :video_id) OR EXISTS (
    SELECT FROM videos v JOIN rooms r ON r.room_id = v.room_id
    WHERE v.id = :video_id AND v.visibility = 'held' AND v.has_poster AND r.settings ? 'moderators_room'
) AS concerns;

-- name: announce_watching
-- Notify every process that others watch now (LISTEN roomreel_watching).
SELECT pg_notify('roomreel_watching', :room_id);
