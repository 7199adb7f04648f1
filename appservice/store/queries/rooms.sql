-- All SQL that runs in operation, by name. asyncpg's $n arguments are listed behind each name.

-- name: upsert_room (room_id) The room exists from now on; an older row stays as it is.
INSERT INTO rooms (room_id) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: set_bot_membership (room_id, membership, inviter, direct, requested_at or NULL) The bot was invited, joined or left; only an invitation says whether it is a direct one. What an event brought after `requested_at` stays, and nothing comes back.
INSERT INTO rooms (room_id, bot_membership, inviter, direct, bot_told_at, bot_joined_at)
VALUES (
    $1, $2, $3, $4, coalesce($5, clock_timestamp()),
    CASE WHEN $2 = 'join' THEN coalesce($5, clock_timestamp()) ELSE '-infinity' END
)
ON CONFLICT (room_id) DO UPDATE
SET bot_membership = excluded.bot_membership, inviter = excluded.inviter,
    bot_told_at = coalesce($5, clock_timestamp()),
    -- Its name may change while it is there.
    bot_joined_at = CASE WHEN excluded.bot_membership = 'join' AND rooms.bot_membership <> 'join'
        THEN coalesce($5, clock_timestamp()) ELSE rooms.bot_joined_at END,
    direct = CASE WHEN excluded.bot_membership = 'invite' THEN excluded.direct ELSE rooms.direct END,
    left_at = CASE WHEN excluded.bot_membership = 'join' THEN NULL
        WHEN excluded.bot_membership IN ('leave', 'ban') THEN coalesce(rooms.left_at, now()) ELSE rooms.left_at END,
    -- What is sent while it is away is not missed.
    last_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.last_event END,
    joined_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.joined_event END,
    -- Invited again after it left: add the widget and send the notices anew.
    widget_placed = rooms.widget_placed AND excluded.bot_membership = 'join',
    told = CASE WHEN excluded.bot_membership = 'join' THEN rooms.told ELSE '{}' END
WHERE $5::timestamptz IS NULL OR rooms.bot_told_at <= $5
RETURNING true AS taken;

-- name: set_room_name (room_id, name)
UPDATE rooms SET name = $2, name_told_at = clock_timestamp() WHERE room_id = $1;

-- name: set_max_lifetime (room_id, max_lifetime)
UPDATE rooms SET max_lifetime = $2, retention_told_at = clock_timestamp() WHERE room_id = $1;

-- name: set_history (room_id, history)
UPDATE rooms SET history = $2, history_told_at = clock_timestamp() WHERE room_id = $1;

-- name: settle_history (room_id) What came before the room's state was read.
UPDATE videos v SET history = r.history FROM rooms r
WHERE v.room_id = $1 AND (v.history IS NULL OR v.history = 'before') AND r.room_id = v.room_id AND r.history IS NOT NULL;

-- name: withheld (ids, user_id) Those that somebody may not see: they were not there when it was sent.
SELECT v.id FROM videos v WHERE v.id = ANY ($1) AND NOT was_there(v.sent_in, $2, v.history, coalesce(v.sent_after, v.received_at), v.received_at);

-- name: set_power_levels (room_id, content)
UPDATE rooms SET power_levels = $2, power_told_at = clock_timestamp() WHERE room_id = $1;

-- name: set_encrypted (room_id)
UPDATE rooms SET encrypted = true WHERE room_id = $1;

-- name: set_replaced_by (room_id, replacement)
UPDATE rooms SET replaced_by = $2 WHERE room_id = $1;

-- name: set_room_snapshot (room_id, name, power_levels, creators, encrypted, read_at, max_lifetime, history) State read from the homeserver; what an event brought later stays. Says whether members were deleted since: then it is to be read again.
UPDATE rooms
SET name = CASE WHEN name_told_at <= $6 THEN $2 ELSE name END,
    name_told_at = greatest(name_told_at, $6), power_told_at = greatest(power_told_at, $6),
    retention_told_at = greatest(retention_told_at, $6),
    power_levels = CASE WHEN power_told_at <= $6 THEN $3 ELSE power_levels END,
    max_lifetime = CASE WHEN retention_told_at <= $6 THEN $7 ELSE max_lifetime END,
    history = CASE WHEN history_told_at <= $6 THEN $8 ELSE history END,
    creators = $4,  -- they never change
    encrypted = encrypted OR $5  -- nor is this ever taken back
