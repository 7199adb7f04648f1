-- All SQL that runs in operation, by name.

-- name: upsert_room
-- The room exists from now on; an older row stays as it is.
INSERT INTO rooms (room_id) VALUES (:room_id) ON CONFLICT DO NOTHING;

-- name: set_bot_membership
-- The bot was invited, joined or left; only an invitation says whether it is a direct one. What an event brought after
-- `requested_at` (NULL: an event brings this) stays, and nothing comes back.
INSERT INTO rooms (room_id, bot_membership, inviter, direct, bot_told_at, bot_joined_at)
VALUES (
    :room_id, :membership, :inviter, :direct, coalesce(:requested_at, clock_timestamp()),
    CASE WHEN :membership = 'join' THEN coalesce(:requested_at, clock_timestamp()) ELSE '-infinity' END
)
ON CONFLICT (room_id) DO UPDATE
SET bot_membership = excluded.bot_membership, inviter = excluded.inviter,
    bot_told_at = coalesce(:requested_at, clock_timestamp()),
    -- Its name may change while it is there.
    bot_joined_at = CASE WHEN excluded.bot_membership = 'join' AND rooms.bot_membership <> 'join'
        THEN coalesce(:requested_at, clock_timestamp()) ELSE rooms.bot_joined_at END,
    direct = CASE WHEN excluded.bot_membership = 'invite' THEN excluded.direct ELSE rooms.direct END,
    left_at = CASE WHEN excluded.bot_membership = 'join' THEN NULL
        WHEN excluded.bot_membership IN ('leave', 'ban') THEN coalesce(rooms.left_at, now()) ELSE rooms.left_at END,
    -- What is sent while it is away is not missed.
    last_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.last_event END,
    joined_event = CASE WHEN excluded.bot_membership = 'join' THEN rooms.joined_event END,
    -- Invited again after it left: add the widget and send the notices anew.
    widget_placed = rooms.widget_placed AND excluded.bot_membership = 'join',
    told = CASE WHEN excluded.bot_membership = 'join' THEN rooms.told ELSE '{}' END
WHERE :requested_at::timestamptz IS NULL OR rooms.bot_told_at <= :requested_at
RETURNING true AS taken;

-- name: set_room_name
UPDATE rooms SET name = :name, name_told_at = clock_timestamp() WHERE room_id = :room_id;

-- name: set_max_lifetime
UPDATE rooms SET max_lifetime = :max_lifetime, retention_told_at = clock_timestamp() WHERE room_id = :room_id;

-- name: set_history
UPDATE rooms SET history = :history, history_told_at = clock_timestamp() WHERE room_id = :room_id;

-- name: settle_history
-- What came before the room's state was read.
UPDATE videos v SET history = r.history FROM rooms r
WHERE v.room_id = :room_id AND (v.history IS NULL OR v.history = 'before') AND r.room_id = v.room_id AND r.history IS NOT NULL;

-- name: withheld
-- Those that somebody may not see: they were not there when it was sent.
SELECT v.id FROM videos v
WHERE v.id = ANY (:ids)
    AND NOT was_there(v.sent_in, :user_id, v.history, coalesce(v.sent_after, v.received_at), v.received_at);

-- name: set_power_levels
UPDATE rooms SET power_levels = :content, power_told_at = clock_timestamp() WHERE room_id = :room_id;

-- name: set_encrypted
UPDATE rooms SET encrypted = true WHERE room_id = :room_id;

-- name: set_replaced_by
UPDATE rooms SET replaced_by = :replacement WHERE room_id = :room_id;

