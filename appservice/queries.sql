-- All SQL that runs in operation, by name. asyncpg's $n arguments are listed behind each name.

-- name: upsert_room (room_id) The room exists from now on; an older row stays as it is.
INSERT INTO rooms (room_id) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: set_bot_membership (room_id, membership, inviter) The bot was invited, joined or left.
INSERT INTO rooms (room_id, bot_membership, inviter) VALUES ($1, $2, $3)
ON CONFLICT (room_id) DO UPDATE
SET bot_membership = excluded.bot_membership, inviter = excluded.inviter,
    -- Invited again after it left: place the widget and say what is needed anew.
    widget_placed = rooms.widget_placed AND excluded.bot_membership = 'join',
    told = CASE WHEN excluded.bot_membership = 'join' THEN rooms.told ELSE '{}' END;

-- name: set_room_name (room_id, name)
UPDATE rooms SET name = $2, name_told_at = clock_timestamp() WHERE room_id = $1;

-- name: set_power_levels (room_id, content)
UPDATE rooms SET power_levels = $2, power_told_at = clock_timestamp() WHERE room_id = $1;

-- name: set_encrypted (room_id)
UPDATE rooms SET encrypted = true WHERE room_id = $1;

-- name: set_replaced_by (room_id, replacement)
UPDATE rooms SET replaced_by = $2 WHERE room_id = $1;

-- name: set_room_snapshot (room_id, name, power_levels, creators, encrypted, read_at) State read from the homeserver; what an event told later stays.
UPDATE rooms
SET name = CASE WHEN name_told_at <= $6 THEN $2 ELSE name END,
    power_levels = CASE WHEN power_told_at <= $6 THEN $3 ELSE power_levels END,
    creators = $4,  -- they never change
    encrypted = encrypted OR $5  -- nor is this ever taken back
WHERE room_id = $1;

-- name: mark_widget_placed (room_id)
UPDATE rooms SET widget_placed = true WHERE room_id = $1;

-- name: mark_told (room_id, subject)
UPDATE rooms SET told = array_append(told, $2) WHERE room_id = $1 AND NOT $2 = ANY (told);

-- name: forget_told (room_id, subject)
UPDATE rooms SET told = array_remove(told, $2) WHERE room_id = $1;

-- name: room (room_id)
SELECT * FROM rooms WHERE room_id = $1;

-- name: joined_rooms () The rooms that the bot is in, to be looked at anew at a start.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') ORDER BY key;

-- name: upsert_member (room_id, user_id, membership, display_name, avatar_mxc)
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name,
    avatar_mxc = excluded.avatar_mxc, changed_at = clock_timestamp();

-- name: snapshot_members (room_id, user_ids, display_names, avatar_mxcs, read_at) The joined members as read from the homeserver; what an event said later stays.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc)
SELECT $1, user_id, 'join', display_name, avatar_mxc
FROM unnest($2::text[], $3::text[], $4::text[]) AS joined (user_id, display_name, avatar_mxc)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = 'join', display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc
WHERE members.changed_at <= $5;

-- name: snapshot_leavers (room_id, joined_user_ids, read_at) Who is not among the joined any more has left.
UPDATE members SET membership = 'leave', changed_at = clock_timestamp()
WHERE room_id = $1 AND membership = 'join' AND changed_at <= $3 AND NOT user_id = ANY ($2);

-- name: member_key (room_id, user_id) Nothing comes back unless both the user and the bot are in the room.
SELECT m.key
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = $1 AND m.user_id = $2 AND m.membership = 'join' AND r.bot_membership = 'join';

-- name: joined_members (room_id)
SELECT key, user_id, display_name, avatar_mxc FROM members WHERE room_id = $1 AND membership = 'join';

-- name: member_avatar (room_key, viewer_key, member_key) The avatar of a member, for another joined member of the same room.
SELECT m.avatar_mxc
FROM members m JOIN rooms r ON r.room_id = m.room_id JOIN members v ON v.room_id = r.room_id
WHERE r.key = $1 AND v.key = $2 AND v.membership = 'join' AND m.key = $3;

-- name: viewer (room_key, member_key) The room and user of a media grant, while the user is joined and the bot is there.
SELECT m.room_id, m.user_id
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE r.key = $1 AND m.key = $2 AND m.membership = 'join' AND r.bot_membership = 'join';