WHERE room_id = $1
RETURNING members_forgotten_at > $6 AS again;

-- name: ensure_widget_id (room_id, id) The id that the room's widget has for good: the first that it was given.
UPDATE rooms SET widget_id = coalesce(widget_id, $2) WHERE room_id = $1 RETURNING widget_id;

-- name: bot_profile ()
SELECT field, value FROM bot_profile;

-- name: store_bot_profile (field, value)
INSERT INTO bot_profile (field, value) VALUES ($1, $2) ON CONFLICT (field) DO UPDATE SET value = excluded.value;

-- name: delete_bot_profile ()
DELETE FROM bot_profile;

-- name: mark_widget_placed (room_id)
UPDATE rooms SET widget_placed = true WHERE room_id = $1;

-- name: mark_notified (room_id, subject)
UPDATE rooms SET told = array_append(told, $2) WHERE room_id = $1 AND NOT $2 = ANY (told);

-- name: clear_notified (room_id, subject)
UPDATE rooms SET told = array_remove(told, $2) WHERE room_id = $1;

-- name: room (room_id)
SELECT r.*, is_direct(r.room_id, r.direct) AS is_direct FROM rooms r WHERE room_id = $1;

-- name: rooms_with_us () The rooms that the bot is in, as far as we know.
SELECT room_id FROM rooms WHERE bot_membership = 'join';

-- name: joined_rooms () The rooms that the bot is in, to be looked at anew at a start.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') ORDER BY key;

-- name: upsert_member (room_id, user_id, membership, display_name, avatar_mxc) As an event has it.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name,
    avatar_mxc = excluded.avatar_mxc, changed_at = clock_timestamp(), join_heard = true;

-- name: reset_member_since (room_id, user_ids, event_ids) Members whose joining, or coming back, was missed: since when they are there is not known before now.
UPDATE members SET joined_at = clock_timestamp(), invited_at = clock_timestamp(), join_heard = true
WHERE room_id = $1 AND membership IN ('join', 'invite') AND user_id IN (
    SELECT lost.user_id FROM unnest($2::text[], $3::text[]) AS lost (user_id, event_id)
    WHERE NOT EXISTS (SELECT FROM seen_events s WHERE s.event_id = lost.event_id)
);

-- name: store_member_response (room_id, user_id, membership, display_name, avatar_mxc, requested_at) One member by the homeserver's response; what an event brought later stays. Nothing comes back where nothing changes. Of strangers nothing is stored.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at, join_heard)
SELECT $1, $2, $3, $4, $5, $6, $3 <> 'join' FROM rooms r
WHERE r.room_id = $1 AND r.members_forgotten_at <= $6
    AND ($3 = 'join' OR EXISTS (SELECT FROM members WHERE room_id = $1 AND user_id = $2))
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at,
    join_heard = CASE WHEN members.membership = 'join' THEN members.join_heard ELSE excluded.join_heard END
WHERE members.changed_at <= $6 AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = $1)
)
RETURNING true AS taken;

-- name: has_newer_membership (room_id, user_id, requested_at) Whether an event changed a member since then, or the row was deleted.
SELECT coalesce((SELECT changed_at > $3 FROM members WHERE room_id = $1 AND user_id = $2), members_forgotten_at > $3) AS is_newer
FROM rooms WHERE room_id = $1;

-- name: snapshot_members (room_id, user_ids, memberships, display_names, avatar_mxcs, read_at) Who is joined or invited as read from the homeserver; what an event brought later stays, and so does the time of what is the same.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at)
SELECT $1, s.user_id, s.membership, s.display_name, s.avatar_mxc, $6
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS s (user_id, membership, display_name, avatar_mxc)
WHERE EXISTS (SELECT FROM rooms WHERE room_id = $1 AND members_forgotten_at <= $6)
    OR EXISTS (SELECT FROM members m WHERE m.room_id = $1 AND m.user_id = s.user_id)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at
WHERE members.changed_at <= $6 AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = $1)
);

-- name: snapshot_leavers (room_id, user_ids, banned, read_at) Who is not among these any more has left, or was banned.
UPDATE members SET membership = CASE WHEN user_id = ANY ($3) THEN 'ban' ELSE 'leave' END, changed_at = $4
WHERE room_id = $1 AND changed_at <= $4 AND NOT user_id = ANY ($2)
    AND (membership NOT IN ('leave', 'ban') OR (membership = 'leave') = (user_id = ANY ($3)))