-- name: set_room_snapshot
-- State read from the homeserver; what an event brought later stays. Says whether members were deleted since: then it
-- is to be read again.
UPDATE rooms
SET name = CASE WHEN name_told_at <= :read_at THEN :name ELSE name END,
    name_told_at = greatest(name_told_at, :read_at), power_told_at = greatest(power_told_at, :read_at),
    retention_told_at = greatest(retention_told_at, :read_at),
    power_levels = CASE WHEN power_told_at <= :read_at THEN :power_levels ELSE power_levels END,
    max_lifetime = CASE WHEN retention_told_at <= :read_at THEN :max_lifetime ELSE max_lifetime END,
    history = CASE WHEN history_told_at <= :read_at THEN :history ELSE history END,
    creators = :creators,  -- they never change
    encrypted = encrypted OR :encrypted  -- nor is this ever taken back
WHERE room_id = :room_id
RETURNING members_forgotten_at > :read_at AS again;

-- name: ensure_widget_id
-- The id that the room's widget has for good: the first that it was given.
UPDATE rooms SET widget_id = coalesce(widget_id, :id) WHERE room_id = :room_id RETURNING widget_id;

-- name: bot_profile
SELECT field, value FROM bot_profile;

-- name: store_bot_profile
INSERT INTO bot_profile (field, value) VALUES (:field, :value) ON CONFLICT (field) DO UPDATE SET value = excluded.value;

-- name: delete_bot_profile
DELETE FROM bot_profile;

-- name: mark_widget_placed
UPDATE rooms SET widget_placed = true WHERE room_id = :room_id;

-- name: mark_notified
UPDATE rooms SET told = array_append(told, :subject) WHERE room_id = :room_id AND NOT :subject = ANY (told);

-- name: clear_notified
UPDATE rooms SET told = array_remove(told, :subject) WHERE room_id = :room_id;

-- name: room
SELECT r.*, is_direct(r.room_id, r.direct) AS is_direct FROM rooms r WHERE room_id = :room_id;

-- name: rooms_with_us
-- The rooms that the bot is in, as far as we know.
SELECT room_id FROM rooms WHERE bot_membership = 'join';

-- name: joined_rooms
-- The rooms that the bot is in, to be looked at anew at a start.
SELECT room_id FROM rooms WHERE bot_membership IN ('join', 'invite') ORDER BY key;

-- name: upsert_member
-- As an event has it.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc)
VALUES (:room_id, :user_id, :membership, :display_name, :avatar_mxc)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name,
    avatar_mxc = excluded.avatar_mxc, changed_at = clock_timestamp(), join_heard = true;

-- name: reset_member_since
-- Members whose joining, or coming back, was missed: since when they are there is not known before now.
UPDATE members SET joined_at = clock_timestamp(), invited_at = clock_timestamp(), join_heard = true
WHERE room_id = :room_id AND membership IN ('join', 'invite') AND user_id IN (
    SELECT lost.user_id FROM unnest(:user_ids::text[], :event_ids::text[]) AS lost (user_id, event_id)
    WHERE NOT EXISTS (SELECT FROM seen_events s WHERE s.event_id = lost.event_id)
);

-- name: store_member_response
-- One member by the homeserver's response; what an event brought later stays. Nothing comes back where nothing changes.
-- Of strangers nothing is stored.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at, join_heard)
SELECT :room_id, :user_id, :membership, :display_name, :avatar_mxc, :requested_at, :membership <> 'join' FROM rooms r
WHERE r.room_id = :room_id AND r.members_forgotten_at <= :requested_at
    AND (:membership = 'join' OR EXISTS (SELECT FROM members WHERE room_id = :room_id AND user_id = :user_id))
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at,
    join_heard = CASE WHEN members.membership = 'join' THEN members.join_heard ELSE excluded.join_heard END
WHERE members.changed_at <= :requested_at AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = :room_id)
)
RETURNING true AS taken;

-- name: has_newer_membership
-- Whether an event changed a member since then, or the row was deleted.
SELECT coalesce(
    (SELECT changed_at > :requested_at FROM members WHERE room_id = :room_id AND user_id = :user_id),
    members_forgotten_at > :requested_at
) AS is_newer
FROM rooms WHERE room_id = :room_id;

