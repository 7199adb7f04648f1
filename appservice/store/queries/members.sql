-- A room's members.

-- name: store_member_response
-- One member by the homeserver's response; what an event brought later stays. Nothing comes back where nothing changes.
-- Of strangers nothing is stored.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at, join_heard)
SELECT :room_id, :user_id, :membership, :display_name, :avatar_mxc, :requested_at, :membership <> 'join' FROM rooms r
WHERE r.room_id = :room_id AND r.members_forgotten_at <= :requested_at
    AND (:membership = 'join' OR EXISTS (SELECT FROM members WHERE room_id = :room_id AND user_id = :user_id))
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at,
    join_heard = CASE WHEN members.membership = 'join' THEN members.join_heard ELSE excluded.join_heard END
WHERE members.changed_at <= :requested_at AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = :room_id)
)
RETURNING true AS taken;

-- name: has_newer_membership
-- Whether an event changed a member since then, or the row was deleted.
SELECT coalesce(
    (SELECT changed_at > :requested_at FROM members WHERE room_id = :room_id AND user_id = :user_id),
    members_forgotten_at > :requested_at
) AS is_newer
FROM rooms WHERE room_id = :room_id;

-- name: member_key
-- Nothing comes back unless both the user and the bot are in the room, as far as was learned since the bot is there, or
-- when a policy list bans the user.
SELECT m.key
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = :room_id AND m.user_id = :user_id AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: joined_members
SELECT key, user_id, display_name, avatar_mxc, avatar_video,
    coalesce(ceil(extract(epoch FROM CASE WHEN join_heard THEN joined_at ELSE now() END) * 1000)::bigint, 0) AS joined_at
FROM members WHERE room_id = :room_id AND membership = 'join';

-- name: member_avatar
-- The avatar of a member, for another joined member of the same room.
SELECT m.avatar_mxc
FROM members m JOIN rooms r ON r.room_id = m.room_id JOIN members v ON v.room_id = r.room_id
WHERE r.key = :room_key AND v.key = :viewer_key AND v.membership = 'join' AND m.key = :member_key;

-- name: viewer
-- The room and user of a media grant, while the user is joined and the bot is there.
SELECT m.room_id, m.user_id
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE r.key = :room_key AND m.key = :member_key AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);
