-- What members upload in the widget, from the first byte to the content of their message.

-- name: lock_uploads
-- One creation at a time for each member, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:owner, 7402));

-- name: unfinished_uploads
SELECT count(*) AS uploads FROM uploads
WHERE owner = :owner AND state IN ('uploading', 'preparing') AND expires_at > now();

-- name: give_up_upload
-- The longest idle one gives way; nothing comes back when all are in use.
DELETE FROM uploads WHERE id = (
    SELECT id FROM uploads
    WHERE owner = :owner AND state = 'uploading' AND touched_at < now() - make_interval(secs => :idle_seconds)
    ORDER BY touched_at LIMIT 1
)
RETURNING id;

-- name: insert_upload
INSERT INTO uploads (room_id, owner, filename, metadata, length)
VALUES (:room_id, :owner, :filename, :metadata, :length)
RETURNING *;

-- name: upload
SELECT * FROM uploads WHERE id = :id AND room_id = :room_id AND owner = :owner AND expires_at > now();

-- name: set_upload_length
-- Declared once.
UPDATE uploads SET length = :length WHERE id = :id AND length IS NULL AND state = 'uploading' RETURNING id;

-- name: touch_upload
UPDATE uploads SET touched_at = now() WHERE id = :id;

-- name: finish_upload
-- All bytes are there; a later caller has a day for it.
UPDATE uploads SET state = 'preparing', trim_start = :trim_start, trim_end = :trim_end, convert = :convert,
    expires_at = now() + interval '24 hours'
WHERE id = :id AND state = 'uploading'
RETURNING *;

-- name: delete_upload
DELETE FROM uploads WHERE id = :id;

-- name: begin_upload_attempt
-- One more attempt; nothing comes back when there is nothing left to do.
UPDATE uploads SET attempts = attempts + 1, percent = 0
WHERE id = :id AND state = 'preparing' AND expires_at > now()
RETURNING *;

-- name: give_back_upload_attempt
-- It ended for a reason that is not the file's.
UPDATE uploads SET attempts = attempts - 1 WHERE id = :id AND attempts = :attempt AND state = 'preparing';

-- name: upload_progress
UPDATE uploads SET percent = :percent WHERE id = :id AND attempts = :attempt AND state = 'preparing';

-- name: upload_ready
-- Only the newest attempt may say so. The content has what of the audio is left out.
UPDATE uploads SET state = 'ready', content = :content, percent = NULL
WHERE id = :id AND attempts = :attempt AND state = 'preparing'
RETURNING id;

-- name: upload_failed
UPDATE uploads SET state = 'failed', failure = :failure, percent = NULL
WHERE id = :id AND attempts = :attempt AND state = 'preparing'
RETURNING id;

-- name: uploads_without_job
-- What a lost job left behind.
SELECT id FROM uploads
WHERE state = 'preparing' AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE entrypoint = 'upload' AND payload = convert_to(uploads.id::text, 'UTF8')
);

-- name: expire_uploads
DELETE FROM uploads WHERE expires_at <= now();

-- name: uploads_with_bytes
-- Those whose file is needed, and whether it must be there by now.
SELECT id, touched_at < now() - make_interval(secs => :settled_seconds) AS settled
FROM uploads WHERE state IN ('uploading', 'preparing');

-- name: hold_upload
-- Until the transaction's end it does not go; nothing comes back when it has, or a newer attempt has begun.
SELECT id FROM uploads WHERE id = :id AND attempts = :attempt AND state = 'preparing' FOR UPDATE;

-- name: register_media
-- What is put into the homeserver's media repository: from before its bytes are there until they are gone.
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of)
VALUES (:mxc, :upload_id, :owner, :room_id, :bytes, :thumbnail_of);

-- name: media_sent
-- Messages brought these: they are videos' from now on, and so are their thumbnails.
UPDATE upload_media SET sent_at = now()
WHERE (mxc = ANY (:mxcs) OR thumbnail_of = ANY (:mxcs)) AND sent_at IS NULL;

-- name: delete_unsent
-- What is to be deleted so much later, unless a message brings it.
UPDATE upload_media SET forget_at = now() + make_interval(secs => :seconds)
WHERE sent_at IS NULL AND (:upload_id::uuid IS NULL OR upload_id = :upload_id) AND (:owner::text IS NULL OR owner = :owner)
    AND (:room_id::text IS NULL OR room_id = :room_id)
    AND (:except_mxc::text IS NULL OR mxc <> :except_mxc AND coalesce(thumbnail_of, '') <> :except_mxc)
RETURNING mxc, thumbnail_of;

-- name: delete_expired
-- As above, what belongs to no upload any more, whichever way that went.
UPDATE upload_media SET forget_at = now() + make_interval(secs => :seconds)
WHERE sent_at IS NULL AND forget_at IS NULL AND NOT EXISTS (SELECT FROM uploads u WHERE u.id = upload_id)
RETURNING mxc, thumbnail_of;

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
    );