-- name: snapshot_members
-- Who is joined or invited as read from the homeserver; what an event brought later stays, and so does the time of what
-- is the same.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc, changed_at)
SELECT :room_id, s.user_id, s.membership, s.display_name, s.avatar_mxc, :read_at
FROM unnest(:user_ids::text[], :memberships::text[], :display_names::text[], :avatar_mxcs::text[])
    AS s (user_id, membership, display_name, avatar_mxc)
WHERE EXISTS (SELECT FROM rooms WHERE room_id = :room_id AND members_forgotten_at <= :read_at)
    OR EXISTS (SELECT FROM members m WHERE m.room_id = :room_id AND m.user_id = s.user_id)
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name, avatar_mxc = excluded.avatar_mxc,
    changed_at = excluded.changed_at
WHERE members.changed_at <= :read_at AND (
    (members.membership, members.display_name, members.avatar_mxc)
        IS DISTINCT FROM (excluded.membership, excluded.display_name, excluded.avatar_mxc)
    OR members.changed_at < (SELECT bot_joined_at FROM rooms WHERE room_id = :room_id)
);

-- name: snapshot_leavers
-- Who is not among these any more has left, or was banned.
UPDATE members SET membership = CASE WHEN user_id = ANY (:banned) THEN 'ban' ELSE 'leave' END, changed_at = :read_at
WHERE room_id = :room_id AND changed_at <= :read_at AND NOT user_id = ANY (:user_ids)
    AND (membership NOT IN ('leave', 'ban') OR (membership = 'leave') = (user_id = ANY (:banned)))
RETURNING user_id;

-- name: snapshot_banned
-- Those of the banned without a later event.
SELECT user_id FROM unnest(:banned::text[]) AS b (user_id)
WHERE NOT EXISTS (SELECT FROM members m WHERE m.room_id = :room_id AND m.user_id = b.user_id AND m.changed_at > :read_at);

-- name: member_key
-- Nothing comes back unless both the user and the bot are in the room, as far as was learned since the bot is there, or
-- when a policy list bans the user.
SELECT m.key
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE m.room_id = :room_id AND m.user_id = :user_id AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: joined_members
SELECT key, user_id, display_name, avatar_mxc, avatar_video,
    coalesce(ceil(extract(epoch FROM CASE WHEN join_heard THEN joined_at ELSE now() END) * 1000)::bigint, 0) AS joined_at
FROM members WHERE room_id = :room_id AND membership = 'join';

-- name: member_avatar
-- The avatar of a member, for another joined member of the same room.
SELECT m.avatar_mxc
FROM members m JOIN rooms r ON r.room_id = m.room_id JOIN members v ON v.room_id = r.room_id
WHERE r.key = :room_key AND v.key = :viewer_key AND v.membership = 'join' AND m.key = :member_key;

-- name: viewer
-- The room and user of a media grant, while the user is joined and the bot is there.
SELECT m.room_id, m.user_id
FROM members m JOIN rooms r ON r.room_id = m.room_id
WHERE r.key = :room_key AND m.key = :member_key AND m.membership = 'join' AND r.bot_membership = 'join'
    AND m.changed_at >= r.bot_joined_at AND NOT is_policed(m.user_id);

-- name: insert_video
-- Nothing comes back for an event that is known, or of somebody who does not want it. `sent_after`, `history` (the
-- least visibility) and `nonce` may be NULL.
INSERT INTO videos (
    event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, position,
    held_for, visibility, kind, item, spoiler, spoiler_reason, sent_after, history, nonce
)
-- Those of a gallery follow each other, within the millisecond.
SELECT :event_id, :room_id, :sent_in, :sender, :title, :mxc, :encrypted_file, :claimed_size, :certain,
    at, at + 0.001 * :item::integer, :held_for::text, CASE WHEN :held_for IS NULL THEN 'shown' ELSE 'held' END, :kind,
    :item, :spoiler, :spoiler_reason, :sent_after, (
        SELECT CASE WHEN :history::text IS NULL THEN history
            WHEN 'joined' IN (coalesce(history, 'joined'), :history) THEN 'joined'
            WHEN 'invited' IN (history, :history) THEN 'invited' ELSE history END
        FROM rooms WHERE room_id = :sent_in
    ), :nonce
