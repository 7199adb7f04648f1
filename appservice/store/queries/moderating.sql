-- What waits for a room's moderators, and what they decided. asyncpg's $n arguments are listed behind each name.

-- name: knows_item (event_id, item) Whether the message brought this video before.
SELECT EXISTS (SELECT FROM videos WHERE event_id = $1 AND item = $2) AS known;

-- name: was_shown (room_id, sender) Whether a video of theirs was approved or shown there before; what was taken away while it waited does not count.
SELECT EXISTS (
    SELECT FROM videos v
    WHERE v.room_id = $1 AND v.sender = $2 AND v.held_for IS NULL AND (
        v.state IN ('playable', 'ready')
        OR EXISTS (SELECT FROM audit a WHERE a.video_id = v.id AND a.action = 'approved')
    )
) AS known;

-- name: refuse (room_id, user_id, sent_at, within_seconds, every_seconds) A row comes back when they are to be notified.
INSERT INTO refusals (room_id, user_id)
SELECT $1, $2 WHERE $3::bigint > (extract(epoch FROM now()) - $4::float8) * 1000
ON CONFLICT (room_id, user_id) DO UPDATE SET told_at = now()
WHERE refusals.told_at <= now() - make_interval(secs => $5::float8)
RETURNING true AS is_due;

-- name: moderated_rooms (user_id, moderators_room or NULL) The rooms that somebody and the bot are in: all, or those with their queue in one moderators' room.
SELECT r.*, false AS is_direct
FROM rooms r JOIN members m ON m.room_id = r.room_id AND m.user_id = $1 AND m.membership = 'join'
WHERE r.bot_membership = 'join' AND NOT is_direct(r.room_id, r.direct) AND ($2::text IS NULL OR r.settings->>'moderators_room' = $2)
ORDER BY r.key;

-- name: is_moderators_room (room_id)
SELECT EXISTS (SELECT FROM rooms WHERE settings->>'moderators_room' = $1) AS found;

-- name: joined_in_both (room_id, other_room_id)
SELECT m.user_id FROM members m JOIN members o USING (user_id)
WHERE m.room_id = $1 AND o.room_id = $2 AND m.membership = 'join' AND o.membership = 'join';

-- name: held_videos (room_ids) The oldest first, with how many reported each.
SELECT v.*, (SELECT count(*) FROM reports r WHERE r.video_id = v.id) AS reports
FROM videos v WHERE v.visibility = 'held' AND v.state <> 'failed' AND v.room_id = ANY ($1)
ORDER BY v.sent_at, v.id;

-- name: reported_videos (room_ids) Reports by video, the latest first.
SELECT v.*, reported.reasons FROM videos v JOIN LATERAL (
    SELECT array_agg(r.reason ORDER BY r.reported_at) AS reasons, max(r.reported_at) AS latest
    FROM reports r WHERE r.video_id = v.id
) AS reported ON reported.reasons IS NOT NULL
WHERE v.visibility <> 'removed' AND v.room_id = ANY ($1)
ORDER BY reported.latest DESC, v.id;

-- name: count_reports (video_id)
SELECT count(*) AS reports FROM reports WHERE video_id = $1;

-- name: hold_video (id, held_for) What is shown waits from now on.
UPDATE videos SET visibility = 'held', held_for = $2, version = version + 1, changed_at = now()
WHERE id = $1 AND visibility = 'shown';

-- name: release_video (id) What waited is shown from now on.
UPDATE videos SET visibility = 'shown', held_for = NULL, version = version + 1, changed_at = now()
WHERE id = $1 AND visibility = 'held';

-- name: room_settings (room_id)
SELECT settings FROM rooms WHERE room_id = $1;

-- name: content_of (id) What distinguishes a video's file from others.
SELECT source_hash, fingerprint FROM videos WHERE id = $1;

-- name: same_content_here (room_id, source_hash or NULL, ids) All videos of a room that are the same file, or one of these.
SELECT * FROM videos WHERE room_id = $1 AND (source_hash = $2 OR id = ANY ($3)) AND visibility <> 'removed'
ORDER BY id FOR UPDATE;

