-- Who opted encrypted rooms in, and what that allows.

-- name: share_opt_in
-- Until the transaction's end nobody opts these rooms out, nor settles what came before their state was read; nothing
-- comes back of those that are known not to be encrypted.
SELECT pg_advisory_xact_lock_shared(hashtextextended(room_id, 7430)) FROM (
    SELECT room_id FROM rooms
    WHERE room_id = ANY (:room_ids::text[]) AND (encrypted OR state_read_at < bot_joined_at) ORDER BY room_id
) AS encrypted;

-- name: lock_opt_in
-- Until the transaction's end no video comes into the room.
SELECT pg_advisory_xact_lock(hashtextextended(:room_id, 7430));

-- name: may_take_videos
-- Whether a video may be stored that came, or was sent, no earlier than that (NULL: now): in an encrypted room nothing of
-- before somebody opted in.
SELECT coalesce(bool_and(
    NOT encrypted OR opted_in_by IS NOT NULL AND opted_in_at <= coalesce(:earliest::timestamptz, clock_timestamp())
), false) AS may
FROM rooms WHERE room_id = ANY (:room_ids::text[]);

-- name: opt_in
-- Nothing comes back where somebody did before, or where there is nothing to agree to.
UPDATE rooms SET opted_in_by = :user_id, opted_in_at = clock_timestamp()
WHERE room_id = :room_id AND encrypted AND opted_in_by IS NULL
RETURNING opted_in_at;

-- name: opt_out
UPDATE rooms SET opted_in_by = NULL, opted_in_at = NULL WHERE room_id = :room_id;

-- name: newcomers
-- Who joined since somebody opted the room in, and was not told yet. Those who were in the room that it replaced, were.
SELECT m.user_id, m.joined_at FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = :room_id AND m.membership = 'join' AND r.encrypted AND r.opted_in_by IS NOT NULL
    AND m.joined_at > r.opted_in_at AND (
        m.told_at IS NULL OR m.told_at < r.opted_in_at
        -- Whoever comes and goes is told no more than once a day.
        OR m.told_at < least(m.joined_at, now() - interval '1 day')
    )
    AND m.user_id <> r.opted_in_by
    AND NOT EXISTS (
        SELECT FROM members was JOIN rooms old ON old.room_id = was.room_id
        WHERE old.replaced_by = m.room_id AND was.user_id = m.user_id AND was.membership = 'join'
            AND was.joined_at <= r.opted_in_at
    )
ORDER BY m.joined_at, m.user_id LIMIT :most;

-- name: newcomers_told
UPDATE members SET told_at = clock_timestamp() WHERE room_id = :room_id AND user_id = ANY (:user_ids::text[]);

-- name: has_newcomers_job
-- One that is still to begin: what is in progress may have missed the latest.
SELECT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'newcomers' AND payload = convert_to(:room_id, 'UTF8') AND status = 'queued'
) AS found;