FROM (SELECT least(:sent_at::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS at) AS clock
WHERE NOT EXISTS (SELECT FROM people WHERE user_id = :sender AND settings @> '{"add": false}')
ON CONFLICT DO NOTHING
RETURNING id;

-- name: was_uploaded
-- Whether somebody uploaded a video in the widget.
SELECT EXISTS (SELECT FROM upload_media WHERE mxc = :mxc AND owner = :sender AND thumbnail_of IS NULL) AS uploaded;

-- name: lock_doubles
-- Until the transaction's end nobody else takes what somebody sent to a room in the widget.
SELECT pg_advisory_xact_lock(hashtextextended(:sent_in || ' ' || :sender, 7421));

-- name: first_sent
-- The video that somebody sent there by the same nonce, also one that can still be brought back; without a nonce the
-- same file, no longer ago than that.
SELECT id FROM videos
WHERE sender = :sender AND sent_in = :sent_in AND item = :item AND CASE
    WHEN :nonce::text IS NOT NULL THEN nonce = :nonce AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    ELSE mxc = :mxc AND visibility <> 'removed' AND received_at > clock_timestamp() - make_interval(secs => :seconds)
END
ORDER BY received_at LIMIT 1 FOR UPDATE;

-- name: add_double
INSERT INTO doubles (event_id, video_id) VALUES (:event_id, :video_id) ON CONFLICT DO NOTHING;

-- name: delete_double
DELETE FROM doubles d USING videos v WHERE d.event_id = :event_id AND v.id = d.video_id AND v.sent_in = :sent_in;

-- name: pass_on
-- The next message that brings the same becomes the video's own. Nothing comes back where there is none.
WITH next AS (
    DELETE FROM doubles WHERE event_id = (SELECT event_id FROM doubles WHERE video_id = :video_id ORDER BY received_at LIMIT 1)
    RETURNING event_id
)
UPDATE videos v SET event_id = next.event_id, changed_at = now() FROM next
WHERE v.id = :video_id AND v.event_id = :event_id AND v.visibility <> 'removed'
RETURNING v.id;

-- name: video
SELECT * FROM videos WHERE id = :id;

-- name: room_videos
-- Every reel of the room, in order.
SELECT * FROM videos WHERE room_id = :room_id AND visibility <> 'removed' ORDER BY position, sent_at, id;

-- name: videos_of
-- A member's reels: of one room, or of all where both they and the bot are.
SELECT v.*
FROM videos v
    JOIN rooms r ON r.room_id = v.room_id AND r.bot_membership = 'join'
    JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.sender = :sender AND (:room_id::text IS NULL OR v.room_id = :room_id) AND v.visibility <> 'removed'
ORDER BY r.key, v.position, v.sent_at, v.id;

-- name: videos_by_short_id
-- `digits` are hexadecimal. One more than is of use, to see that they are too few.
SELECT v.*
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = :user_id AND m.membership = 'join'
WHERE v.visibility <> 'removed' AND replace(v.id::text, '-', '') LIKE :digits || '%'
ORDER BY v.id LIMIT 2;

-- name: served_stage
-- The folder of a video that viewers of a room may be served from now; its sender must be there.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = :id AND v.room_id = :room_id AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND v.history IN ('shared', 'before');

-- name: served_stage_to
-- As `served_stage`, of what not every member may see.
SELECT v.stage
FROM videos v JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender AND m.membership = 'join'
WHERE v.id = :id AND v.room_id = :room_id AND v.visibility = 'shown' AND v.state IN ('playable', 'ready')
    AND (v.sender = :user_id OR was_there(v.sent_in, :user_id, v.history, coalesce(v.sent_after, v.received_at), v.received_at));

-- name: begin_attempt
-- One more attempt; nothing comes back when there is nothing left to do, or the bot has left.
UPDATE videos SET state = CASE WHEN state = 'playable' THEN state ELSE 'processing' END,
    attempts = attempts + 1, percent = 0, remaining = NULL, changed_at = now()
WHERE id = :id AND visibility <> 'removed' AND state = ANY (:from_states)
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
RETURNING *;

-- name: wanted
SELECT FROM videos v WHERE v.id = :id AND v.attempts = :attempt AND v.visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = v.room_id AND r.left_at IS NOT NULL);

