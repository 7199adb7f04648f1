-- Who did what.

-- name: note
INSERT INTO audit (actor, action, room_id, video_id, user_id, details)
VALUES (:actor, :action, :room_id, :video_id, :user_id, :details);

-- name: note_all
INSERT INTO audit (actor, action, room_id, video_id, user_id, details)
SELECT actor, :action, room_id, video_id, user_id, :details::jsonb
FROM unnest(:actors::text[], :room_ids::text[], :video_ids::uuid[], :user_ids::text[])
    WITH ORDINALITY AS n (actor, room_id, video_id, user_id, number) ORDER BY number;