RETURNING user_id;

-- name: snapshot_banned (room_id, banned, read_at) Those of the banned without a later event.
SELECT user_id FROM unnest($2::text[]) AS b (user_id)
WHERE NOT EXISTS (SELECT FROM members m WHERE m.room_id = $1 AND m.user_id = b.user_id AND m.changed_at > $3);

-- name: member_key (room_id, user_id) Nothing comes back unless both the user and the bot are in the room, as far as was learned since the bot is there, or when a policy list bans the user.
SELECT m.key
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = $1 AND m.user_id = $2 AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: joined_members (room_id)
SELECT key, user_id, display_name, avatar_mxc, avatar_video,
    coalesce(ceil(extract(epoch FROM CASE WHEN join_heard THEN joined_at ELSE now() END) * 1000)::bigint, 0) AS joined_at
FROM members WHERE room_id = $1 AND membership = 'join';

-- name: member_avatar (room_key, viewer_key, member_key) The avatar of a member, for another joined member of the same room.
SELECT m.avatar_mxc
FROM members m JOIN rooms r ON r.room_id = m.room_id JOIN members v ON v.room_id = r.room_id
WHERE r.key = $1 AND v.key = $2 AND v.membership = 'join' AND m.key = $3;

-- name: viewer (room_key, member_key) The room and user of a media grant, while the user is joined and the bot is there.
SELECT m.room_id, m.user_id
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE r.key = $1 AND m.key = $2 AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: insert_video (event_id, room_id, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, held_for, kind, item, spoiler, spoiler_reason, sent_in, sent_after or NULL, least history visibility or NULL, nonce or NULL) Nothing comes back for an event that is known, or of somebody who does not want it.
INSERT INTO videos (
    event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, position,
    held_for, visibility, kind, item, spoiler, spoiler_reason, sent_after, history, nonce
)
-- Those of a gallery follow each other, within the millisecond.
SELECT $1, $2, $15, $3, $4, $5, $6, $7, $8, at, at + 0.001 * $12::integer, $10::text, CASE WHEN $10 IS NULL THEN 'shown' ELSE 'held' END, $11,
    $12, $13, $14, $16, (
        SELECT CASE WHEN $17::text IS NULL THEN history WHEN 'joined' IN (coalesce(history, 'joined'), $17) THEN 'joined'
            WHEN 'invited' IN (history, $17) THEN 'invited' ELSE history END
        FROM rooms WHERE room_id = $15
    ), $18
FROM (SELECT least($9::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS at) AS clock
WHERE NOT EXISTS (SELECT FROM people WHERE user_id = $3 AND settings @> '{"add": false}')
ON CONFLICT DO NOTHING
RETURNING id;

-- name: was_uploaded (mxc, sender) Whether somebody uploaded a video in the widget.
SELECT EXISTS (SELECT FROM upload_media WHERE mxc = $1 AND owner = $2 AND thumbnail_of IS NULL) AS uploaded;

-- name: lock_doubles (sent_in, sender) Until the transaction's end nobody else takes what somebody sent to a room in the widget.
SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 7421));

-- name: first_sent (sent_in, sender, nonce or NULL, mxc, item, seconds) The video that somebody sent there by the same nonce, also one that can still be brought back; without a nonce the same file, no longer ago than that.
SELECT id FROM videos
WHERE sender = $2 AND sent_in = $1 AND item = $5 AND CASE
    WHEN $3::text IS NOT NULL THEN nonce = $3 AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    ELSE mxc = $4 AND visibility <> 'removed' AND received_at > clock_timestamp() - make_interval(secs => $6)
END
ORDER BY received_at LIMIT 1 FOR UPDATE;

