-- Where members were in a room's videos.

-- name: save_bookmark
-- Only for who is in the room now: a request may still be in progress while they leave.
INSERT INTO places (room_id, user_id, place)
SELECT room_id, user_id, :place FROM members WHERE room_id = :room_id AND user_id = :user_id AND membership = 'join' FOR SHARE
ON CONFLICT (room_id, user_id) DO UPDATE SET place = excluded.place;

-- name: bookmark
SELECT place FROM places WHERE room_id = :room_id AND user_id = :user_id;
