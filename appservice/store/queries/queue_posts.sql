-- The bot's posts in the moderators' queue, and what they decided.

-- name: video_of_post
SELECT v.* FROM queue_posts p JOIN videos v ON v.id = p.video_id
WHERE p.room_id = :room_id AND p.event_id = :event_id AND v.visibility <> 'removed';

-- name: lock_posts
-- One worker at a time posts about a video, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:video_id::text, 7403));

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
