-- Who did what.

-- name: note
INSERT INTO audit (actor, action, room_id, video_id, user_id, details)
VALUES (:actor, :action, :room_id, :video_id, :user_id, :details);
