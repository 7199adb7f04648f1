-- Where members were in a room's videos.

-- name: save_bookmark (room_id, user_id, place) Only for who is in the room now: a request may still be in progress while they leave.
INSERT INTO places (room_id, user_id, place)
SELECT room_id, user_id, $3 FROM members WHERE room_id = $1 AND user_id = $2 AND membership = 'join' FOR SHARE
ON CONFLICT (room_id, user_id) DO UPDATE SET place = excluded.place;

-- name: bookmark (room_id, user_id)
SELECT place FROM places WHERE room_id = $1 AND user_id = $2;
