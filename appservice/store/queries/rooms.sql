-- Rooms that the bot is in, or was, and what is read of their state.

-- name: settle_history
-- What came before the room's state was read.
UPDATE videos v SET history = r.history FROM rooms r
WHERE v.room_id = :room_id AND (v.history IS NULL OR v.history = 'before') AND r.room_id = v.room_id AND r.history IS NOT NULL;

-- name: is_state_unread
-- Whether a room's state was not read since the bot came.
SELECT state_read_at < bot_joined_at AS unread FROM rooms WHERE room_id = :room_id;

-- name: removable_unagreed
-- What came since the bot did, and before anybody opted the room in.
SELECT v.id, v.room_id, v.sent_in, v.event_id, v.mxc, v.edits, v.sender
FROM videos v JOIN rooms r ON r.room_id = v.room_id
WHERE v.room_id = :room_id AND v.arrived_at >= r.bot_joined_at
    AND (r.opted_in_at IS NULL OR v.arrived_at < r.opted_in_at) AND (v.visibility <> 'removed' OR v.deleted_at IS NOT NULL)
ORDER BY v.id FOR UPDATE OF v;

-- name: set_replaced_by
UPDATE rooms SET replaced_by = :replacement WHERE room_id = :room_id;

-- name: set_room_snapshot
-- State read from the homeserver; what an event brought later stays. Says whether members were deleted since: then it
-- is to be read again.
UPDATE rooms
SET name = CASE WHEN name_told_at <= :read_at THEN :name ELSE name END, state_read_at = greatest(state_read_at, :read_at),
    name_told_at = greatest(name_told_at, :read_at), power_told_at = greatest(power_told_at, :read_at),
    retention_told_at = greatest(retention_told_at, :read_at),
    power_levels = CASE WHEN power_told_at <= :read_at THEN :power_levels ELSE power_levels END,
    max_lifetime = CASE WHEN retention_told_at <= :read_at THEN :max_lifetime ELSE max_lifetime END,
    history = CASE WHEN history_told_at <= :read_at THEN :history ELSE history END,
    creators = :creators,  -- they never change
    encrypted = encrypted OR :encrypted,  -- nor is this ever taken back
    encryption = coalesce(encryption, :encryption)
WHERE room_id = :room_id
RETURNING members_forgotten_at > :read_at AS again;

-- name: ensure_widget_id
-- The id that the room's widget has for good: the first that it was given.
UPDATE rooms SET widget_id = coalesce(widget_id, :id) WHERE room_id = :room_id RETURNING widget_id;

-- name: mark_widget_placed
UPDATE rooms SET widget_placed = true WHERE room_id = :room_id;

-- name: mark_notified
UPDATE rooms SET told = array_append(told, :subject) WHERE room_id = :room_id AND NOT :subject = ANY (told);

-- name: clear_notified
UPDATE rooms SET told = array_remove(told, :subject) WHERE room_id = :room_id;

-- name: room
SELECT r.*, is_direct(r.room_id, r.direct) AS is_direct, r.state_read_at >= r.bot_joined_at AS state_read
FROM rooms r WHERE room_id = :room_id;

-- name: rooms_with_us
-- The rooms that the bot is in, as far as we know.
SELECT room_id FROM rooms WHERE bot_membership = 'join';

-- name: joined_rooms
-- The rooms that the bot is in, to be looked at anew at a start.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') ORDER BY key;

-- name: snapshot_members
-- Who is joined or invited as read from the homeserver; what an event brought later stays, and so does the time of what
-- is the same.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at)
SELECT :room_id, s.user_id, s.membership, s.display_name, s.avatar_mxc, :read_at
FROM unnest(:user_ids::text[], :memberships::text[], :display_names::text[], :avatar_mxcs::text[])
    AS s (user_id, membership, display_name, avatar_mxc)
WHERE EXISTS (SELECT FROM rooms WHERE room_id = :room_id AND members_forgotten_at <= :read_at)
    OR EXISTS (SELECT FROM members m WHERE m.room_id = :room_id AND m.user_id = s.user_id)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at
WHERE members.changed_at <= :read_at AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = :room_id)
);

-- name: snapshot_leavers
-- Who is not among these any more has left, or was banned.
UPDATE members SET membership = CASE WHEN user_id = ANY (:banned) THEN 'ban' ELSE 'leave' END, changed_at = :read_at
WHERE room_id = :room_id AND changed_at <= :read_at AND NOT user_id = ANY (:user_ids)
    AND (membership NOT IN ('leave', 'ban') OR (membership = 'leave') = (user_id = ANY (:banned)))
RETURNING user_id;

