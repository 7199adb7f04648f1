-- What the bot sent on behalf of people. asyncpg's $n arguments are listed behind each name.

-- name: add_sent_for (room_id, user_id, nonce, digest, kind, video_id, target, reaction, upload_id) Nothing comes back where the nonce or the upload was sent already, or the user reacts so.
INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, video_id, target, reaction, upload_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING *;

-- name: sent_by_nonce (room_id, nonce)
SELECT * FROM sent_for WHERE room_id = $1 AND nonce = $2;

-- name: sent_upload (upload_id)
SELECT * FROM sent_for WHERE upload_id = $1;

-- name: lock_reaction (target, reaction without variation selectors) Until it is unlocked, or the connection lets go.
SELECT pg_advisory_lock(hashtextextended($1 || ' ' || $2, 7422));

-- name: unlock_reaction (target, reaction without variation selectors)
SELECT pg_advisory_unlock(hashtextextended($1 || ' ' || $2, 7422));

-- name: react_again (room_id, target, user_id, reaction without variation selectors) One's own that stands. One without an event yet is as new.
UPDATE sent_for SET sent_at = CASE WHEN event_id IS NULL THEN clock_timestamp() ELSE sent_at END
WHERE room_id = $1 AND target = $2 AND user_id = $3 AND replace(reaction, U&'\FE0F', '') = $4 AND taken_back_at IS NULL
RETURNING *;

-- name: standing_reaction (room_id, target, reaction without variation selectors) The event of those who react so, which stays theirs until the transaction's end.
SELECT event_id, reaction FROM sent_for
WHERE room_id = $1 AND target = $2 AND replace(reaction, U&'\FE0F', '') = $3 AND event_id IS NOT NULL
    AND taken_back_at IS NULL
ORDER BY key LIMIT 1 FOR SHARE;

-- name: join_reaction (key, event_id, reaction) Nothing comes back for what was erased meanwhile.
UPDATE sent_for SET event_id = $2, reaction = $3 WHERE key = $1 AND event_id IS NULL AND taken_back_at IS NULL
RETURNING key;

-- name: was_sent (key, event_id) The first event holds. Nothing comes back for what was erased, or taken back, meanwhile.
UPDATE sent_for SET event_id = coalesce(event_id, $2) WHERE key = $1 AND taken_back_at IS NULL RETURNING *;

-- name: sent_by_bot (room_id, nonce, kind) Whose an event of the bot's is.
SELECT * FROM sent_for WHERE room_id = $1 AND nonce = $2 AND kind = $3 FOR UPDATE;

-- name: sent_about (room_id, target, event_ids, nonces, limit) Whose the events about a message are; where only its nonce says so yet, without its event.
SELECT * FROM sent_for
WHERE room_id = $1 AND target = $2 AND taken_back_at IS NULL
    AND (event_id = ANY($3::text[]) OR event_id IS NULL AND nonce = ANY($4::text[]))
ORDER BY key DESC LIMIT $5;

-- name: newest_comments (room_id, target, limit)
SELECT event_id FROM sent_for
WHERE room_id = $1 AND target = $2 AND kind = 'comment' AND event_id IS NOT NULL AND taken_back_at IS NULL
ORDER BY key DESC LIMIT $3;

-- name: own_sent (video_id, target, user_id, event_id, or that with our key for one's own part of a shared reaction) What stands before what was taken back.
SELECT * FROM sent_for
WHERE (video_id = $1 OR target = $2) AND user_id = $3 AND kind <> 'video'
    AND event_id IN ($4, regexp_replace($4, '~[0-9]+$', '')) AND $4 IN (event_id, event_id || '~' || key)
ORDER BY taken_back_at DESC NULLS FIRST LIMIT 1;

-- name: take_back (key) Nothing comes back for what was taken back already.
UPDATE sent_for SET taken_back_at = now() WHERE key = $1 AND taken_back_at IS NULL RETURNING key;

-- name: is_attributed (room_id, event_id) Whether an event is still somebody's.
SELECT EXISTS (
    SELECT FROM sent_for WHERE room_id = $1 AND event_id = $2 AND taken_back_at IS NULL
) AS attributed;

-- name: sent_redacted (room_id, event_id) Somebody redacted it.
UPDATE sent_for SET taken_back_at = now() WHERE room_id = $1 AND event_id = $2 AND taken_back_at IS NULL
RETURNING video_id;

-- name: sent_of_user (user_id, room_id or NULL) With what is about videos that came into the room by an upgrade.
SELECT * FROM sent_for s
WHERE user_id = $1 AND (
    $2::text IS NULL OR room_id = $2 OR EXISTS (SELECT FROM videos v WHERE v.id = s.video_id AND v.room_id = $2)
)
FOR UPDATE;

-- name: sent_in_room (room_id) With what is about videos that came into it by an upgrade.
SELECT * FROM sent_for
WHERE key IN (
    SELECT key FROM sent_for WHERE room_id = $1
    UNION SELECT s.key FROM videos v JOIN sent_for s ON s.video_id = v.id WHERE v.room_id = $1
) AND user_id <> ''
FOR UPDATE;

-- name: sent_due (limit) What is older than its room retains messages.
SELECT s.* FROM rooms r
JOIN sent_for s ON s.room_id = r.room_id AND s.sent_at <= now() - make_interval(secs => r.max_lifetime / 1000.0)
WHERE r.max_lifetime IS NOT NULL AND s.user_id <> '' LIMIT $1
FOR UPDATE OF s;

-- name: erase_sent_rows (keys) Whose it was, and what; that it was, stays as long as what was taken back.
UPDATE sent_for SET user_id = '', digest = '', reaction = NULL, upload_id = NULL,
    taken_back_at = coalesce(taken_back_at, now())
WHERE key = ANY ($1::bigint[]);

-- name: delete_spent_sent (seconds, seconds without an event, limit) What was taken back so long ago, and what never had an event.
DELETE FROM sent_for WHERE key IN (
    SELECT key FROM sent_for
    WHERE (event_id IS NULL OR taken_back_at IS NOT NULL)
        AND coalesce(taken_back_at, sent_at) < now() - make_interval(secs => $1)
        AND (event_id IS NOT NULL OR coalesce(taken_back_at, sent_at) < now() - make_interval(secs => $2))
    LIMIT $3
);

-- name: exported_sent (user_id)
SELECT kind, room_id, event_id, video_id, reaction, sent_at FROM sent_for
WHERE user_id = $1 AND taken_back_at IS NULL ORDER BY key;

-- name: name_in_room (room_id, user_id) What a member is called, and whether somebody else there is called like that, too.
SELECT m.display_name, EXISTS (
    SELECT FROM members o
    WHERE o.room_id = m.room_id AND o.user_id <> m.user_id AND o.membership IN ('join', 'invite')
        AND lower(normalize(o.display_name, NFKC)) = lower(normalize(m.display_name, NFKC))
) AS shared
FROM members m WHERE m.room_id = $1 AND m.user_id = $2;

-- name: readable_since (room_id, user_id) Since when a member may read messages in a room, in ms since the epoch.
SELECT CASE WHEN r.history = 'shared' THEN 0 ELSE ceil(extract(epoch FROM CASE
    WHEN NOT m.join_heard THEN now() WHEN r.history = 'invited' THEN m.invited_at ELSE m.joined_at
END) * 1000)::bigint END AS since
FROM members m JOIN rooms r ON r.room_id = m.room_id WHERE m.room_id = $1 AND m.user_id = $2;
