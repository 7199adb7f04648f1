-- Commands to the bot, its responses, and what people and rooms choose by them.

-- name: lock_commands
-- One worker at a time responds in a room, until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtextextended(:room_id, 7402)) AS held;

-- name: open_command
-- The oldest that is not done.
SELECT key, event_id, room_id, sender, body, thread, replied_to, answer AS response, taken_at IS NOT NULL AS begun
FROM commands WHERE room_id = :room_id AND done_at IS NULL ORDER BY key LIMIT 1;

-- name: begin_command
UPDATE commands SET taken_at = now() WHERE key = :key;

-- name: give_back_command
-- It was not done: somebody was away.
UPDATE commands SET taken_at = NULL WHERE key = :key AND answer IS NULL;

-- name: store_response
UPDATE commands SET answer = :response WHERE key = :key;

-- name: end_command
-- The text is not stored longer than it takes; the row is, so that it is not done twice.
UPDATE commands SET done_at = now(), sender = '', body = '', answer = NULL WHERE key = :key;

-- name: rooms_with_open_commands
-- What a lost job left behind.
SELECT DISTINCT room_id FROM commands
WHERE done_at IS NULL AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE entrypoint = 'command' AND payload = convert_to(commands.room_id, 'UTF8')
);

-- name: delete_old_commands
-- No homeserver repeats a transaction after so long.
DELETE FROM commands WHERE done_at < now() - make_interval(days => :days);

-- name: person
SELECT settings FROM people WHERE user_id = :user_id;

-- name: set_person
INSERT INTO people (user_id, settings) VALUES (:user_id, :settings)
ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings;

-- name: set_room_settings
UPDATE rooms SET settings = :settings WHERE room_id = :room_id;

-- name: videos_by_event
SELECT * FROM videos WHERE room_id = :room_id AND event_id = :event_id AND visibility <> 'removed' ORDER BY item;