-- name: snapshot_banned
-- Those of the banned without a later event.
SELECT user_id FROM unnest(:banned::text[]) AS b (user_id)
WHERE NOT EXISTS (SELECT FROM members m WHERE m.room_id = :room_id AND m.user_id = b.user_id AND m.changed_at > :read_at);

-- name: is_as_private
-- Whether a room's replacement is encrypted where it was: until the transaction's end the old one does not become so.
SELECT new.encrypted OR NOT old.encrypted FROM rooms old, rooms new
WHERE old.room_id = :old_room_id AND new.room_id = :new_room_id
FOR SHARE OF old;

-- name: move_videos
-- After an upgrade both ends of which were checked.
UPDATE videos SET room_id = :new_room_id, changed_at = now() WHERE room_id = :old_room_id;

-- name: move_settings
-- Once: what the new room's moderators chose wins, and may be taken back.
WITH old AS (SELECT settings FROM rooms WHERE room_id = :old_room_id),
    given AS (UPDATE rooms SET settings = '{}' WHERE room_id = :old_room_id AND settings <> '{}')
UPDATE rooms new SET settings = old.settings || new.settings FROM old WHERE new.room_id = :new_room_id AND old.settings <> '{}';

-- name: move_moderators_room
-- Rooms with their queue there go along.
UPDATE rooms SET settings = jsonb_set(settings, '{moderators_room}', to_jsonb(:new_room_id::text))
WHERE settings ->> 'moderators_room' = :old_room_id;

-- name: move_blocks
WITH moved AS (
    DELETE FROM blocks WHERE room_id = :old_room_id RETURNING source_hash, fingerprint, reason, blocked_by, blocked_at
)
INSERT INTO blocks (room_id, source_hash, fingerprint, reason, blocked_by, blocked_at)
SELECT :new_room_id, source_hash, fingerprint, reason, blocked_by, blocked_at FROM moved ON CONFLICT DO NOTHING;

-- name: move_audit
-- The first of its rooms is stored beside.
UPDATE audit SET room_id = :new_room_id, details = jsonb_build_object('room_before', :old_room_id::text) || details
WHERE room_id = :old_room_id;

-- name: move_avatars
-- Members may come later: then they have their choice already.
WITH chosen AS (
    UPDATE members m SET avatar_video = NULL FROM members was
    WHERE m.room_id = :old_room_id AND was.key = m.key AND was.avatar_video IS NOT NULL
    RETURNING was.user_id, was.avatar_video
)
INSERT INTO members (room_id, user_id, membership, avatar_video, changed_at)
SELECT :new_room_id, user_id, 'leave', avatar_video, to_timestamp(0) FROM chosen
ON CONFLICT (room_id, user_id) DO UPDATE SET avatar_video = coalesce(members.avatar_video, excluded.avatar_video);

-- name: move_opt_in
-- Into the room that replaces an encrypted one, if that is encrypted as well: once, for it may be opted out there.
WITH old AS (
    UPDATE rooms r SET opted_in_by = NULL, opted_in_at = NULL
    FROM (SELECT room_id, opted_in_by, opted_in_at FROM rooms WHERE room_id = :old_room_id FOR UPDATE) AS was,
        rooms AS new
    WHERE r.room_id = was.room_id AND was.opted_in_by IS NOT NULL AND new.room_id = :new_room_id AND new.encrypted
    RETURNING was.opted_in_by, was.opted_in_at
)
UPDATE rooms SET opted_in_by = old.opted_in_by, opted_in_at = old.opted_in_at FROM old
WHERE room_id = :new_room_id AND rooms.opted_in_by IS NULL;

-- name: lock_room
-- One worker at a time tends a room, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:room_id, 7401));

-- name: room_rotation
-- When the keys of an encrypted room are replaced.
SELECT coalesce(encryption, '{}') AS encryption FROM rooms WHERE room_id = :room_id AND encrypted;

-- name: encrypted_rooms_with
-- The encrypted rooms whose messages a user reads.
SELECT m.room_id FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.user_id = :user_id AND r.encrypted AND r.bot_membership = 'join' AND m.membership IN ('join', 'invite');

-- name: room_readers
-- Who reads what is sent to a room from now on: its members, and who is invited where these read it as well. In one that
-- the bot made for somebody, what it says is for them alone, whoever else came in meanwhile.
SELECT m.user_id FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = :room_id AND m.user_id = coalesce(r.made_for, m.user_id)
    AND (m.membership = 'join' OR m.membership = 'invite' AND coalesce(r.history, 'joined') <> 'joined');

-- name: wake_decrypting
SELECT pg_notify('roomreel_encrypted', '');
