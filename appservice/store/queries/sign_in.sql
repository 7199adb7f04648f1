-- name: insert_sign_in (room_id, secret_hash, code, browser, seconds) Nothing comes back for a room without the bot, or a code that waits already.
INSERT INTO sign_ins (room_id, secret_hash, code, browser, expires_at)
SELECT room_id, $2, $3, $4, now() + make_interval(secs => $5)
FROM rooms WHERE room_id = $1 AND bot_membership = 'join'
ON CONFLICT (room_id, code) DO NOTHING
RETURNING key;

-- name: delete_old_sign_ins ()
DELETE FROM sign_ins WHERE expires_at < now();

-- name: delete_old_misses (seconds)
DELETE FROM sign_in_misses WHERE missed_at < now() - make_interval(secs => $1);

-- name: sign_in_event (event_id) An event that was dealt with already is delivered again.
SELECT FROM sign_ins WHERE event_id = $1 UNION ALL SELECT FROM sign_in_misses WHERE event_id = $1;

-- name: count_misses (user_id, seconds) How many wrong codes a user has sent lately.
SELECT count(*) AS misses FROM sign_in_misses WHERE user_id = $1 AND missed_at > now() - make_interval(secs => $2);

-- name: add_miss (event_id, user_id)
INSERT INTO sign_in_misses (event_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: redeem_code (room_id, code, user_id, event_id, seconds) The browser that shows the code is signed in from now on; the code is used.
UPDATE sign_ins SET code = NULL, user_id = $3, event_id = $4, expires_at = now() + make_interval(secs => $5)
WHERE room_id = $1 AND code = $2 AND user_id IS NULL AND expires_at > now()
RETURNING browser;

-- name: sign_in (secret_hash, room_id) A browser that is signed in, or waits to be.
SELECT key, user_id FROM sign_ins WHERE secret_hash = $1 AND room_id = $2 AND expires_at > now();

-- name: is_signed_in (key, room_id, user_id)
SELECT FROM sign_ins WHERE key = $1 AND room_id = $2 AND user_id = $3 AND expires_at > now();

-- name: sign_out (secret_hash)
DELETE FROM sign_ins WHERE secret_hash = $1 RETURNING room_id;

-- name: sign_out_user (user_id) Every browser of a user.
DELETE FROM sign_ins WHERE user_id = $1 RETURNING room_id;
