-- Erasing what is stored of a member, or of a room.

-- name: removable_of_user
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE sender = :user_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: removable_of_room
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE room_id = :room_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: removable_due
-- The oldest that are older than their room, or the configuration (if it is not NULL), has it.
SELECT id, room_id, sent_in, event_id, mxc, sender, edits FROM videos
WHERE id IN (
    (
        SELECT id FROM videos
        WHERE visibility <> 'removed' AND sent_at <= (extract(epoch FROM now()) * 1000)::bigint - :longest_ms::bigint
            AND sent_at / 86400000 <= ((extract(epoch FROM now()) * 1000)::bigint - :longest_ms::bigint) / 86400000
        ORDER BY sent_at / 86400000 LIMIT :most
    ) UNION ALL (
        SELECT v.id FROM rooms r JOIN videos v ON v.room_id = r.room_id
        WHERE r.max_lifetime IS NOT NULL AND v.visibility <> 'removed'
            AND v.sent_at <= (extract(epoch FROM now()) * 1000)::bigint - r.max_lifetime
        ORDER BY v.sent_at LIMIT :most
    )
)
ORDER BY sent_at LIMIT :most FOR UPDATE SKIP LOCKED;

-- name: is_mxc_used
-- Whether another video that is still here has the same original.
SELECT EXISTS (
    SELECT FROM videos
    WHERE hashtextextended(mxc, 0) & 65535 = hashtextextended(:mxc, 0) & 65535 AND mxc = :mxc AND mxc <> ''
) AS used;

-- name: erase_person
-- All that is stored of somebody beside videos. What the room itself has of its members stays while they are in it.
WITH settings AS (DELETE FROM people WHERE user_id = :user_id),
    places AS (DELETE FROM places WHERE user_id = :user_id),
    sign_ins AS (DELETE FROM sign_ins WHERE user_id = :user_id),
    misses AS (DELETE FROM sign_in_misses WHERE user_id = :user_id),
    reports AS (DELETE FROM reports WHERE reporter = :user_id),
    watching AS (DELETE FROM watching WHERE user_id = :user_id),
    exports AS (DELETE FROM exports WHERE user_id = :user_id),
    warned AS (DELETE FROM quota_warnings WHERE scope = 'user' AND whose = :user_id),
    commanded AS (DELETE FROM commands WHERE sender = :user_id AND done_at IS NOT NULL),
    encrypted AS (DELETE FROM encrypted_events WHERE sender = :user_id),
    bundles AS (DELETE FROM key_bundles WHERE sender = :user_id),
    keys AS (
        INSERT INTO key_erasures (user_id) SELECT :user_id WHERE to_regclass('crypto_account') IS NOT NULL
    ),
    gone AS (DELETE FROM members WHERE user_id = :user_id AND membership <> 'join' RETURNING room_id),
    marked AS (
        UPDATE rooms SET
            members_forgotten_at = CASE WHEN room_id IN (SELECT room_id FROM gone)
                THEN clock_timestamp() ELSE members_forgotten_at END,
            -- Somebody opted in, whoever that was.
            opted_in_by = CASE WHEN opted_in_by = :user_id THEN '' ELSE opted_in_by END
        WHERE room_id IN (SELECT room_id FROM gone UNION SELECT room_id FROM rooms WHERE opted_in_by = :user_id)
    )
UPDATE videos SET sender = '' WHERE sender = :user_id;

-- name: erase_room
-- All that is stored of a room beside videos, except that it is there and who is in it.
WITH channel AS (DELETE FROM channels WHERE room_id = :room_id),
    places AS (DELETE FROM places WHERE room_id = :room_id),
    sign_ins AS (DELETE FROM sign_ins WHERE room_id = :room_id),
    watching AS (DELETE FROM watching WHERE room_id = :room_id),
    blocks AS (DELETE FROM blocks WHERE room_id = :room_id),
    warned AS (DELETE FROM quota_warnings WHERE scope = 'room' AND whose = :room_id),
    commanded AS (DELETE FROM commands WHERE room_id = :room_id AND done_at IS NOT NULL),
    encrypted AS (DELETE FROM encrypted_events WHERE room_id = :room_id),
    outgoing AS (DELETE FROM outgoing_events WHERE room_id = :room_id),
    bundles AS (DELETE FROM key_bundles WHERE room_id = :room_id),
    -- Nothing of what changed before is logged any more.
    changes AS (INSERT INTO room_changes (room_id, fields) VALUES (:room_id, '{all}')),
    keys AS (
        INSERT INTO key_erasures (room_id) SELECT :room_id WHERE to_regclass('crypto_account') IS NOT NULL
    )
UPDATE rooms SET settings = '{}', name = NULL, opted_in_by = NULL, opted_in_at = NULL WHERE room_id = :room_id;

-- name: rooms_left_long_ago
-- Rooms that the bot left, and of which something may be stored.
SELECT room_id FROM rooms WHERE left_at < now() - make_interval(days => :days) ORDER BY left_at LIMIT 20
FOR UPDATE SKIP LOCKED;

-- name: clear_left
-- Nothing is stored of the room: there is nothing left to do for its having been left.
UPDATE rooms SET left_at = NULL WHERE room_id = :room_id;