-- name: give_back_attempt
-- The worker was stopped in the middle.
UPDATE videos SET attempts = attempts - 1, percent = NULL, remaining = NULL WHERE id = :id AND attempts = :attempt;

-- name: await_upload
-- The file is not uploaded yet: no attempt, and its work has not begun.
UPDATE videos SET attempts = attempts - 1, awaited_since = coalesce(awaited_since, now()), percent = NULL,
    remaining = NULL, state = CASE WHEN state = 'processing' THEN 'queued' ELSE state END, changed_at = now()
WHERE id = :id AND attempts = :attempt
RETURNING room_id;

-- name: first_awaiting
-- Of the videos whose file is not uploaded yet, the one that queries for all with the same file.
SELECT id FROM videos
WHERE mxc = :mxc AND awaited_since IS NOT NULL AND state IN ('queued', 'playable', 'ready') AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
ORDER BY id LIMIT 1;

-- name: upload_came
-- Nobody waits for the file any more: all who did begin at once.
WITH came AS (
    UPDATE videos SET awaited_since = NULL WHERE mxc = :mxc AND awaited_since IS NOT NULL
    RETURNING id
)
UPDATE pgqueuer SET execute_after = now()
WHERE entrypoint = 'video' AND status = 'queued' AND execute_after > now()
    AND payload IN (SELECT convert_to(id::text, 'UTF8') FROM came);

-- name: uncount_attempt
-- Let one attempt more, or fewer, not count.
UPDATE videos SET attempts_spared = attempts_spared + :number WHERE id = :id AND attempts = :attempt;

-- name: note_size
-- What was downloaded, whatever was claimed.
UPDATE videos SET claimed_size = :bytes, bytes = greatest(bytes, :bytes) WHERE id = :id AND attempts = :attempt;

-- name: classify
-- What a person named retains its name.
UPDATE videos SET kind = :kind, title = CASE WHEN renamed THEN title ELSE :title END, changed_at = now()
WHERE id = :id AND attempts = :attempt AND visibility <> 'removed'
RETURNING room_id;

-- name: pause
-- The attempt is over, and another one is due later.
UPDATE videos SET percent = NULL, remaining = NULL WHERE id = :id AND attempts = :attempt;

-- name: withdraw_unfinished
-- The attempt ended before its first stage was whole: nobody is to wait for more of it.
UPDATE videos v SET state = 'processing', stage = NULL, has_poster = false, renditions = '[]', available = NULL,
    blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]', audio_left_out = NULL,
    bytes = CASE WHEN v.admitted_at = 'infinity' THEN 0 ELSE coalesce(v.claimed_size, 0) END, changed_at = now()
FROM (SELECT id, stage FROM videos WHERE id = :id FOR UPDATE) AS old
WHERE v.id = old.id AND v.attempts = :attempt AND v.state = 'playable' AND v.available IS NOT NULL
    AND v.visibility <> 'removed'
RETURNING v.room_id, old.stage;

-- name: progress
-- Store it for who looks later, and notify who looks now (LISTEN roomreel_progress).
WITH moved AS (
    UPDATE videos SET percent = :percent, remaining = :remaining
    WHERE id = :id AND attempts = :attempt AND state IN ('processing', 'playable') AND visibility <> 'removed'
    RETURNING id, room_id, visibility, percent, remaining
)
SELECT pg_notify('roomreel_progress', json_build_object(
    'room_id', room_id, 'video_id', id, 'percent', percent, 'remaining', remaining
)::text)
FROM moved WHERE visibility = 'shown';