-- name: add_double (event_id, video_id)
INSERT INTO doubles (event_id, video_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: delete_double (sent_in, event_id)
DELETE FROM doubles d USING videos v WHERE d.event_id = $2 AND v.id = d.video_id AND v.sent_in = $1;

-- name: pass_on (video_id, event_id) The next message that brings the same becomes the video's own. Nothing comes back where there is none.
WITH next AS (
    DELETE FROM doubles WHERE event_id = (SELECT event_id FROM doubles WHERE video_id = $1 ORDER BY received_at LIMIT 1)
    RETURNING event_id
)
UPDATE videos v SET event_id = next.event_id, changed_at = now() FROM next
WHERE v.id = $1 AND v.event_id = $2 AND v.visibility <> 'removed'
RETURNING v.id;

-- name: video (id)
SELECT * FROM videos WHERE id = $1;

-- name: room_videos (room_id) Every reel of the room, in order.
SELECT * FROM videos WHERE room_id = $1 AND visibility <> 'removed' ORDER BY position, sent_at, id;

-- name: videos_of (sender, room_id or NULL) A member's reels: of one room, or of all where both they and the bot are.
SELECT v.*
FROM videos v
    JOIN rooms r ON r.room_id = v.room_id AND r.bot_membership = 'join'
    JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.sender = $1 AND ($2::text IS NULL OR v.room_id = $2) AND v.visibility <> 'removed'
ORDER BY r.key, v.position, v.sent_at, v.id;

-- name: videos_by_short_id (hexadecimal digits, user_id) One more than is of use, to see that the digits are too few.
SELECT v.*
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = $2 AND m.membership = 'join'
WHERE v.visibility <> 'removed' AND replace(v.id::text, '-', '') LIKE $1 || '%'
ORDER BY v.id LIMIT 2;

-- name: served_stage (id, room_id) The folder of a video that viewers of a room may be served from now; its sender must be there.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = $1 AND v.room_id = $2 AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND v.history IN ('shared', 'before');

-- name: served_stage_to (id, room_id, user_id) As `served_stage`, of what not every member may see.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = $1 AND v.room_id = $2 AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND (v.sender = $3 OR was_there(v.sent_in, $3, v.history, coalesce(v.sent_after, v.received_at), v.received_at));

-- name: begin_attempt (id, from_states) One more attempt; nothing comes back when there is nothing left to do, or the bot has left.
UPDATE videos SET state = CASE WHEN state = 'playable' THEN state ELSE 'processing' END,
    attempts = attempts + 1, percent = 0, remaining = NULL, changed_at = now()
WHERE id = $1 AND visibility <> 'removed' AND state = ANY ($2)
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
RETURNING *;

-- name: wanted (id, attempt)
SELECT FROM videos v WHERE v.id = $1 AND v.attempts = $2 AND v.visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = v.room_id AND r.left_at IS NOT NULL);

-- name: give_back_attempt (id, attempt) The worker was stopped in the middle.
UPDATE videos SET attempts = attempts - 1, percent = NULL, remaining = NULL WHERE id = $1 AND attempts = $2;

-- name: await_upload (id, attempt) The file is not uploaded yet: no attempt, and its work has not begun.
UPDATE videos SET attempts = attempts - 1, awaited_since = coalesce(awaited_since, now()), percent = NULL,
    remaining = NULL, state = CASE WHEN state = 'processing' THEN 'queued' ELSE state END, changed_at = now()
WHERE id = $1 AND attempts = $2
RETURNING room_id;

-- name: first_awaiting (mxc) Of the videos whose file is not uploaded yet, the one that queries for all with the same file.
SELECT id FROM videos
WHERE mxc = $1 AND awaited_since IS NOT NULL AND state IN ('queued', 'playable', 'ready') AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
ORDER BY id LIMIT 1;

-- name: upload_came (mxc) Nobody waits for the file any more: all who did begin at once.
WITH came AS (
    UPDATE videos SET awaited_since = NULL WHERE mxc = $1 AND awaited_since IS NOT NULL
    RETURNING id
)
UPDATE pgqueuer SET execute_after = now()
WHERE entrypoint = 'video' AND status = 'queued' AND execute_after > now()
    AND payload IN (SELECT convert_to(id::text, 'UTF8') FROM came);

-- name: uncount_attempt (id, attempt, number) Let one attempt more, or fewer, not count.
UPDATE videos SET attempts_spared = attempts_spared + $3 WHERE id = $1 AND attempts = $2;

-- name: note_size (id, attempt, bytes) What was downloaded, whatever was claimed.
UPDATE videos SET claimed_size = $3, bytes = greatest(bytes, $3) WHERE id = $1 AND attempts = $2;

-- name: classify (id, attempt, kind, title) What a person named retains its name.
UPDATE videos SET kind = $3, title = CASE WHEN renamed THEN title ELSE $4 END, changed_at = now()
WHERE id = $1 AND attempts = $2 AND visibility <> 'removed'
RETURNING room_id;

