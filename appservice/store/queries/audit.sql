-- Who did what. asyncpg's $n arguments are listed behind each name.

-- name: note (actor, action, room_id, video_id, user_id, details)
INSERT INTO audit (actor, action, room_id, video_id, user_id, details) VALUES ($1, $2, $3, $4, $5, $6);

-- name: audited (video_id or NULL, user_id or NULL, room_id or NULL, most) The newest first.
SELECT key, at, actor, action, room_id, video_id, user_id, details FROM audit
WHERE ($1::uuid IS NULL OR video_id = $1) AND ($2::text IS NULL OR user_id = $2 OR actor = $2)
    AND ($3::text IS NULL OR room_id = $3)
ORDER BY key DESC LIMIT $4;
