-- What members take with them. asyncpg's $n arguments are listed behind each name.

-- name: export_awaited (user_id) Whether one is being made, or about to be.
SELECT EXISTS (
    SELECT FROM pgqueuer
    -- Other jobs' payloads are no JSON.
    WHERE CASE WHEN entrypoint = 'export' THEN convert_from(payload, 'UTF8')::jsonb ->> 'user_id' = $1 ELSE false END
) AS awaited;

-- name: exported_videos (user_id) All that are still here, with their rooms' names.
SELECT v.*, r.name AS room_name FROM videos v JOIN rooms r ON r.room_id = v.room_id
WHERE v.sender = $1 AND v.visibility <> 'removed' ORDER BY v.sent_at, v.id;

-- name: exported_reports (user_id) Somebody's reports of others' videos.
SELECT video_id, reason, reported_at FROM reports WHERE reporter = $1 ORDER BY reported_at;

-- name: exported_audit (user_id) What somebody did, and what was done about them or their videos: not who did it, and not who reported.
SELECT at, action, room_id, video_id, actor = $1 AS by_themselves,
    CASE WHEN actor = $1 THEN details ELSE '{}' END AS details
FROM audit
WHERE actor = $1 OR (user_id = $1 AND action <> 'reported')
ORDER BY key;

-- name: lock_exports (user_id) Making an export known, and erasing somebody, one after the other; until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended($1, 7407));

-- name: existing_videos (ids) Those that are still here; nobody takes them away until the transaction ends.
SELECT id FROM videos WHERE id = ANY ($1) AND visibility <> 'removed' ORDER BY id FOR SHARE;

-- name: was_erased (user_id, since) Whether all of somebody was erased after that.
SELECT EXISTS (
    SELECT FROM audit WHERE at >= $2 AND user_id = $1 AND action = 'erased' AND video_id IS NULL
) AS erased;

-- name: add_export (id, user_id, secret_hash, seconds) It replaces the one before.
WITH older AS (DELETE FROM exports WHERE user_id = $2)
INSERT INTO exports (id, user_id, secret_hash, expires_at)
VALUES ($1, $2, $3, now() + make_interval(secs => $4));

-- name: export_by_secret (secret_hash)
SELECT id FROM exports WHERE secret_hash = $1 AND expires_at > now();

-- name: existing_exports (ids) Those that may be fetched.
SELECT id FROM exports WHERE id = ANY ($1) AND expires_at > now();

-- name: delete_expired_exports () What nobody may fetch any more.
DELETE FROM exports WHERE expires_at <= now();

-- name: room_made_for (user_id) The latest that the bot made for somebody, and is in.
SELECT room_id FROM rooms WHERE made_for = $1 AND bot_membership = 'join' ORDER BY key DESC LIMIT 1;

-- name: add_direct_room (room_id, user_id) One that the bot made for somebody.
INSERT INTO rooms (room_id, bot_membership, direct, made_for) VALUES ($1, 'join', true, $2)
ON CONFLICT (room_id) DO UPDATE SET direct = true, made_for = excluded.made_for;

-- name: add_invited (room_id, user_id) Whom the bot invited to it.
INSERT INTO members (room_id, user_id, membership) VALUES ($1, $2, 'invite') ON CONFLICT DO NOTHING;