-- name: pause (id, attempt) The attempt is over, and another one is due later.
UPDATE videos SET percent = NULL, remaining = NULL WHERE id = $1 AND attempts = $2;

-- name: withdraw_unfinished (id, attempt) The attempt ended before its first stage was whole: nobody is to wait for more of it.
UPDATE videos v SET state = 'processing', stage = NULL, has_poster = false, renditions = '[]', available = NULL,
    blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]', audio_left_out = NULL,
    bytes = CASE WHEN v.admitted_at = 'infinity' THEN 0 ELSE coalesce(v.claimed_size, 0) END, changed_at = now()
FROM (SELECT id, stage FROM videos WHERE id = $1 FOR UPDATE) AS old
WHERE v.id = old.id AND v.attempts = $2 AND v.state = 'playable' AND v.available IS NOT NULL
    AND v.visibility <> 'removed'
RETURNING v.room_id, old.stage;

-- name: progress (id, attempt, percent, remaining) Store it for who looks later, and notify who looks now (LISTEN roomreel_progress).
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

-- name: unfinished_without_job () What a lost job left behind, or the bot where it left and came back.
SELECT id FROM videos
WHERE (state IN ('queued', 'processing', 'playable') OR state = 'ready' AND finishing IS NOT NULL) AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8')
    );

-- name: publish (id, from_states, attempt, state, stage, duration, width, height, has_poster, renditions, available, blurhash, storyboard, has_preview, content_hash, captions, bytes, audio_left_out) Only the newest attempt may publish. Until all is there, no less than what was downloaded counts.
UPDATE videos SET state = $4, stage = $5, duration = $6, width = $7, height = $8, has_poster = $9, renditions = $10,
    available = $11, blurhash = $12, storyboard = $13, has_preview = $14, content_hash = $15, captions = $16,
    bytes = CASE WHEN $4 = 'ready' OR admitted_at = 'infinity' THEN $17 ELSE greatest($17, claimed_size) END,
    -- What is made of a recording has lost before what of its audio cannot be taken.
    audio_left_out = coalesce($18, (
        SELECT u.content ->> 'audio_left_out' FROM uploads u WHERE u.state = 'ready' AND u.content ->> 'url' = mxc LIMIT 1
    )),
    percent = CASE WHEN $4 = 'ready' THEN NULL ELSE percent END,
    remaining = CASE WHEN $4 = 'ready' THEN NULL ELSE remaining END,
    failure = NULL, finishing = CASE WHEN $4 = 'ready' THEN 0 END,
    replaced = CASE WHEN $4 <> 'ready' THEN replaced END, changed_at = now()
WHERE id = $1 AND state = ANY ($2) AND attempts = $3 AND visibility <> 'removed'
RETURNING room_id, audio_left_out;

-- name: begin_finishing (id, most) Begin again what follows from a video being ready, after the worker that was to do it died or was stopped. Nothing comes back when that is done, or was begun too often.
UPDATE videos SET finishing = CASE WHEN finishing < $2 THEN finishing + 1 END
WHERE id = $1 AND finishing IS NOT NULL AND state = 'ready' AND visibility <> 'removed'
RETURNING *;

-- name: finished (id, attempt)
UPDATE videos SET finishing = NULL WHERE id = $1 AND attempts = $2;

-- name: append_segments (id, attempt, stage, available) More segments exist; only the newest attempt may say so. Notify who waits for them (LISTEN roomreel_grown).
WITH appended AS (
    UPDATE videos SET available = $4
    WHERE id = $1 AND attempts = $2 AND stage = $3 AND state = 'playable' AND visibility <> 'removed'
    RETURNING room_id
)
SELECT pg_notify('roomreel_grown', room_id) FROM appended;

-- name: same_content (content_hash, id) Another video whose files are complete and served.
SELECT * FROM videos
WHERE content_hash = $1 AND id <> $2 AND state = 'ready' AND visibility = 'shown'
ORDER BY changed_at DESC LIMIT 1;

-- name: fail (id, from_states, attempt, failure) Nobody is notified of a video that was taken back.
UPDATE videos SET state = 'failed', failure = $4, stage = NULL, has_poster = false, renditions = '[]',
    available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]',
    percent = NULL, remaining = NULL, bytes = 0, audio_left_out = NULL, changed_at = now()
