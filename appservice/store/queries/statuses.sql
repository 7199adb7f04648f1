-- The bot's marks and notices about videos. asyncpg's $n arguments are listed behind each name.

-- name: lock_status (video_id) One worker at a time updates the status of a video; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended($1::text, 7406));

-- name: unlock_status (video_id)
SELECT pg_advisory_unlock(hashtextextended($1::text, 7406));

-- name: hold_status (video_id) Until the transaction's end nobody updates the status of a video.
SELECT pg_advisory_xact_lock(hashtextextended($1::text, 7406));

-- name: leads_message (video_id) Whether it is the first video of its message that is still here.
SELECT NOT EXISTS (
    SELECT FROM videos v JOIN videos o ON o.event_id = v.event_id AND o.item < v.item AND o.visibility <> 'removed'
    WHERE v.id = $1
) AS leads;

-- name: status_posts (video_id) The marks and notices of a video; `event_id` is empty where it was redacted.
SELECT kind, event_id, says, times FROM statuses WHERE video_id = $1;

-- name: save_status_post (video_id, kind, event_id, says)
INSERT INTO statuses (video_id, kind, event_id, says) VALUES ($1, $2, $3, $4)
ON CONFLICT (video_id, kind) DO UPDATE SET event_id = excluded.event_id, says = excluded.says;

-- name: mark_status_redacted (video_id, kind) The next time is another one.
UPDATE statuses SET event_id = '', says = '', times = times + 1 WHERE video_id = $1 AND kind = $2;

-- name: unsay_marks (video_id) The message that was marked is gone, and its marks with it; a notice stays in its thread.
UPDATE statuses SET event_id = '', says = '', times = times + 1
WHERE video_id = $1 AND kind <> 'notice' AND event_id <> '';

-- name: delete_status_posts (video_id)
DELETE FROM statuses WHERE video_id = $1;

-- name: has_status (video_id)
SELECT EXISTS (SELECT FROM statuses WHERE video_id = $1) AS spoken;
