-- Policy lists that are followed, and what they do. asyncpg's $n arguments are listed behind each name.

-- name: add_policy_list (room_id, by) Nothing comes back for one that is followed already.
INSERT INTO policy_lists (room_id, added_by) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING room_id;

-- name: remove_policy_list (room_id)
WITH rules AS (DELETE FROM policy_rules WHERE room_id = $1)
DELETE FROM policy_lists WHERE room_id = $1 RETURNING room_id;

-- name: policy_lists () With how many rules each has; `read_at` is empty before it could be read.
SELECT l.room_id, l.added_by, l.read_at, (SELECT count(*) FROM policy_rules r WHERE r.room_id = l.room_id) AS rules
FROM policy_lists l ORDER BY l.added_at, l.room_id;

-- name: is_policy_list (room_id)
SELECT EXISTS (SELECT FROM policy_lists WHERE room_id = $1) AS found;

-- name: delete_policy_rule (room_id, event_type, state_key)
DELETE FROM policy_rules WHERE room_id = $1 AND event_type = $2 AND state_key = $3;

-- name: delete_policy_rules (room_id)
DELETE FROM policy_rules WHERE room_id = $1;

-- name: add_policy_rule (room_id, event_type, state_key, subject, entity, pattern, reason)
INSERT INTO policy_rules (room_id, event_type, state_key, subject, entity, pattern, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (room_id, event_type, state_key) DO UPDATE
SET subject = excluded.subject, entity = excluded.entity, pattern = excluded.pattern, reason = excluded.reason;

-- name: policy_list_read (room_id)
UPDATE policy_lists SET read_at = now() WHERE room_id = $1;

-- name: policy_list_changed (room_id) An event changed a rule: what is being read meanwhile may be from before.
UPDATE policy_lists SET told_at = clock_timestamp() WHERE room_id = $1;

-- name: policy_list_requested (room_id, requested_at) Nothing comes back where something newer is known.
UPDATE policy_lists SET asked_at = $2 WHERE room_id = $1 AND told_at <= $2 AND asked_at <= $2 RETURNING true AS newest;

-- name: set_policy_exempt (user_ids) Admins: a list is not to lock out who could leave it.
WITH gone AS (DELETE FROM policy_exempt WHERE user_id <> ALL ($1))
INSERT INTO policy_exempt SELECT unnest($1::text[]) ON CONFLICT DO NOTHING;

-- name: is_policed (user_id)
SELECT is_policed($1) AS policed;

-- name: is_room_policed (room_id)
SELECT is_room_policed($1) AS policed;

-- name: note_policed () What is in quarantine stays there: of it is only noted whether a list bans its sender as well.
UPDATE videos SET
    quarantined = CASE WHEN quarantined ? 'policy' THEN quarantined - 'policy' ELSE quarantined || '{"policy": true}' END
WHERE quarantined ? 'with_sender' AND quarantined ? 'policy' <> (sender IN (
    SELECT sender FROM (SELECT DISTINCT sender FROM videos WHERE quarantined ? 'with_sender') AS senders
    WHERE is_policed(sender)
));

-- name: hold_policed () What those have whom a list bans is hidden from everybody; the row has what it was before, and what else holds it.
UPDATE videos SET
    quarantined = coalesce(quarantined, jsonb_build_object(
        'visibility', CASE WHEN deleted_at IS NULL THEN visibility ELSE undone_to END,
        'held_for', held_for, 'hidden_by', hidden_by
    )) || '{"policy": true}',
    visibility = CASE WHEN deleted_at IS NULL THEN 'held' ELSE visibility END,
    undone_to = CASE WHEN deleted_at IS NULL THEN undone_to ELSE 'held' END,
    held_for = 'policy', hidden_by = NULL, version = version + 1, changed_at = now()
WHERE (quarantined IS NULL OR held_for = 'verdict') AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    AND sender IN (SELECT sender FROM (SELECT DISTINCT sender FROM videos) AS senders WHERE is_policed(sender))
RETURNING id, room_id, sender;

-- name: release_policed () What is held for a rule that is gone is what it was before, or still waits for its verdict.
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

-- name: policed_rooms () The rooms that the bot is in, and a list bans.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') AND is_room_policed(room_id);

-- name: rooms_of_policed () The rooms where somebody is whom a list bans: what they watch there ends.
SELECT DISTINCT m.room_id FROM members m WHERE m.membership = 'join' AND is_policed(m.user_id);
