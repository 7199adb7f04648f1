-- The bot's marks and notices about videos.

-- name: lock_status
-- One worker at a time updates the status of a video, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:video_id::text, 7406));

-- name: leads_message
-- Whether it is the first video of its message that is still here.
SELECT NOT EXISTS (
    SELECT FROM videos v JOIN videos o ON o.event_id = v.event_id AND o.item < v.item AND o.visibility <> 'removed'
    WHERE v.id = :video_id
) AS leads;

-- name: status_posts
-- The marks and notices of a video; `event_id` is empty where it was redacted.
SELECT kind, event_id, says, times FROM statuses WHERE video_id = :video_id;

-- name: save_status_post
INSERT INTO statuses (video_id, kind, event_id, says) VALUES (:video_id, :kind, :event_id, :says)
ON CONFLICT (video_id, kind) DO UPDATE SET event_id = excluded.event_id, says = excluded.says;

-- name: mark_status_redacted
-- The next time is another one.
UPDATE statuses SET event_id = '', says = '', times = times + 1 WHERE video_id = :video_id AND kind = :kind;

-- name: delete_status_posts
DELETE FROM statuses WHERE video_id = :video_id;

-- name: prune_redacted_marks
-- Marks that were redacted, of videos that have another one and did not change for so long.
DELETE FROM statuses s WHERE (s.video_id, s.kind) IN (
    SELECT r.video_id, r.kind FROM statuses r JOIN videos v ON v.id = r.video_id
    WHERE r.event_id = '' AND v.changed_at < now() - make_interval(days => :days)
        AND EXISTS (SELECT FROM statuses o WHERE o.video_id = r.video_id AND o.event_id <> '')
    LIMIT :most
);
