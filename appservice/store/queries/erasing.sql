-- Taking away for good what was a video, a member's, or a room's. asyncpg's $n arguments are listed behind each name.

-- name: empty_videos (ids) Nothing of their content stays, nor the reports of it.
WITH reported AS (
    DELETE FROM reports WHERE video_id = ANY ($1)
), taken AS (
    -- They hold copies.
    DELETE FROM exports WHERE user_id IN (SELECT sender FROM videos WHERE id = ANY ($1))
), worn AS (
    UPDATE members SET avatar_video = NULL WHERE avatar_video = ANY ($1)
)
UPDATE videos SET visibility = 'removed', title = '', mxc = '', encrypted_file = NULL, claimed_size = NULL,
    renditions = '[]', stage = NULL, has_poster = false, available = NULL, blurhash = NULL, storyboard = NULL,
    has_preview = false, content_hash = NULL, captions = '[]', percent = NULL, remaining = NULL, duration = NULL,
    published_at = NULL, hidden_by = NULL, undone_to = NULL, deleted_at = NULL, bytes = 0, source_hash = NULL,
    fingerprint = NULL, nonce = NULL, held_for = NULL, spoiler_reason = NULL, quarantined = NULL, edits = '[]', finishing = NULL, replaced = NULL,
    audio_left_out = NULL,
    changed_at = now()
WHERE id = ANY ($1);

-- name: hold_galleries (event_ids) Until the transaction's end nobody else takes away videos of those messages that brought several.
SELECT pg_advisory_xact_lock(hashtextextended(event_id, 7416)) FROM (
    SELECT event_id FROM videos WHERE event_id = ANY ($1) GROUP BY event_id HAVING count(*) > 1 ORDER BY event_id
) AS several;

-- name: take_doubles (ids) Messages that repeat those of the videos; they bring nothing any more.
DELETE FROM doubles d USING videos v WHERE d.video_id = ANY ($1) AND v.id = d.video_id
RETURNING d.event_id, v.sent_in, v.sender;

-- name: still_bring (event_ids) Those messages of which a video is still here.
SELECT DISTINCT event_id FROM videos
WHERE event_id = ANY ($1) AND (visibility <> 'removed' OR deleted_at IS NOT NULL);

-- name: removable_by_event (sent_in, event_id) Also one that a person deleted, and might still bring back.
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE sent_in = $1 AND event_id = $2 AND (visibility <> 'removed' OR deleted_at IS NOT NULL) FOR UPDATE;

-- name: removable_deleted (seconds) Those that people deleted longer ago than that.
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE deleted_at <= now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED;

-- name: removable_of_member (room_id, user_id)
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE room_id = $1 AND sender = $2 AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: removable_of_user (user_id)
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE sender = $1 AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: removable_of_room (room_id)
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE room_id = $1 AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: removable_due (lifetime in ms or NULL, most) The oldest that are older than their room, or the configuration, has it.
SELECT v.id, v.room_id, v.sent_in, v.event_id, v.mxc, v.sender, v.edits
FROM videos v JOIN rooms r ON r.room_id = v.room_id
WHERE v.visibility <> 'removed' AND (r.max_lifetime IS NOT NULL OR $1::bigint IS NOT NULL)
    AND v.sent_at <= extract(epoch FROM now()) * 1000 - least(r.max_lifetime, $1::bigint)
ORDER BY v.sent_at LIMIT $2 FOR UPDATE OF v SKIP LOCKED;

-- name: wants_erasure (room_id, user_id) Whether the videos of a member who leaves go with them: their own choice, else the room's.
SELECT coalesce(
    (SELECT settings ->> 'on_leave' FROM people WHERE user_id = $2),
    (SELECT settings ->> 'on_leave' FROM rooms WHERE room_id = $1), 'keep'
) = 'erase' AS wanted;

-- name: is_mxc_used (mxc) Whether another video that is still here has the same original.
SELECT EXISTS (SELECT FROM videos WHERE mxc = $1) AS used;

