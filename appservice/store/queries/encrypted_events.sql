-- Events of encrypted rooms until they are decrypted.

-- name: due_encrypted_events
SELECT * FROM encrypted_events WHERE tried_at IS NULL ORDER BY key LIMIT :most;

-- name: waiting_encrypted_events
SELECT * FROM encrypted_events WHERE room_id = :room_id AND tried_at IS NOT NULL ORDER BY key;

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
