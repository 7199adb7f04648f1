-- Events of encrypted rooms until they are decrypted.

-- name: due_encrypted_events
-- Not before the room is known to be encrypted: what may be stored of it depends on that.
SELECT e.* FROM encrypted_events e JOIN rooms r ON r.room_id = e.room_id
WHERE e.tried_at IS NULL AND r.encrypted ORDER BY e.key LIMIT :most;

-- name: waiting_encrypted_events
SELECT * FROM encrypted_events WHERE room_id = :room_id AND tried_at IS NOT NULL ORDER BY key;

-- name: encrypted_event_key
SELECT key FROM encrypted_events WHERE key = :key;

-- name: encrypted_event_tried
UPDATE encrypted_events SET tried_at = clock_timestamp(), tries = tries + 1 WHERE key = :key;

-- name: retry_encrypted_events
UPDATE encrypted_events SET tried_at = NULL WHERE session_id = ANY (:session_ids::text[]) AND tried_at IS NOT NULL;

-- name: retry_all_encrypted_events
UPDATE encrypted_events SET tried_at = NULL WHERE tried_at IS NOT NULL;

-- name: take_encrypted_event
DELETE FROM encrypted_events WHERE key = :key RETURNING true AS taken;

-- name: expire_encrypted_events
DELETE FROM encrypted_events WHERE received_at < now() - make_interval(days => :days) RETURNING key;

-- name: key_bundles_to_import
SELECT b.room_id, b.sender FROM key_bundles b JOIN rooms r ON r.room_id = b.room_id
WHERE r.bot_membership = 'join' AND r.inviter = b.sender ORDER BY b.received_at LIMIT 100;

-- name: see
-- Comes back the first time only.
INSERT INTO seen_events (event_id) VALUES (:event_id) ON CONFLICT DO NOTHING RETURNING true AS first;
