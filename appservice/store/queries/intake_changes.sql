-- What events change in rooms and members.

-- name: set_bot_membership
-- The bot was invited, joined or left; only an invitation says whether it is a direct one. What an event brought after
-- `requested_at` (NULL: an event brings this) stays, and nothing comes back.
INSERT INTO rooms (room_id, bot_membership, inviter, direct, bot_told_at, bot_joined_at)
VALUES (
    :room_id, :membership, :inviter, :direct, coalesce(:requested_at, clock_timestamp()),
    CASE WHEN :membership = 'join' THEN coalesce(:requested_at, clock_timestamp()) ELSE '-infinity' END
)
ON CONFLICT (room_id) DO UPDATE
SET bot_membership = excluded.bot_membership,
    -- Who invited it may have shared the keys of what was sent before.
    inviter = CASE WHEN excluded.bot_membership = 'join' THEN coalesce(rooms.inviter, excluded.inviter)
        ELSE excluded.inviter END,
    bot_told_at = coalesce(:requested_at, clock_timestamp()),
    -- Its name may change while it is there.
    bot_joined_at = CASE WHEN excluded.bot_membership = 'join' AND rooms.bot_membership <> 'join'
        THEN coalesce(:requested_at, clock_timestamp()) ELSE rooms.bot_joined_at END,
    direct = CASE WHEN excluded.bot_membership = 'invite' THEN excluded.direct ELSE rooms.direct END,
    left_at = CASE WHEN excluded.bot_membership = 'join' THEN NULL
        WHEN excluded.bot_membership IN ('leave', 'ban') THEN coalesce(rooms.left_at, now()) ELSE rooms.left_at END,
    -- What is sent while it is away is not missed.
    last_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.last_event END,
    joined_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.joined_event END,
    -- Invited again after it left: add the widget, send the notices, and have somebody opt in anew.
    widget_placed = rooms.widget_placed AND excluded.bot_membership = 'join',
    told = CASE WHEN excluded.bot_membership = 'join' THEN rooms.told ELSE '{}' END,
    opted_in_by = CASE WHEN excluded.bot_membership = 'join' THEN rooms.opted_in_by END,
    opted_in_at = CASE WHEN excluded.bot_membership = 'join' THEN rooms.opted_in_at END
WHERE :requested_at::timestamptz IS NULL OR rooms.bot_told_at <= :requested_at
RETURNING true AS taken;

-- name: delete_policy_rule
DELETE FROM policy_rules WHERE room_id = :room_id AND event_type = :event_type AND state_key = :state_key;

-- name: policy_list_changed
-- An event changed a rule: what is being read meanwhile may be from before.
UPDATE policy_lists SET told_at = clock_timestamp() WHERE room_id = :room_id;

-- name: erase_keys_of_room
WITH bundles AS (DELETE FROM key_bundles WHERE room_id = :room_id)
INSERT INTO key_erasures (room_id) SELECT :room_id WHERE to_regclass('crypto_account') IS NOT NULL;
