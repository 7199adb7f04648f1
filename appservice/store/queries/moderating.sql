-- What waits for a room's moderators, and what they decided.

-- name: knows_item
-- Whether the message brought this video before.
SELECT EXISTS (SELECT FROM videos WHERE event_id = :event_id AND item = :item) AS known;

-- name: was_shown
-- Whether a video of theirs was approved or shown there before; what was taken away while it waited does not count.
SELECT EXISTS (
    SELECT FROM videos v
    WHERE v.room_id = :room_id AND v.sender = :sender AND v.held_for IS NULL AND (
        v.state IN ('playable', 'ready')
        OR EXISTS (SELECT FROM audit a WHERE a.video_id = v.id AND a.action = 'approved')
    )
) AS known;

-- name: refuse
-- A row comes back when they are to be notified.
INSERT INTO refusals (room_id, user_id)
SELECT :room_id, :user_id WHERE :sent_at::bigint > (extract(epoch FROM now()) - :within_seconds::float8) * 1000
ON CONFLICT (room_id, user_id) DO UPDATE SET told_at = now()
WHERE refusals.told_at <= now() - make_interval(secs => :every_seconds::float8)
RETURNING true AS is_due;

-- name: moderated_rooms
-- The rooms that somebody and the bot are in: all (NULL), or those with their queue in one moderators' room.
SELECT r.*, false AS is_direct
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

-- name: count_reports
SELECT count(*) AS reports FROM reports WHERE video_id = :video_id;

-- name: hold_video
-- What is shown waits from now on.
UPDATE videos SET visibility = 'held', held_for = :held_for, version = version + 1, changed_at = now()
WHERE id = :id AND visibility = 'shown';

-- name: release_video
-- What waited is shown from now on.
UPDATE videos SET visibility = 'shown', held_for = NULL, version = version + 1, changed_at = now()
WHERE id = :id AND visibility = 'held';

-- name: room_settings
SELECT settings FROM rooms WHERE room_id = :room_id;

-- name: content_of
-- What distinguishes a video's file from others.
SELECT source_hash, fingerprint FROM videos WHERE id = :id;

-- name: same_content_here
-- All videos of a room that are the same file (NULL for none), or one of these.
SELECT * FROM videos WHERE room_id = :room_id AND (source_hash = :source_hash OR id = ANY (:ids)) AND visibility <> 'removed'
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
    SELECT fingerprint FROM videos WHERE source_hash = :source_hash AND fingerprint IS NOT NULL LIMIT 1
)
UPDATE videos SET source_hash = :source_hash,
    fingerprint = coalesce(CASE WHEN source_hash = :source_hash THEN fingerprint END, (SELECT fingerprint FROM same))
WHERE id = :id AND visibility <> 'removed' RETURNING fingerprint;

-- name: set_fingerprint
-- What a file looks like, for all videos that are this file, and blocks of it.
WITH blocked AS (
    UPDATE blocks SET fingerprint = :fingerprint WHERE source_hash = :source_hash
)
UPDATE videos SET fingerprint = :fingerprint WHERE source_hash = :source_hash AND visibility <> 'removed';

-- name: blocks_of
-- What is not to come into a room: files, and what they look like.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id = :room_id OR room_id IS NULL;

-- name: looks_of
-- What the videos of a room look like.
SELECT id, source_hash, fingerprint FROM videos
WHERE room_id = :room_id AND fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: look_of
-- A file's fingerprint, where a video of it had one.
SELECT fingerprint FROM videos WHERE source_hash = :source_hash AND fingerprint IS NOT NULL LIMIT 1;

-- name: block_everywhere
-- A block that holds in all rooms.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id IS NULL AND source_hash = :source_hash;

-- name: looks_everywhere
-- What all videos look like.
SELECT id, fingerprint FROM videos WHERE fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: same_content_everywhere
-- All videos that are the same file, or one of these.
SELECT * FROM videos WHERE (source_hash = :source_hash OR id = ANY (:ids)) AND visibility <> 'removed' ORDER BY id FOR UPDATE;

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

-- name: concerns_moderators
-- Whether a video has a post in a moderators' queue, or is to have one.
SELECT EXISTS (SELECT FROM queue_posts WHERE video_id = :video_id) OR EXISTS (
    SELECT FROM videos v JOIN rooms r ON r.room_id = v.room_id
    WHERE v.id = :video_id AND v.visibility = 'held' AND v.has_poster AND r.settings ? 'moderators_room'
) AS concerns;

-- name: posted_video
-- The video that a post of the bot's is about.
SELECT video_id FROM queue_posts WHERE room_id = :room_id AND event_id = :event_id;

-- name: video_of_post
SELECT v.* FROM queue_posts p JOIN videos v ON v.id = p.video_id
WHERE p.room_id = :room_id AND p.event_id = :event_id AND v.visibility <> 'removed';

-- name: lock_posts
-- One worker at a time posts about a video; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended(:video_id::text, 7403));

-- name: unlock_posts
SELECT pg_advisory_unlock(hashtextextended(:video_id::text, 7403));

-- name: posts
-- What the bot posted about a video.
SELECT event_id, room_id, part, says FROM queue_posts WHERE video_id = :video_id ORDER BY room_id, part;

-- name: add_post
INSERT INTO queue_posts (event_id, room_id, video_id, part) VALUES (:event_id, :room_id, :video_id, :part) ON CONFLICT DO NOTHING;

-- name: post_says
UPDATE queue_posts SET says = :says WHERE event_id = :event_id;

-- name: delete_posts
DELETE FROM queue_posts WHERE video_id = :video_id;

-- name: decision
-- Who last decided on a video, and how.
SELECT actor, action FROM audit
WHERE video_id = :video_id AND action IN ('approved', 'rejected', 'deleted', 'blocked', 'reports-dismissed')
ORDER BY key DESC LIMIT 1;

-- name: unposted
-- Held videos without a post, of rooms with their queue in a moderators' room where the bot is; and what was decided
-- without the post showing it.
SELECT v.id FROM videos v
    JOIN rooms r ON r.room_id = v.room_id
    JOIN rooms moderators ON moderators.room_id = r.settings->>'moderators_room' AND moderators.bot_membership = 'join'
WHERE v.visibility = 'held' AND (v.held_for IS NULL OR v.held_for IN ('approval', 'reports'))
    AND v.has_poster AND v.state <> 'failed'
    AND NOT EXISTS (
        SELECT FROM queue_posts p WHERE p.video_id = v.id AND p.room_id = moderators.room_id AND p.part = 'text'
    )
UNION
SELECT v.id FROM queue_posts p JOIN videos v ON v.id = p.video_id
WHERE v.visibility = 'removed' OR (p.part = 'text' AND p.says = 'waiting' AND v.visibility <> 'held');
