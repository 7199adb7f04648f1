-- Commands to the bot, and its responses. asyncpg's $n arguments are listed behind each name.

-- name: take_command (event_id, room_id, sender, body, thread, replied_to, addressed) Nothing comes back for what is known, or for others. Of a conversation that just began the members may not be known yet.
INSERT INTO commands (event_id, room_id, sender, body, thread, replied_to)
SELECT $1, r.room_id, $3, $4, $5, $6 FROM rooms r
WHERE r.room_id = $2 AND r.bot_membership = 'join' AND (
    $7 OR is_direct(r.room_id, r.direct)
)
ON CONFLICT (event_id) DO NOTHING
RETURNING key;

-- name: lock_commands (room_id) One worker at a time responds in a room; held until the connection lets go.
SELECT pg_try_advisory_lock(hashtextextended($1, 7402)) AS held;

-- name: unlock_commands (room_id)
SELECT pg_advisory_unlock(hashtextextended($1, 7402));

-- name: open_command (room_id) The oldest that is not done.
SELECT key, event_id, room_id, sender, body, thread, replied_to, answer AS response, taken_at IS NOT NULL AS begun
FROM commands WHERE room_id = $1 AND done_at IS NULL ORDER BY key LIMIT 1;

-- name: begin_command (key)
UPDATE commands SET taken_at = now() WHERE key = $1;

-- name: give_back_command (key) It was not done: somebody was away.
UPDATE commands SET taken_at = NULL WHERE key = $1 AND answer IS NULL;

-- name: store_response (key, response)
UPDATE commands SET answer = $2 WHERE key = $1;

-- name: end_command (key) The text is not stored longer than it takes; the row is, so that it is not done twice.
UPDATE commands SET done_at = now(), sender = '', body = '', answer = NULL WHERE key = $1;

-- name: rooms_with_open_commands () What a lost job left behind.
SELECT DISTINCT room_id FROM commands
WHERE done_at IS NULL AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE entrypoint = 'command' AND payload = convert_to(commands.room_id, 'UTF8')
);

-- name: delete_old_commands (days) No homeserver repeats a transaction after so long.
DELETE FROM commands WHERE done_at < now() - make_interval(days => $1);

-- name: person (user_id)
SELECT settings FROM people WHERE user_id = $1;

-- name: set_person (user_id, settings)
INSERT INTO people (user_id, settings) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings;

-- name: set_room_settings (room_id, settings)
UPDATE rooms SET settings = $2 WHERE room_id = $1;

-- name: videos_by_event (room_id, event_id)
SELECT * FROM videos WHERE room_id = $1 AND event_id = $2 AND visibility <> 'removed' ORDER BY item;
