-- Policy lists that are followed, and what they do.

-- name: add_policy_list
-- Nothing comes back for one that is followed already.
INSERT INTO policy_lists (room_id, added_by) VALUES (:room_id, :by) ON CONFLICT DO NOTHING RETURNING room_id;

-- name: remove_policy_list
WITH rules AS (DELETE FROM policy_rules WHERE room_id = :room_id)
DELETE FROM policy_lists WHERE room_id = :room_id RETURNING room_id;

-- name: policy_lists
-- With how many rules each has; `read_at` is empty before it could be read.
SELECT l.room_id, l.added_by, l.read_at, (SELECT count(*) FROM policy_rules r WHERE r.room_id = l.room_id) AS rules
FROM policy_lists l ORDER BY l.added_at, l.room_id;

-- name: is_policy_list
SELECT EXISTS (SELECT FROM policy_lists WHERE room_id = :room_id) AS found;

-- name: delete_policy_rules
DELETE FROM policy_rules WHERE room_id = :room_id;

-- name: add_policy_rule
INSERT INTO policy_rules (room_id, event_type, state_key, subject, entity, pattern, reason)
VALUES (:room_id, :event_type, :state_key, :subject, :entity, :pattern, :reason)
ON CONFLICT (room_id, event_type, state_key) DO UPDATE
SET subject = excluded.subject, entity = excluded.entity, pattern = excluded.pattern, reason = excluded.reason;

-- name: policy_list_read
UPDATE policy_lists SET read_at = now() WHERE room_id = :room_id;

-- name: policy_list_requested
-- Nothing comes back where something newer is known.
UPDATE policy_lists SET asked_at = :requested_at
WHERE room_id = :room_id AND told_at <= :requested_at AND asked_at <= :requested_at
RETURNING true AS newest;

-- name: set_policy_exempt
-- Admins: a list is not to lock out who could leave it.
WITH gone AS (DELETE FROM policy_exempt WHERE user_id <> ALL (:user_ids))
INSERT INTO policy_exempt SELECT unnest(:user_ids::text[]) ON CONFLICT DO NOTHING;

-- name: is_policed
SELECT is_policed(:user_id) AS policed;

-- name: is_room_policed
SELECT is_room_policed(:room_id) AS policed;

-- name: note_policed
-- What is in quarantine stays there: of it is only noted whether a list bans its sender as well.
UPDATE videos SET
    quarantined = CASE WHEN quarantined ? 'policy' THEN quarantined - 'policy' ELSE quarantined || '{"policy": true}' END
WHERE quarantined ? 'with_sender' AND quarantined ? 'policy' <> (sender IN (
    SELECT sender FROM (SELECT DISTINCT sender FROM videos WHERE quarantined ? 'with_sender') AS senders
    WHERE is_policed(sender)
));

-- name: hold_policed
-- What those have whom a list bans is hidden from everybody; the row has what it was before, and what else holds it.
-- Each sender is looked up once, whatever they have.
WITH RECURSIVE senders AS (
    (SELECT sender FROM videos ORDER BY sender LIMIT 1)
    UNION ALL
    SELECT (SELECT v.sender FROM videos v WHERE v.sender > s.sender ORDER BY v.sender LIMIT 1)
    FROM senders s WHERE s.sender IS NOT NULL
)
UPDATE videos SET
    quarantined = coalesce(quarantined, jsonb_build_object(
        'visibility', CASE WHEN deleted_at IS NULL THEN visibility ELSE undone_to END,
        'held_for', held_for, 'hidden_by', hidden_by
    )) || '{"policy": true}',
    visibility = CASE WHEN deleted_at IS NULL THEN 'held' ELSE visibility END,
    undone_to = CASE WHEN deleted_at IS NULL THEN undone_to ELSE 'held' END,
    held_for = 'policy', hidden_by = NULL, version = version + 1, changed_at = now()
WHERE (quarantined IS NULL OR held_for = 'verdict') AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    AND sender IN (SELECT sender FROM senders WHERE is_policed(sender))
RETURNING id, room_id, sender;

-- name: release_policed
-- What is held for a rule that is gone is what it was before, or still waits for its verdict.
UPDATE videos SET
    visibility = CASE WHEN deleted_at IS NOT NULL OR quarantined ? 'verdict' THEN visibility
        ELSE quarantined ->> 'visibility' END,
    undone_to = CASE WHEN deleted_at IS NULL OR quarantined ? 'verdict' THEN undone_to
        ELSE quarantined ->> 'visibility' END,
    held_for = CASE WHEN quarantined ? 'verdict' THEN 'verdict' ELSE quarantined ->> 'held_for' END,
    hidden_by = CASE WHEN NOT quarantined ? 'verdict' THEN quarantined ->> 'hidden_by' END,
    quarantined = CASE WHEN quarantined ? 'verdict' THEN quarantined - 'policy' END,
    version = version + 1, changed_at = now()
WHERE quarantined @> '{"policy": true}' AND NOT quarantined ? 'with_sender'
    AND sender IN (
        SELECT sender FROM (SELECT DISTINCT sender FROM videos WHERE quarantined @> '{"policy": true}') AS senders
        WHERE NOT is_policed(sender)
    )
RETURNING id, room_id, sender;

-- name: policed_rooms
-- The rooms that the bot is in, and a list bans.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') AND is_room_policed(room_id);

-- name: rooms_of_policed
-- The rooms where somebody is whom a list bans: what they watch there ends.
WITH RECURSIVE people AS (
    (SELECT user_id FROM members ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.user_id FROM members m WHERE m.user_id > p.user_id ORDER BY m.user_id LIMIT 1)
    FROM people p WHERE p.user_id IS NOT NULL
)
SELECT DISTINCT m.room_id FROM people p, LATERAL (
    -- OFFSET: by the index, for they are few.
    SELECT room_id FROM members WHERE user_id = p.user_id AND membership = 'join' OFFSET 0
) AS m
WHERE is_policed(p.user_id);
