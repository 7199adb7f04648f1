-- Taking videos away for good, with what was sent and uploaded.

-- name: empty_videos
-- Nothing of their content stays, nor the reports of it, nor what decrypts it.
WITH reported AS (
    DELETE FROM reports WHERE video_id = ANY (:ids)
), taken AS (
    -- They hold copies.
    DELETE FROM exports WHERE user_id IN (SELECT sender FROM videos WHERE id = ANY (:ids))
), locked AS (
    DELETE FROM media_keys WHERE video_id = ANY (:ids)
), worn AS (
    UPDATE members SET avatar_video = NULL WHERE avatar_video = ANY (:ids)
)
UPDATE videos SET visibility = 'removed', title = '', mxc = '', encrypted_file = NULL, claimed_size = NULL,
    renditions = '[]', stage = NULL, stage_encrypted = false, has_poster = false, available = NULL, blurhash = NULL,
    storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]', percent = NULL, remaining = NULL,
    duration = NULL, published_at = NULL, hidden_by = NULL, undone_to = NULL, deleted_at = NULL, bytes = 0, source_hash = NULL,
    fingerprint = NULL, sealed_content = NULL, nonce = NULL, held_for = NULL, spoiler_reason = NULL, quarantined = NULL, edits = '[]',
    finishing = NULL, lower_rungs = NULL, replaced = NULL, audio_left_out = NULL, changed_at = now()
WHERE id = ANY (:ids);

-- name: hold_galleries
-- Until the transaction's end nobody else takes away videos of those messages that brought several.
SELECT pg_advisory_xact_lock(hashtextextended(event_id, 7416)) FROM (
    SELECT event_id FROM videos WHERE event_id = ANY (:event_ids) GROUP BY event_id HAVING count(*) > 1 ORDER BY event_id
) AS several;

-- name: take_doubles
-- Messages that repeat those of the videos; they bring nothing any more.
DELETE FROM doubles d USING videos v WHERE d.video_id = ANY (:ids) AND v.id = d.video_id
RETURNING d.event_id, v.sent_in, v.sender;

-- name: still_bring
-- Those messages of which a video is still here.
SELECT DISTINCT event_id FROM videos
WHERE event_id = ANY (:event_ids) AND (visibility <> 'removed' OR deleted_at IS NOT NULL);

-- name: removable_of_member
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE room_id = :room_id AND sender = :user_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL) ORDER BY id FOR UPDATE;

-- name: delete_encrypted_events
-- What was not decrypted yet, of a member or (NULL) of a room; the owner of the bot's device erases the keys of the rest.
WITH bundles AS (
    DELETE FROM key_bundles WHERE room_id = :room_id AND (:user_id::text IS NULL OR sender = :user_id)
), keys AS (
    INSERT INTO key_erasures (room_id, user_id)
    SELECT :room_id, :user_id WHERE to_regclass('crypto_account') IS NOT NULL
)
DELETE FROM encrypted_events WHERE room_id = :room_id AND (:user_id::text IS NULL OR sender = :user_id);

-- name: wants_erasure
-- Whether the videos of a member who leaves go with them: their own choice, else the room's.
SELECT coalesce(
    (SELECT settings ->> 'on_leave' FROM people WHERE user_id = :user_id),
    (SELECT settings ->> 'on_leave' FROM rooms WHERE room_id = :room_id), 'keep'
) = 'erase' AS wanted;

-- name: sent_of_user
-- With what is about videos that came into the room by an upgrade.
SELECT * FROM sent_for s
WHERE user_id = :user_id AND (
    :room_id::text IS NULL OR room_id = :room_id OR EXISTS (SELECT FROM videos v WHERE v.id = s.video_id AND v.room_id = :room_id)
)
FOR UPDATE;

-- name: sent_in_room
-- With what is about videos that came into it by an upgrade.
SELECT * FROM sent_for
WHERE key IN (
    SELECT key FROM sent_for WHERE room_id = :room_id
    UNION SELECT s.key FROM videos v JOIN sent_for s ON s.video_id = v.id WHERE v.room_id = :room_id
) AND user_id <> ''
FOR UPDATE;

-- name: erase_sent_rows
-- Whose it was, and what; that it was, stays as long as what was taken back.
UPDATE sent_for SET user_id = '', digest = '', reaction = NULL, upload_id = NULL,
    taken_back_at = coalesce(taken_back_at, now())
WHERE key = ANY (:keys::bigint[]);

-- name: told_of_removal
-- The removed videos of which people were told: in moderators' queues, and by statuses.
SELECT v.id, EXISTS (SELECT FROM queue_posts p WHERE p.video_id = v.id) AS is_posted,
    EXISTS (SELECT FROM statuses s WHERE s.video_id = v.id) AS has_status
FROM unnest(:video_ids::uuid[]) WITH ORDINALITY AS v (id, number) ORDER BY v.number;

-- name: delete_unsent
-- What is to be deleted so much later, unless a message brings it.
UPDATE upload_media SET forget_at = now() + make_interval(secs => :seconds)
WHERE sent_at IS NULL AND (:upload_id::uuid IS NULL OR upload_id = :upload_id) AND (:owner::text IS NULL OR owner = :owner)
    AND (:room_id::text IS NULL OR room_id = :room_id)
    AND (:except_mxc::text IS NULL OR mxc <> :except_mxc AND coalesce(thumbnail_of, '') <> :except_mxc)
RETURNING mxc, thumbnail_of;

-- name: delete_expired
-- As `delete_unsent`, what belongs to no upload any more, whichever way that went.
UPDATE upload_media SET forget_at = now() + make_interval(secs => :seconds)
WHERE sent_at IS NULL AND forget_at IS NULL AND NOT EXISTS (SELECT FROM uploads u WHERE u.id = upload_id)
RETURNING mxc, thumbnail_of;

-- name: drop_uploads
-- What becomes of their media is queried after this.
DELETE FROM uploads WHERE (:owner::text IS NULL OR owner = :owner) AND (:room_id::text IS NULL OR room_id = :room_id);

-- name: drop_untaken
-- Of messages that brought no video, or none that is still here: they stay as any message's media do.
DELETE FROM upload_media m
WHERE sent_at IS NOT NULL AND (:owner::text IS NULL OR owner = :owner) AND (:room_id::text IS NULL OR room_id = :room_id)
    AND NOT EXISTS (
        SELECT FROM videos v
        WHERE v.sender = m.owner AND (
            v.mxc IN (m.mxc, m.thumbnail_of)
            OR v.edits @> jsonb_build_array(jsonb_build_object('mxc', coalesce(m.thumbnail_of, m.mxc)))
        )
        -- By the index: of their owner's videos alone.
        OFFSET 0
    );