-- name: insert_video (event_id, room_id, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at) Nothing comes back for an event that is known.
INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, position)
SELECT $1, $2, $2, $3, $4, $5, $6, $7, $8, at, at
FROM (SELECT least($9::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS at) AS clock
ON CONFLICT (event_id) DO NOTHING
RETURNING id;

-- name: video (id)
SELECT * FROM videos WHERE id = $1;

-- name: room_videos (room_id) Every reel of the room, in order.
SELECT * FROM videos WHERE room_id = $1 AND visibility <> 'removed' ORDER BY position, sent_at, id;

-- name: served_stage (id, room_id) The folder of a video that viewers of a room may be served from now; its sender must be there.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = $1 AND v.room_id = $2 AND v.visibility = 'shown' AND v.state IN ('playable', 'ready');

-- name: begin_attempt (id, from_states) One more attempt; nothing comes back when there is nothing left to do.
UPDATE videos SET state = CASE WHEN state = 'playable' THEN state ELSE 'processing' END,
    attempts = attempts + 1, percent = 0, remaining = NULL, changed_at = now()
WHERE id = $1 AND visibility <> 'removed' AND state = ANY ($2)
RETURNING *;

-- name: give_back_attempt (id, attempt) The worker was stopped in the middle.
UPDATE videos SET attempts = attempts - 1, percent = NULL, remaining = NULL WHERE id = $1 AND attempts = $2;

-- name: pause (id, attempt) The attempt is over, and another one is due later.
UPDATE videos SET percent = NULL, remaining = NULL WHERE id = $1 AND attempts = $2;

-- name: progress (id, attempt, percent, remaining) Keep it for who looks later, and tell who looks now (LISTEN roomreel_progress).
WITH moved AS (
    UPDATE videos SET percent = $3, remaining = $4
    WHERE id = $1 AND attempts = $2 AND state IN ('processing', 'playable') AND visibility <> 'removed'
    RETURNING id, room_id, visibility, percent, remaining
)
SELECT pg_notify('roomreel_progress', json_build_object(
    'room_id', room_id, 'video_id', id, 'percent', percent, 'remaining', remaining
)::text)
FROM moved WHERE visibility = 'shown';

-- name: under_way (heartbeat_timeout) What workers that gave a sign of life within so many seconds are at.
SELECT id, room_id, sender, attempts, percent, remaining FROM videos
WHERE percent IS NOT NULL AND EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8') AND status = 'picked'
        AND heartbeat > now() - make_interval(secs => $1)
)
ORDER BY position, id;

-- name: unfinished_without_job () What a lost job left behind.
SELECT id FROM videos
WHERE state IN ('queued', 'processing', 'playable') AND visibility <> 'removed'
    AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8')
    );

-- name: publish (id, from_states, attempt, state, stage, duration, width, height, has_poster, renditions, available, blurhash, storyboard, has_preview, content_hash) Only the newest attempt may publish.
UPDATE videos SET state = $4, stage = $5, duration = $6, width = $7, height = $8, has_poster = $9, renditions = $10,
    available = $11, blurhash = $12, storyboard = $13, has_preview = $14, content_hash = $15,
    percent = CASE WHEN $4 = 'ready' THEN NULL ELSE percent END,
    remaining = CASE WHEN $4 = 'ready' THEN NULL ELSE remaining END,
    failure = NULL, changed_at = now()
WHERE id = $1 AND state = ANY ($2) AND attempts = $3 AND visibility <> 'removed'
RETURNING room_id;

-- name: grow (id, attempt, stage, available) More segments exist; only the newest attempt may say so.
UPDATE videos SET available = $4
WHERE id = $1 AND attempts = $2 AND stage = $3 AND state = 'playable' AND visibility <> 'removed'
RETURNING id;

-- name: same_content (content_hash, id) Another video whose files are complete and served.
SELECT * FROM videos
WHERE content_hash = $1 AND id <> $2 AND state = 'ready' AND visibility = 'shown'
ORDER BY changed_at DESC LIMIT 1;

-- name: fail (id, from_states, attempt, failure) Nobody is told of a video that was taken back.
UPDATE videos SET state = 'failed', failure = $4, stage = NULL, has_poster = false, renditions = '[]',
    available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL,
    percent = NULL, remaining = NULL, changed_at = now()
WHERE id = $1 AND state = ANY ($2) AND attempts = $3 AND visibility <> 'removed'
RETURNING room_id;

-- name: discard (id) It was no video after all.
DELETE FROM videos WHERE id = $1 RETURNING room_id;

-- name: requeue (id)
UPDATE videos SET state = 'queued', attempts = 0, failure = NULL, changed_at = now()
WHERE id = $1 AND state = 'failed' AND visibility <> 'removed'
RETURNING room_id;

-- name: remove_by_event (sent_in, event_id) The row stays, empty, so that the event is not taken in again.
UPDATE videos SET visibility = 'removed', title = '', mxc = '', encrypted_file = NULL, renditions = '[]', stage = NULL,
    has_poster = false, available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL,
    percent = NULL, remaining = NULL, changed_at = now()
WHERE sent_in = $1 AND event_id = $2 AND visibility <> 'removed'
RETURNING id, room_id;

-- name: move_videos (old_room_id, new_room_id) After an upgrade both ends of which were checked.
UPDATE videos SET room_id = $2, changed_at = now() WHERE room_id = $1;

-- name: counts () For operators: videos by state.
SELECT state, count(*) AS videos FROM videos WHERE visibility <> 'removed' GROUP BY state ORDER BY state;

-- name: ensure_secret (name, value) Every process ends up with the same one.
WITH made AS (INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING value)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = $1 LIMIT 1;

-- name: announce (room_id) Tell every process that the room changed (LISTEN roomreel).
SELECT pg_notify('roomreel', $1);

-- name: lock_room (room_id) One worker at a time tends a room; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended($1, 7401));

-- name: unlock_room (room_id)
SELECT pg_advisory_unlock(hashtextextended($1, 7401));

-- name: clock ()
SELECT clock_timestamp() AS now;
