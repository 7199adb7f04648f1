-- What members take with them.

-- name: export_awaited
-- Whether one is being made, or about to be.
SELECT EXISTS (
    SELECT FROM pgqueuer
    -- Other jobs' payloads are no JSON.
    WHERE CASE WHEN entrypoint = 'export' THEN convert_from(payload, 'UTF8')::jsonb ->> 'user_id' = :user_id ELSE false END
) AS awaited;

-- name: exported_videos
-- All that are still here, with their rooms' names.
SELECT v.*, r.name AS room_name FROM videos v JOIN rooms r ON r.room_id = v.room_id
WHERE v.sender = :user_id AND v.visibility <> 'removed' ORDER BY v.sent_at, v.id;

-- name: exported_reports
-- Somebody's reports of others' videos.
SELECT video_id, reason, reported_at FROM reports WHERE reporter = :user_id ORDER BY reported_at;

-- name: exported_audit
-- What somebody did, and what was done about them or their videos: not who did it, and not who reported.
SELECT at, action, room_id, video_id, actor = :user_id AS by_themselves,
    CASE WHEN actor = :user_id THEN details ELSE '{}' END AS details
FROM audit
WHERE actor = :user_id OR (user_id = :user_id AND action <> 'reported')
ORDER BY key;

-- name: lock_exports
-- Making an export known, and erasing somebody, one after the other; until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 7407));

-- name: existing_videos
-- Those that are still here; nobody takes them away until the transaction ends.
SELECT id FROM videos WHERE id = ANY (:ids) AND visibility <> 'removed' ORDER BY id FOR SHARE;

-- name: was_erased
-- Whether all of somebody was erased after that.
SELECT EXISTS (
    SELECT FROM audit WHERE at >= :since AND user_id = :user_id AND action = 'erased' AND video_id IS NULL
) AS erased;

-- name: add_export
-- It replaces the one before; of the same link, that of a worker that died before the file was there.
WITH older AS (DELETE FROM exports WHERE user_id = :user_id AND secret_hash <> :secret_hash)
INSERT INTO exports (id, user_id, secret_hash, expires_at, sealed_key)
VALUES (:id, :user_id, :secret_hash, now() + make_interval(secs => :seconds), :sealed_key)
ON CONFLICT (secret_hash) DO UPDATE SET id = excluded.id, expires_at = excluded.expires_at, sealed_key = excluded.sealed_key;

-- name: export_by_secret
SELECT id, sealed_key FROM exports WHERE secret_hash = :secret_hash AND expires_at > now();

-- name: existing_exports
-- Those that may be fetched.
SELECT id FROM exports WHERE id = ANY (:ids) AND expires_at > now();

-- name: delete_expired_exports
-- What nobody may fetch any more.
DELETE FROM exports WHERE expires_at <= now();

-- name: is_of_encrypted
-- Whether anything that is exported is of an encrypted room.
SELECT EXISTS (
    SELECT FROM (
        SELECT unnest(ARRAY[room_id, sent_in]) AS room_id FROM videos WHERE sender = :user_id AND visibility <> 'removed'
        UNION ALL SELECT room_id FROM sent_for WHERE user_id = :user_id AND taken_back_at IS NULL
        UNION ALL SELECT v.room_id FROM reports p JOIN videos v ON v.id = p.video_id WHERE p.reporter = :user_id
        UNION ALL SELECT room_id FROM audit WHERE actor = :user_id OR user_id = :user_id
    ) AS own JOIN rooms r ON r.room_id = own.room_id
    WHERE r.encrypted
) AS found;

-- name: room_made_for
-- The latest that the bot made for somebody, and is in.
SELECT room_id FROM rooms WHERE made_for = :user_id AND bot_membership = 'join' AND encrypted = :encrypted
ORDER BY key DESC LIMIT 1;

-- name: add_direct_room
-- One that the bot made for somebody. Its events may have come by now.
INSERT INTO rooms (room_id, bot_membership, direct, made_for, encrypted, history)
VALUES (:room_id, 'join', true, :user_id, :encrypted, 'invited')
ON CONFLICT (room_id) DO UPDATE SET direct = true, made_for = excluded.made_for,
    encrypted = rooms.encrypted OR excluded.encrypted, history = coalesce(rooms.history, excluded.history);

-- name: add_invited
-- Whom the bot invited to it.
INSERT INTO members (room_id, user_id, membership) VALUES (:room_id, :user_id, 'invite') ON CONFLICT DO NOTHING;

-- name: exported_sent
SELECT kind, room_id, event_id, video_id, reaction, sent_at FROM sent_for
WHERE user_id = :user_id AND taken_back_at IS NULL ORDER BY key;
