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

-- name: upload_wanted
SELECT FROM uploads WHERE id = :id AND attempts = :attempt AND state = 'preparing';

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
-- Those whose file is needed, and whether it must be there by now. What runners are sent and send lies beside them.
SELECT id, touched_at < now() - make_interval(secs => :settled_seconds) AS settled
FROM uploads WHERE state IN ('uploading', 'preparing')
UNION ALL SELECT id, false FROM runner_files;

-- name: hold_upload
-- Until the transaction's end it does not go; nothing comes back when it has, or a newer attempt has begun.
SELECT id FROM uploads WHERE id = :id AND attempts = :attempt AND state = 'preparing' FOR UPDATE;

-- name: register_media
-- What is put into the homeserver's media repository: from before its bytes are there until they are gone.
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of)
VALUES (:mxc, :upload_id, :owner, :room_id, :bytes, :thumbnail_of);