-- name: remains
-- How many rows there are of somebody, or (NULL) of a room, that hold anything.
SELECT what, n FROM (
    SELECT 'videos' AS what, count(*) AS n FROM videos
    WHERE (sender = :user_id OR room_id = :room_id) AND (visibility <> 'removed' OR stage IS NOT NULL OR mxc <> '' OR title <> '')
    UNION ALL SELECT 'keys of media', count(*) FROM media_keys k JOIN videos v ON v.id = k.video_id
        WHERE v.sender = :user_id OR v.room_id = :room_id
    UNION ALL SELECT 'settings', count(*) FROM people WHERE user_id = :user_id
    UNION ALL SELECT 'places', count(*) FROM places WHERE user_id = :user_id OR room_id = :room_id
    UNION ALL SELECT 'sign-ins', count(*) FROM sign_ins WHERE user_id = :user_id OR room_id = :room_id
    UNION ALL SELECT 'uploads', count(*) FROM uploads WHERE owner = :user_id OR room_id = :room_id
    UNION ALL SELECT 'uploads at the homeserver', count(*) FROM upload_media WHERE owner = :user_id OR room_id = :room_id
    UNION ALL SELECT 'reports', count(*) FROM reports r LEFT JOIN videos v ON v.id = r.video_id
        WHERE r.reporter = :user_id OR v.room_id = :room_id
    UNION ALL SELECT 'sent by the bot for them', count(*) FROM sent_for s LEFT JOIN videos v ON v.id = s.video_id
        WHERE (s.user_id = :user_id OR s.room_id = :room_id OR v.room_id = :room_id) AND s.taken_back_at IS NULL
    UNION ALL SELECT 'exports', count(*) FROM exports WHERE user_id = :user_id
    UNION ALL SELECT 'quota warnings', count(*) FROM quota_warnings
        WHERE (scope = 'user' AND whose = :user_id) OR (scope = 'room' AND whose = :room_id)
    UNION ALL SELECT 'commands', count(*) FROM commands WHERE (sender = :user_id OR room_id = :room_id) AND body <> ''
    UNION ALL SELECT 'blocks', count(*) FROM blocks WHERE room_id = :room_id
    UNION ALL SELECT 'encrypted events', count(*) FROM encrypted_events WHERE sender = :user_id OR room_id = :room_id
    UNION ALL SELECT 'notices to be encrypted', count(*) FROM outgoing_events
        WHERE room_id = :room_id AND (content IS NOT NULL OR encrypted IS NOT NULL)
    UNION ALL SELECT 'bundles of keys', count(*) FROM key_bundles WHERE sender = :user_id OR room_id = :room_id
    UNION ALL SELECT 'keys of messages', count_message_keys(:room_id, :user_id)
    UNION ALL SELECT 'erasures of keys to be done', count(*) FROM key_erasures
        WHERE user_id = :user_id OR room_id = :room_id
    UNION ALL SELECT 'changes', count(*) FROM room_changes c
        -- Who left is known as a member who left, until they are erased.
        WHERE c.user_id = :user_id AND NOT EXISTS (
            SELECT FROM members m WHERE m.room_id = c.room_id AND m.user_id = c.user_id
        )
    UNION ALL SELECT 'opted in', count(*) FROM rooms WHERE opted_in_by = :user_id
) AS counted
WHERE n > 0 ORDER BY what;

-- name: needed_folders
-- Of these videos, those whose files are needed, or may be.
SELECT id FROM videos WHERE id = ANY (:ids) AND (visibility <> 'removed' OR deleted_at IS NOT NULL);

-- name: sent_due
-- What is older than its room retains messages.
SELECT s.* FROM rooms r
JOIN sent_for s ON s.room_id = r.room_id AND s.sent_at <= now() - make_interval(secs => r.max_lifetime / 1000.0)
WHERE r.max_lifetime IS NOT NULL AND s.user_id <> '' LIMIT :limit
FOR UPDATE OF s;

-- name: delete_spent_sent
-- What was taken back so long ago, and what never had an event.
DELETE FROM sent_for WHERE key IN (
    SELECT key FROM sent_for
    WHERE (event_id IS NULL OR taken_back_at IS NOT NULL)
        AND coalesce(taken_back_at, sent_at) < now() - make_interval(secs => :seconds)
        AND (event_id IS NOT NULL OR coalesce(taken_back_at, sent_at) < now() - make_interval(secs => :unheard_seconds))
    LIMIT :most
);

-- name: is_unsent
SELECT EXISTS (SELECT FROM upload_media WHERE mxc = :mxc AND sent_at IS NULL) AS unsent;

-- name: thumbnails_of
SELECT mxc FROM upload_media WHERE thumbnail_of = :mxc;

-- name: media_gone
-- The homeserver has neither this nor its thumbnails any more.
DELETE FROM upload_media WHERE mxc = :mxc OR thumbnail_of = :mxc;

-- name: media_stays
-- Another's message has the same file, whose owner took it back: it is nobody's any more.
WITH thumbnails AS (UPDATE upload_media SET owner = '', room_id = '' WHERE thumbnail_of = :mxc)
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, sent_at)
VALUES (:mxc, gen_random_uuid(), '', '', 0, now())
ON CONFLICT (mxc) DO UPDATE SET owner = '', room_id = '', sent_at = coalesce(upload_media.sent_at, now());

-- name: media_owner
SELECT owner FROM upload_media WHERE mxc = :mxc;

-- name: videos_with_stages
SELECT id, stage FROM videos WHERE id > :after AND stage IS NOT NULL ORDER BY id LIMIT :most;

-- name: has_stage
SELECT FROM videos WHERE id = :id AND stage = :stage;
