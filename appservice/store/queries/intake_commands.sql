-- What events bring of commands, reactions and sign-ins.

-- name: sign_in_event
-- An event that was dealt with already is delivered again.
SELECT FROM sign_ins WHERE event_id = :event_id UNION ALL SELECT FROM sign_in_misses WHERE event_id = :event_id;

-- name: count_misses
-- How many wrong codes a user has sent lately.
SELECT count(*) AS misses FROM sign_in_misses WHERE user_id = :user_id AND missed_at > now() - make_interval(secs => :seconds);

-- name: add_miss
INSERT INTO sign_in_misses (event_id, user_id) VALUES (:event_id, :user_id) ON CONFLICT DO NOTHING;

-- name: redeem_code
-- The browser that shows the code is signed in from now on; the code is used.
UPDATE sign_ins SET code = NULL, user_id = :user_id, event_id = :event_id, expires_at = now() + make_interval(secs => :seconds)
WHERE room_id = :room_id AND code = :code AND user_id IS NULL AND expires_at > now()
RETURNING browser;

-- name: sign_out_user
-- Every browser of a user.
DELETE FROM sign_ins WHERE user_id = :user_id RETURNING room_id;