-- name: under_way
-- What workers that gave a sign of life within so many seconds are at.
SELECT id, room_id, sender, attempts, percent, remaining FROM videos
WHERE percent IS NOT NULL AND EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8') AND status = 'picked'
        AND heartbeat > now() - make_interval(secs => :heartbeat_timeout)
)
ORDER BY position, id;

-- name: unfinished_without_job
-- What a lost job left behind, or the bot where it left and came back.
SELECT id FROM videos
WHERE (state IN ('queued', 'processing', 'playable') OR state = 'ready' AND finishing IS NOT NULL) AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8')
    );

-- name: publish
-- Only the newest attempt may publish. Until all is there, no less than what was downloaded counts.
UPDATE videos SET state = :state, stage = :stage, duration = :duration, width = :width, height = :height,
    has_poster = :has_poster, renditions = :renditions, available = :available, blurhash = :blurhash,
    storyboard = :storyboard, has_preview = :has_preview, content_hash = :content_hash, captions = :captions,
    bytes = CASE WHEN :state = 'ready' OR admitted_at = 'infinity' THEN :bytes ELSE greatest(:bytes, claimed_size) END,
    -- What is made of a recording has lost before what of its audio cannot be taken.
    audio_left_out = coalesce(:audio_left_out, (
        SELECT u.content ->> 'audio_left_out' FROM uploads u WHERE u.state = 'ready' AND u.content ->> 'url' = mxc LIMIT 1
    )),
    percent = CASE WHEN :state = 'ready' THEN NULL ELSE percent END,
    remaining = CASE WHEN :state = 'ready' THEN NULL ELSE remaining END,
    failure = NULL, finishing = CASE WHEN :state = 'ready' THEN 0 END,
    replaced = CASE WHEN :state <> 'ready' THEN replaced END, changed_at = now()
WHERE id = :id AND state = ANY (:from_states) AND attempts = :attempt AND visibility <> 'removed'
RETURNING room_id, audio_left_out;

-- name: begin_finishing
-- Begin again what follows from a video being ready, after the worker that was to do it died or was stopped. Nothing
-- comes back when that is done, or was begun too often.
UPDATE videos SET finishing = CASE WHEN finishing < :most THEN finishing + 1 END
WHERE id = :id AND finishing IS NOT NULL AND state = 'ready' AND visibility <> 'removed'
RETURNING *;

-- name: finished
UPDATE videos SET finishing = NULL WHERE id = :id AND attempts = :attempt;

-- name: append_segments
-- More segments exist; only the newest attempt may say so. Notify who waits for them (LISTEN roomreel_grown).
WITH appended AS (
    UPDATE videos SET available = :available
    WHERE id = :id AND attempts = :attempt AND stage = :stage AND state = 'playable' AND visibility <> 'removed'
    RETURNING room_id
)
SELECT pg_notify('roomreel_grown', room_id) FROM appended;

-- name: same_content
-- Another video whose files are complete and served.
SELECT * FROM videos
WHERE content_hash = :content_hash AND id <> :id AND state = 'ready' AND visibility = 'shown'
ORDER BY changed_at DESC LIMIT 1;

-- name: fail
-- Nobody is notified of a video that was taken back.
UPDATE videos SET state = 'failed', failure = :failure, stage = NULL, has_poster = false, renditions = '[]',
    available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]',
    percent = NULL, remaining = NULL, bytes = 0, audio_left_out = NULL, changed_at = now()
WHERE id = :id AND state = ANY (:from_states) AND attempts = :attempt AND visibility <> 'removed'
RETURNING room_id, kind;

-- name: discard
-- It was no video after all.
DELETE FROM videos WHERE id = :id AND attempts = :attempt RETURNING room_id, sent_in;

-- name: requeue
UPDATE videos v SET state = 'queued', attempts = 0, attempts_before = 0, attempts_spared = 0, failure = NULL,
    awaited_since = NULL, arrived_at = clock_timestamp(), admitted_at = 'infinity', changed_at = now()
