-- What the bot sends to encrypted rooms.

-- name: is_room_encrypted
SELECT encrypted FROM rooms WHERE room_id = :room_id;

-- name: queue_outgoing
-- Once; it wakes who encrypts.
WITH queued AS (
    INSERT INTO outgoing_events (room_id, kind, content, txn_id) VALUES (:room_id, :kind, :content, :txn_id)
    ON CONFLICT DO NOTHING RETURNING key
)
SELECT pg_notify('roomreel_outgoing', '') FROM queued;

-- name: outgoing_result
SELECT event_id, refused, errcode FROM outgoing_events WHERE txn_id = :txn_id;

-- name: due_outgoing
-- The oldest of each room, except of those.
SELECT * FROM (
    SELECT DISTINCT ON (room_id) * FROM outgoing_events
    WHERE event_id IS NULL AND refused IS NULL AND NOT room_id = ANY (:busy::text[]) ORDER BY room_id, key
) AS first ORDER BY key LIMIT :most;

-- name: outgoing_encrypted
UPDATE outgoing_events SET encrypted = :encrypted WHERE key = :key;

-- name: outgoing_sent
UPDATE outgoing_events SET event_id = :event_id, content = NULL, encrypted = NULL WHERE key = :key;

-- name: outgoing_refused
UPDATE outgoing_events SET refused = :refused, errcode = :errcode, content = NULL, encrypted = NULL WHERE key = :key;

-- name: expire_outgoing
DELETE FROM outgoing_events WHERE queued_at < now() - make_interval(days => :days);

-- name: has_lock
-- Whether somebody holds an advisory lock of this database that outlasts transactions.
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
        AND l.classid = 0 AND l.objid = :lock::bigint::oid AND l.objsubid = 1
) AS held;