WHERE id = $1 AND state = ANY ($2) AND attempts = $3 AND visibility <> 'removed'
RETURNING room_id, kind;

-- name: discard (id, attempt) It was no video after all.
DELETE FROM videos WHERE id = $1 AND attempts = $2 RETURNING room_id, sent_in;

-- name: requeue (id)
UPDATE videos v SET state = 'queued', attempts = 0, attempts_before = 0, attempts_spared = 0, failure = NULL,
    awaited_since = NULL, arrived_at = clock_timestamp(), admitted_at = 'infinity', changed_at = now()
FROM videos was
WHERE v.id = $1 AND was.id = v.id AND v.state = 'failed' AND v.visibility <> 'removed'
RETURNING v.room_id, v.sender, was.failure;

-- name: move_videos (old_room_id, new_room_id) After an upgrade both ends of which were checked.
UPDATE videos SET room_id = $2, changed_at = now() WHERE room_id = $1;

-- name: move_settings (old_room_id, new_room_id) Once: what the new room's moderators chose wins, and may be taken back.
WITH old AS (SELECT settings FROM rooms WHERE room_id = $1),
    given AS (UPDATE rooms SET settings = '{}' WHERE room_id = $1 AND settings <> '{}')
UPDATE rooms new SET settings = old.settings || new.settings FROM old WHERE new.room_id = $2 AND old.settings <> '{}';

-- name: move_moderators_room (old_room_id, new_room_id) Rooms with their queue there go along.
UPDATE rooms SET settings = jsonb_set(settings, '{moderators_room}', to_jsonb($2::text))
WHERE settings ->> 'moderators_room' = $1;

-- name: move_blocks (old_room_id, new_room_id)
WITH moved AS (
    DELETE FROM blocks WHERE room_id = $1 RETURNING source_hash, fingerprint, reason, blocked_by, blocked_at
)
INSERT INTO blocks (room_id, source_hash, fingerprint, reason, blocked_by, blocked_at)
SELECT $2, source_hash, fingerprint, reason, blocked_by, blocked_at FROM moved ON CONFLICT DO NOTHING;

-- name: move_audit (old_room_id, new_room_id) The first of its rooms is stored beside.
UPDATE audit SET room_id = $2, details = jsonb_build_object('room_before', $1::text) || details WHERE room_id = $1;

-- name: move_avatars (old_room_id, new_room_id) Members may come later: then they have their choice already.
WITH chosen AS (
    UPDATE members m SET avatar_video = NULL FROM members was
    WHERE m.room_id = $1 AND was.key = m.key AND was.avatar_video IS NOT NULL
    RETURNING was.user_id, was.avatar_video
)
INSERT INTO members (room_id, user_id, membership, avatar_video, changed_at)
SELECT $2, user_id, 'leave', avatar_video, to_timestamp(0) FROM chosen
ON CONFLICT (room_id, user_id) DO UPDATE SET avatar_video = coalesce(members.avatar_video, excluded.avatar_video);

-- name: counts () For operators: videos by state.
SELECT state, count(*) AS videos FROM videos WHERE visibility <> 'removed' GROUP BY state ORDER BY state;

-- name: ensure_secret (name, value) Every process ends up with the same one.
WITH made AS (INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING value)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = $1 LIMIT 1;

-- name: announce (room_id) Notify every process that the room changed (LISTEN roomreel).
SELECT pg_notify('roomreel', $1);

-- name: announce_talk (room_ids, targets, relate) Notify every process of what is new about messages (LISTEN roomreel_talk): of what relates to one, where it brought a video that is here; of what may be about any, where the room has a video.
SELECT pg_notify('roomreel_talk', json_build_object('room_id', t.room_id, 'event_id', t.target)::text)
FROM unnest($1::text[], $2::text[], $3::boolean[]) AS t (room_id, target, relates)
WHERE CASE
    WHEN t.relates THEN EXISTS (
        SELECT FROM videos v WHERE v.event_id = t.target AND v.room_id = t.room_id AND v.visibility <> 'removed'
    )
    ELSE EXISTS (SELECT FROM videos v WHERE v.room_id = t.room_id AND v.visibility <> 'removed')
END;

-- name: lock_room (room_id) One worker at a time tends a room; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended($1, 7401));

-- name: unlock_room (room_id)
SELECT pg_advisory_unlock(hashtextextended($1, 7401));

-- name: clock ()
SELECT clock_timestamp() AS now;