-- name: erase_person (user_id) All that is stored of somebody beside videos. What the room itself has of its members stays while they are in it.
WITH settings AS (DELETE FROM people WHERE user_id = $1),
    places AS (DELETE FROM places WHERE user_id = $1),
    sign_ins AS (DELETE FROM sign_ins WHERE user_id = $1),
    misses AS (DELETE FROM sign_in_misses WHERE user_id = $1),
    reports AS (DELETE FROM reports WHERE reporter = $1),
    watching AS (DELETE FROM watching WHERE user_id = $1),
    exports AS (DELETE FROM exports WHERE user_id = $1),
    warned AS (DELETE FROM quota_warnings WHERE scope = 'user' AND whose = $1),
    commanded AS (DELETE FROM commands WHERE sender = $1 AND done_at IS NOT NULL),
    gone AS (DELETE FROM members WHERE user_id = $1 AND membership <> 'join' RETURNING room_id),
    marked AS (UPDATE rooms SET members_forgotten_at = clock_timestamp() WHERE room_id IN (SELECT room_id FROM gone))
UPDATE videos SET sender = '' WHERE sender = $1;

-- name: erase_room (room_id) All that is stored of a room beside videos, except that it is there and who is in it.
WITH channel AS (DELETE FROM channels WHERE room_id = $1),
    places AS (DELETE FROM places WHERE room_id = $1),
    sign_ins AS (DELETE FROM sign_ins WHERE room_id = $1),
    watching AS (DELETE FROM watching WHERE room_id = $1),
    blocks AS (DELETE FROM blocks WHERE room_id = $1),
    warned AS (DELETE FROM quota_warnings WHERE scope = 'room' AND whose = $1),
    commanded AS (DELETE FROM commands WHERE room_id = $1 AND done_at IS NOT NULL)
UPDATE rooms SET settings = '{}', name = NULL WHERE room_id = $1;

-- name: rooms_left_long_ago (days) Rooms that the bot left, and of which something may be stored.
SELECT room_id FROM rooms WHERE left_at < now() - make_interval(days => $1) ORDER BY left_at LIMIT 20
FOR UPDATE SKIP LOCKED;

-- name: clear_left (room_id) Nothing is stored of the room: there is nothing left to do for its having been left.
UPDATE rooms SET left_at = NULL WHERE room_id = $1;

-- name: remains (user_id or NULL, room_id or NULL) How many rows there are of somebody, or of a room, that hold anything.
SELECT what, n FROM (
    SELECT 'videos' AS what, count(*) AS n FROM videos
    WHERE (sender = $1 OR room_id = $2) AND (visibility <> 'removed' OR stage IS NOT NULL OR mxc <> '' OR title <> '')
    UNION ALL SELECT 'settings', count(*) FROM people WHERE user_id = $1
    UNION ALL SELECT 'places', count(*) FROM places WHERE user_id = $1 OR room_id = $2
    UNION ALL SELECT 'sign-ins', count(*) FROM sign_ins WHERE user_id = $1 OR room_id = $2
    UNION ALL SELECT 'uploads', count(*) FROM uploads WHERE owner = $1 OR room_id = $2
    UNION ALL SELECT 'uploads at the homeserver', count(*) FROM upload_media WHERE owner = $1 OR room_id = $2
    UNION ALL SELECT 'reports', count(*) FROM reports r LEFT JOIN videos v ON v.id = r.video_id
        WHERE r.reporter = $1 OR v.room_id = $2
    UNION ALL SELECT 'sent by the bot for them', count(*) FROM sent_for s LEFT JOIN videos v ON v.id = s.video_id
        WHERE (s.user_id = $1 OR s.room_id = $2 OR v.room_id = $2) AND s.taken_back_at IS NULL
    UNION ALL SELECT 'exports', count(*) FROM exports WHERE user_id = $1
    UNION ALL SELECT 'quota warnings', count(*) FROM quota_warnings
        WHERE (scope = 'user' AND whose = $1) OR (scope = 'room' AND whose = $2)
    UNION ALL SELECT 'commands', count(*) FROM commands WHERE (sender = $1 OR room_id = $2) AND body <> ''
    UNION ALL SELECT 'blocks', count(*) FROM blocks WHERE room_id = $2
) AS counted
WHERE n > 0 ORDER BY what;

-- name: needed_folders (ids) Of these videos, those whose files are needed, or may be.
SELECT id FROM videos WHERE id = ANY ($1) AND (visibility <> 'removed' OR deleted_at IS NOT NULL);