-- name: block (room_id, source_hash, fingerprint, reason, blocked_by)
INSERT INTO blocks (room_id, source_hash, fingerprint, reason, blocked_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (room_id, source_hash) DO UPDATE
SET fingerprint = coalesce(excluded.fingerprint, blocks.fingerprint), reason = excluded.reason,
    blocked_by = excluded.blocked_by, blocked_at = now();

-- name: known_content (id, source_hash) A video's file is identified from now on; what is known of the same file already comes back.
WITH same AS (
    SELECT fingerprint FROM videos WHERE source_hash = $2 AND fingerprint IS NOT NULL LIMIT 1
)
UPDATE videos SET source_hash = $2,
    fingerprint = coalesce(CASE WHEN source_hash = $2 THEN fingerprint END, (SELECT fingerprint FROM same))
WHERE id = $1 AND visibility <> 'removed' RETURNING fingerprint;

-- name: set_fingerprint (source_hash, fingerprint) What a file looks like, for all videos that are this file, and blocks of it.
WITH blocked AS (
    UPDATE blocks SET fingerprint = $2 WHERE source_hash = $1
)
UPDATE videos SET fingerprint = $2 WHERE source_hash = $1 AND visibility <> 'removed';

-- name: blocks_of (room_id) What is not to come into a room: files, and what they look like.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id = $1 OR room_id IS NULL;

-- name: looks_of (room_id) What the videos of a room look like.
SELECT id, source_hash, fingerprint FROM videos
WHERE room_id = $1 AND fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: look_of (source_hash) A file's fingerprint, where a video of it had one.
SELECT fingerprint FROM videos WHERE source_hash = $1 AND fingerprint IS NOT NULL LIMIT 1;

-- name: block_everywhere (source_hash) A block that holds in all rooms.
SELECT source_hash, fingerprint, reason, blocked_by FROM blocks WHERE room_id IS NULL AND source_hash = $1;

-- name: looks_everywhere () What all videos look like.
SELECT id, fingerprint FROM videos WHERE fingerprint IS NOT NULL AND visibility <> 'removed';

-- name: same_content_everywhere (source_hash, ids) All videos that are the same file, or one of these.
SELECT * FROM videos WHERE (source_hash = $1 OR id = ANY ($2)) AND visibility <> 'removed' ORDER BY id FOR UPDATE;

-- name: blocks_everywhere () The latest first.
SELECT room_id, encode(source_hash, 'hex') AS source_hash, reason, blocked_by, blocked_at
FROM blocks WHERE room_id IS NULL ORDER BY blocked_at DESC, key DESC;

-- name: blocks (room_ids) The latest first.
SELECT room_id, encode(source_hash, 'hex') AS source_hash, reason, blocked_by, blocked_at
FROM blocks WHERE room_id = ANY ($1) ORDER BY blocked_at DESC, key DESC;

-- name: unblock (room_id or NULL for all, source_hash in hexadecimal)
DELETE FROM blocks WHERE room_id IS NOT DISTINCT FROM $1 AND source_hash = decode($2, 'hex') RETURNING key;

-- name: concerns_moderators (video_id) Whether a video has a post in a moderators' queue, or is to have one.
SELECT EXISTS (SELECT FROM queue_posts WHERE video_id = $1) OR EXISTS (
    SELECT FROM videos v JOIN rooms r ON r.room_id = v.room_id
    WHERE v.id = $1 AND v.visibility = 'held' AND v.has_poster AND r.settings ? 'moderators_room'
) AS concerns;

-- name: posted_video (room_id, event_id) The video that a post of the bot's is about.
SELECT video_id FROM queue_posts WHERE room_id = $1 AND event_id = $2;

-- name: video_of_post (room_id, event_id)
SELECT v.* FROM queue_posts p JOIN videos v ON v.id = p.video_id
WHERE p.room_id = $1 AND p.event_id = $2 AND v.visibility <> 'removed';

-- name: lock_posts (video_id) One worker at a time posts about a video; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended($1::text, 7403));

-- name: unlock_posts (video_id)
SELECT pg_advisory_unlock(hashtextextended($1::text, 7403));

-- name: posts (video_id) What the bot posted about a video.
SELECT event_id, room_id, part, says FROM queue_posts WHERE video_id = $1 ORDER BY room_id, part;

-- name: add_post (event_id, room_id, video_id, part)
INSERT INTO queue_posts (event_id, room_id, video_id, part) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: post_says (event_id, says)
UPDATE queue_posts SET says = $2 WHERE event_id = $1;

-- name: delete_posts (video_id)
DELETE FROM queue_posts WHERE video_id = $1;

-- name: decision (video_id) Who last decided on a video, and how.
SELECT actor, action FROM audit
WHERE video_id = $1 AND action IN ('approved', 'rejected', 'deleted', 'blocked', 'reports-dismissed')
ORDER BY key DESC LIMIT 1;

-- name: unposted () Held videos without a post, of rooms with their queue in a moderators' room where the bot is; and what was decided without the post showing it.
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
