-- Which file a video is, what it looks like, and what is blocked.

-- name: delete_video
-- Nobody sees it any more, and for some seconds it can come back.
UPDATE videos SET visibility = 'removed', undone_to = visibility, deleted_at = now(), deleted_by = :deleted_by,
    version = version + 1, changed_at = now()
WHERE id = :id
RETURNING (extract(epoch FROM deleted_at) * 1000)::bigint AS deleted_at;

-- name: content_of
-- What distinguishes a video's file from others.
SELECT source_hash, fingerprint FROM videos WHERE id = :id;

-- name: same_content_here
-- All videos of a room that are the same file (NULL for none), or one of these.
SELECT * FROM videos WHERE room_id = :room_id AND (
    substr(source_hash, 1, 2) = substr(:source_hash::bytea, 1, 2) AND source_hash = :source_hash OR id = ANY (:ids)
) AND visibility <> 'removed'
ORDER BY id FOR UPDATE;

-- name: block
INSERT INTO blocks (room_id, source_hash, fingerprint, reason, blocked_by)
VALUES (:room_id, :source_hash, :fingerprint, :reason, :blocked_by)
ON CONFLICT (room_id, source_hash) DO UPDATE
SET fingerprint = coalesce(excluded.fingerprint, blocks.fingerprint), reason = excluded.reason,
    blocked_by = excluded.blocked_by, blocked_at = now();

-- name: known_content
-- A video's file is identified from now on; what is known of the same file already comes back.
WITH same AS (
    SELECT fingerprint FROM videos
    WHERE substr(source_hash, 1, 2) = substr(:source_hash::bytea, 1, 2) AND source_hash = :source_hash AND fingerprint IS NOT NULL
    LIMIT 1
)
UPDATE videos SET source_hash = :source_hash,
    fingerprint = coalesce(CASE WHEN source_hash = :source_hash THEN fingerprint END, (SELECT fingerprint FROM same))
WHERE id = :id AND visibility <> 'removed' RETURNING fingerprint;

-- name: seal_content
-- Of videos in encrypted rooms; not of one that is blocked, or came before its room was encrypted.
UPDATE videos SET sealed_content = :sealed WHERE id = :id AND source_hash IS NULL AND visibility <> 'removed';

-- name: sealed_content
SELECT sealed_content FROM videos WHERE id = :id AND sealed_content IS NOT NULL;

-- name: sealed_contents
SELECT id, sealed_content FROM videos
WHERE sealed_content IS NOT NULL AND visibility <> 'removed' AND (:room_id::text IS NULL OR room_id = :room_id);

-- name: reveal_content
UPDATE videos SET source_hash = :source_hash, fingerprint = :fingerprint, sealed_content = NULL
WHERE id = :id AND sealed_content IS NOT NULL AND visibility <> 'removed';

-- name: set_fingerprint
-- What a file looks like, for all videos that are this file, and blocks of it.
WITH blocked AS (
    UPDATE blocks SET fingerprint = :fingerprint WHERE source_hash = :source_hash
)
UPDATE videos SET fingerprint = :fingerprint
WHERE substr(source_hash, 1, 2) = substr(:source_hash::bytea, 1, 2) AND source_hash = :source_hash AND visibility <> 'removed';

-- name: blocks_of
-- What is not to come into a room: files, and what they look like.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id = :room_id OR room_id IS NULL;

-- name: looks_of
-- What the videos of a room look like.
SELECT id, source_hash, fingerprint FROM videos
WHERE room_id = :room_id AND fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: look_of
-- A file's fingerprint, where a video of it had one.
SELECT fingerprint FROM videos
    WHERE substr(source_hash, 1, 2) = substr(:source_hash::bytea, 1, 2) AND source_hash = :source_hash AND fingerprint IS NOT NULL
    LIMIT 1;

-- name: block_everywhere
-- A block that holds in all rooms.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id IS NULL AND source_hash = :source_hash;

-- name: looks_everywhere
-- What all videos look like.
SELECT id, fingerprint FROM videos WHERE fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: same_content_everywhere
-- All videos that are the same file, or one of these.
SELECT * FROM videos WHERE (
    substr(source_hash, 1, 2) = substr(:source_hash::bytea, 1, 2) AND source_hash = :source_hash OR id = ANY (:ids)
) AND visibility <> 'removed' ORDER BY id FOR UPDATE;

-- name: blocks_everywhere
-- The latest first.
SELECT room_id, encode(source_hash, 'hex') AS source_hash, reason, blocked_by, blocked_at
FROM blocks WHERE room_id IS NULL ORDER BY blocked_at DESC, key DESC;

-- name: blocks
-- The latest first.
SELECT room_id, encode(source_hash, 'hex') AS source_hash, reason, blocked_by, blocked_at
FROM blocks WHERE room_id = ANY (:room_ids) ORDER BY blocked_at DESC, key DESC;

-- name: unblock
-- `room_id` is NULL for all rooms, `source_hash` hexadecimal.
DELETE FROM blocks WHERE room_id IS NOT DISTINCT FROM :room_id AND source_hash = decode(:source_hash, 'hex') RETURNING key;