FROM videos was
WHERE v.id = :id AND was.id = v.id AND v.state = 'failed' AND v.visibility <> 'removed'
RETURNING v.room_id, v.sender, was.failure;

-- name: move_videos
-- After an upgrade both ends of which were checked.
UPDATE videos SET room_id = :new_room_id, changed_at = now() WHERE room_id = :old_room_id;

-- name: move_settings
-- Once: what the new room's moderators chose wins, and may be taken back.
WITH old AS (SELECT settings FROM rooms WHERE room_id = :old_room_id),
    given AS (UPDATE rooms SET settings = '{}' WHERE room_id = :old_room_id AND settings <> '{}')
UPDATE rooms new SET settings = old.settings || new.settings FROM old WHERE new.room_id = :new_room_id AND old.settings <> '{}';

-- name: move_moderators_room
-- Rooms with their queue there go along.
UPDATE rooms SET settings = jsonb_set(settings, '{moderators_room}', to_jsonb(:new_room_id::text))
WHERE settings ->> 'moderators_room' = :old_room_id;

-- name: move_blocks
WITH moved AS (
    DELETE FROM blocks WHERE room_id = :old_room_id RETURNING source_hash, fingerprint, reason, blocked_by, blocked_at
)
INSERT INTO blocks (room_id, source_hash, fingerprint, reason, blocked_by, blocked_at)
SELECT :new_room_id, source_hash, fingerprint, reason, blocked_by, blocked_at FROM moved ON CONFLICT DO NOTHING;

-- name: move_audit
-- The first of its rooms is stored beside.
UPDATE audit SET room_id = :new_room_id, details = jsonb_build_object('room_before', :old_room_id::text) || details
WHERE room_id = :old_room_id;

-- name: move_avatars
-- Members may come later: then they have their choice already.
WITH chosen AS (
    UPDATE members m SET avatar_video = NULL FROM members was
    WHERE m.room_id = :old_room_id AND was.key = m.key AND was.avatar_video IS NOT NULL
    RETURNING was.user_id, was.avatar_video
)
INSERT INTO members (room_id, user_id, membership, avatar_video, changed_at)
SELECT :new_room_id, user_id, 'leave', avatar_video, to_timestamp(0) FROM chosen
ON CONFLICT (room_id, user_id) DO UPDATE SET avatar_video = coalesce(members.avatar_video, excluded.avatar_video);

-- name: counts
-- For operators: videos by state.
SELECT state, count(*) AS videos FROM videos WHERE visibility <> 'removed' GROUP BY state ORDER BY state;

-- name: ensure_secret
-- Every process ends up with the same one.
WITH made AS (INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING RETURNING value)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = :name LIMIT 1;

-- name: announce
-- Notify every process that the room changed (LISTEN roomreel).
SELECT pg_notify('roomreel', :room_id);

-- name: announce_talk
-- Notify every process of what is new about messages (LISTEN roomreel_talk): of what relates to one, where it brought a
-- video that is here; of what may be about any, where the room has a video.
SELECT pg_notify('roomreel_talk', json_build_object('room_id', t.room_id, 'event_id', t.target)::text)
FROM unnest(:room_ids::text[], :targets::text[], :relates::boolean[]) AS t (room_id, target, relates)
WHERE CASE
    WHEN t.relates THEN EXISTS (
        SELECT FROM videos v WHERE v.event_id = t.target AND v.room_id = t.room_id AND v.visibility <> 'removed'
    )
    ELSE EXISTS (SELECT FROM videos v WHERE v.room_id = t.room_id AND v.visibility <> 'removed')
END;

-- name: lock_room
-- One worker at a time tends a room; held until the connection lets go.
SELECT pg_advisory_lock(hashtextextended(:room_id, 7401));

-- name: unlock_room
SELECT pg_advisory_unlock(hashtextextended(:room_id, 7401));

-- name: clock
SELECT clock_timestamp() AS now;
