-- Who did what.

-- name: note
INSERT INTO audit (actor, action, room_id, video_id, user_id, details)
VALUES (:actor, :action, :room_id, :video_id, :user_id, :details);

-- name: audited
-- The newest first, of a video, a user or a room; NULL for any.
SELECT key, at, actor, action, room_id, video_id, user_id, details FROM audit
WHERE (:video_id::uuid IS NULL OR video_id = :video_id) AND (:user_id::text IS NULL OR user_id = :user_id OR actor = :user_id)
    AND (:room_id::text IS NULL OR room_id = :room_id)
ORDER BY key DESC LIMIT :most;
