-- What the bot sent on behalf of people.

-- name: add_sent_for
-- Nothing comes back where the nonce or the upload was sent already, or the user reacts so.
INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, video_id, target, reaction, upload_id)
VALUES (:room_id, :user_id, :nonce, :digest, :kind, :video_id, :target, :reaction, :upload_id) ON CONFLICT DO NOTHING RETURNING *;

-- name: sent_by_nonce
SELECT * FROM sent_for WHERE room_id = :room_id AND nonce = :nonce;

-- name: sent_upload
SELECT * FROM sent_for WHERE upload_id = :upload_id;

-- name: lock_reaction
-- Until the transaction ends. Here and below a reaction is without variation selectors.
SELECT pg_advisory_xact_lock(hashtextextended(:target || ' ' || :reaction, 7422));

-- name: react_again
-- One's own that stands. One without an event yet is as new.
UPDATE sent_for SET sent_at = CASE WHEN event_id IS NULL THEN clock_timestamp() ELSE sent_at END
WHERE room_id = :room_id AND target = :target AND user_id = :user_id
    AND replace(reaction, U&'\FE0F', '') = :reaction AND taken_back_at IS NULL
RETURNING *;

-- name: standing_reaction
-- The event of those who react so, which stays theirs until the transaction's end.
SELECT event_id, reaction FROM sent_for
WHERE room_id = :room_id AND target = :target AND replace(reaction, U&'\FE0F', '') = :reaction AND event_id IS NOT NULL
    AND taken_back_at IS NULL
ORDER BY key LIMIT 1 FOR SHARE;

-- name: join_reaction
-- Nothing comes back for what was erased meanwhile.
UPDATE sent_for SET event_id = :event_id, reaction = :reaction WHERE key = :key AND event_id IS NULL AND taken_back_at IS NULL
RETURNING key;

-- name: was_sent
-- The first event holds. Nothing comes back for what was erased, or taken back, meanwhile.
UPDATE sent_for SET event_id = coalesce(event_id, :event_id) WHERE key = :key AND taken_back_at IS NULL RETURNING *;

-- name: sent_by_bot
-- Whose an event of the bot's is.
SELECT * FROM sent_for WHERE room_id = :room_id AND nonce = :nonce AND kind = :kind FOR UPDATE;

-- name: sent_about
-- Whose the events about a message are; where only its nonce says so yet, without its event.
SELECT * FROM sent_for
WHERE room_id = :room_id AND target = :target AND taken_back_at IS NULL
    AND (event_id = ANY(:event_ids::text[]) OR event_id IS NULL AND nonce = ANY(:nonces::text[]))
ORDER BY key DESC LIMIT :limit;

-- name: newest_comments
SELECT event_id FROM sent_for
WHERE room_id = :room_id AND target = :target AND kind = 'comment' AND event_id IS NOT NULL AND taken_back_at IS NULL
ORDER BY key DESC LIMIT :limit;

-- name: own_sent
-- What stands before what was taken back, by its event, or by that with our key for one's own part of a shared
-- reaction.
SELECT * FROM sent_for
WHERE (video_id = :video_id OR target = :target) AND user_id = :user_id AND kind <> 'video'
    AND event_id IN (:event_id, regexp_replace(:event_id, '~[0-9]+$', '')) AND :event_id IN (event_id, event_id || '~' || key)
ORDER BY taken_back_at DESC NULLS FIRST LIMIT 1;

-- name: take_back
-- Nothing comes back for what was taken back already.
UPDATE sent_for SET taken_back_at = now() WHERE key = :key AND taken_back_at IS NULL RETURNING key;

-- name: is_attributed
-- Whether an event is still somebody's.
SELECT EXISTS (
    SELECT FROM sent_for WHERE room_id = :room_id AND event_id = :event_id AND taken_back_at IS NULL
) AS attributed;

-- name: name_in_room
-- What a member is called, and whether somebody else there is called like that, too.
SELECT m.display_name, EXISTS (
    SELECT FROM members o
    WHERE o.room_id = m.room_id AND o.user_id <> m.user_id AND o.membership IN ('join', 'invite')
        AND lower(normalize(o.display_name, NFKC)) = lower(normalize(m.display_name, NFKC))
) AS shared
FROM members m WHERE m.room_id = :room_id AND m.user_id = :user_id;

-- name: readable_since
-- Since when a member may read messages in a room, in ms since the epoch.
SELECT CASE WHEN r.history = 'shared' THEN 0 ELSE ceil(extract(epoch FROM CASE
    WHEN NOT m.join_heard THEN now() WHEN r.history = 'invited' THEN m.invited_at ELSE m.joined_at
END) * 1000)::bigint END AS since
FROM members m JOIN rooms r ON r.room_id = m.room_id WHERE m.room_id = :room_id AND m.user_id = :user_id;
