-- Signing in without a client.

-- name: insert_sign_in
-- Nothing comes back for a room without the bot, or a code that waits already.
INSERT INTO sign_ins (room_id, secret_hash, code, browser, expires_at)
SELECT room_id, :secret_hash, :code, :browser, now() + make_interval(secs => :seconds)
FROM rooms WHERE room_id = :room_id AND bot_membership = 'join'
ON CONFLICT (room_id, code) DO NOTHING
RETURNING key;

-- name: delete_old_sign_ins
DELETE FROM sign_ins WHERE expires_at < now();

-- name: delete_old_misses
DELETE FROM sign_in_misses WHERE missed_at < now() - make_interval(secs => :seconds);

-- name: sign_in
-- A browser that is signed in, or waits to be.
SELECT key, user_id FROM sign_ins WHERE secret_hash = :secret_hash AND room_id = :room_id AND expires_at > now();

-- name: is_signed_in
SELECT FROM sign_ins WHERE key = :key AND room_id = :room_id AND user_id = :user_id AND expires_at > now();

-- name: signed_in
-- Those of these sign-ins that hold in a room.
SELECT key, user_id FROM sign_ins WHERE key = ANY (:keys::bigint[]) AND room_id = :room_id AND expires_at > now();

-- name: sign_out
DELETE FROM sign_ins WHERE secret_hash = :secret_hash RETURNING room_id;
