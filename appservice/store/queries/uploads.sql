-- What members upload in the widget, from the first byte to the content of their message.

-- name: lock_uploads (owner) One creation at a time for each member, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended($1, 7402));

-- name: unfinished_uploads (owner)
SELECT count(*) AS uploads FROM uploads
WHERE owner = $1 AND state IN ('uploading', 'preparing') AND expires_at > now();

-- name: give_up_upload (owner, idle_seconds) The longest idle one gives way; nothing comes back when all are in use.
DELETE FROM uploads WHERE id = (
    SELECT id FROM uploads
    WHERE owner = $1 AND state = 'uploading' AND touched_at < now() - make_interval(secs => $2)
    ORDER BY touched_at LIMIT 1
)
RETURNING id;

-- name: insert_upload (room_id, owner, filename, metadata, length)
INSERT INTO uploads (room_id, owner, filename, metadata, length) VALUES ($1, $2, $3, $4, $5) RETURNING *;

-- name: upload (id, room_id, owner)
SELECT * FROM uploads WHERE id = $1 AND room_id = $2 AND owner = $3 AND expires_at > now();

-- name: set_upload_length (id, length) Declared once.
UPDATE uploads SET length = $2 WHERE id = $1 AND length IS NULL AND state = 'uploading' RETURNING id;

-- name: touch_upload (id)
UPDATE uploads SET touched_at = now() WHERE id = $1;

-- name: finish_upload (id, trim_start, trim_end, convert) All bytes are there; a later caller has a day for it.
UPDATE uploads SET state = 'preparing', trim_start = $2, trim_end = $3, convert = $4,
    expires_at = now() + interval '24 hours'
WHERE id = $1 AND state = 'uploading'
RETURNING *;

-- name: delete_upload (id)
DELETE FROM uploads WHERE id = $1;

-- name: begin_upload_attempt (id) One more attempt; nothing comes back when there is nothing left to do.
UPDATE uploads SET attempts = attempts + 1, percent = 0
WHERE id = $1 AND state = 'preparing' AND expires_at > now()
RETURNING *;

-- name: give_back_upload_attempt (id, attempt) It ended for a reason that is not the file's.
UPDATE uploads SET attempts = attempts - 1 WHERE id = $1 AND attempts = $2 AND state = 'preparing';

-- name: upload_progress (id, attempt, percent)
UPDATE uploads SET percent = $3 WHERE id = $1 AND attempts = $2 AND state = 'preparing';

-- name: upload_ready (id, attempt, content, with what of the audio is left out) Only the newest attempt may say so.
UPDATE uploads SET state = 'ready', content = $3, percent = NULL
WHERE id = $1 AND attempts = $2 AND state = 'preparing'
RETURNING id;

-- name: upload_failed (id, attempt, failure)
UPDATE uploads SET state = 'failed', failure = $3, percent = NULL
WHERE id = $1 AND attempts = $2 AND state = 'preparing'
RETURNING id;

-- name: uploads_without_job () What a lost job left behind.
SELECT id FROM uploads
WHERE state = 'preparing' AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE entrypoint = 'upload' AND payload = convert_to(uploads.id::text, 'UTF8')
);

-- name: expire_uploads ()
DELETE FROM uploads WHERE expires_at <= now();

-- name: uploads_with_bytes (settled_seconds) Those whose file is needed, and whether it must be there by now.
SELECT id, touched_at < now() - make_interval(secs => $1) AS settled
FROM uploads WHERE state IN ('uploading', 'preparing');

-- name: hold_upload (id, attempt) Until the transaction's end it does not go; nothing comes back when it has, or a newer attempt has begun.
SELECT id FROM uploads WHERE id = $1 AND attempts = $2 AND state = 'preparing' FOR UPDATE;

-- name: register_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of or NULL) What is put into the homeserver's media repository: from before its bytes are there until they are gone.
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of) VALUES ($1, $2, $3, $4, $5, $6);

-- name: media_sent (mxcs) Messages brought these: they are videos' from now on, and so are their thumbnails.
UPDATE upload_media SET sent_at = now()
WHERE (mxc = ANY ($1) OR thumbnail_of = ANY ($1)) AND sent_at IS NULL;

-- name: delete_unsent (upload_id or NULL, owner or NULL, room_id or NULL, but: a mxc or NULL, seconds) What is to be deleted so much later, unless a message brings it.
UPDATE upload_media SET forget_at = now() + make_interval(secs => $5)
WHERE sent_at IS NULL AND ($1::uuid IS NULL OR upload_id = $1) AND ($2::text IS NULL OR owner = $2)
    AND ($3::text IS NULL OR room_id = $3)
    AND ($4::text IS NULL OR mxc <> $4 AND coalesce(thumbnail_of, '') <> $4)
RETURNING mxc, thumbnail_of;

-- name: delete_expired (seconds) As above, what belongs to no upload any more, whichever way that went.
UPDATE upload_media SET forget_at = now() + make_interval(secs => $1)
WHERE sent_at IS NULL AND forget_at IS NULL AND NOT EXISTS (SELECT FROM uploads u WHERE u.id = upload_id)
RETURNING mxc, thumbnail_of;

-- name: is_unsent (mxc)
SELECT EXISTS (SELECT FROM upload_media WHERE mxc = $1 AND sent_at IS NULL) AS unsent;

-- name: thumbnails_of (mxc)
SELECT mxc FROM upload_media WHERE thumbnail_of = $1;

-- name: media_gone (mxc) The homeserver has neither this nor its thumbnails any more.
DELETE FROM upload_media WHERE mxc = $1 OR thumbnail_of = $1;

-- name: media_stays (mxc) Another's message has the same file, whose owner took it back: it is nobody's any more.
WITH thumbnails AS (UPDATE upload_media SET owner = '', room_id = '' WHERE thumbnail_of = $1)
INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, sent_at)
VALUES ($1, gen_random_uuid(), '', '', 0, now())
ON CONFLICT (mxc) DO UPDATE SET owner = '', room_id = '', sent_at = coalesce(upload_media.sent_at, now());

-- name: media_owner (mxc)
SELECT owner FROM upload_media WHERE mxc = $1;

-- name: drop_uploads (owner or NULL, room_id or NULL) What becomes of their media is queried after this.
DELETE FROM uploads WHERE ($1::text IS NULL OR owner = $1) AND ($2::text IS NULL OR room_id = $2);

-- name: drop_untaken (owner or NULL, room_id or NULL) Of messages that brought no video, or none that is still here: they stay as any message's media do.
DELETE FROM upload_media m
WHERE sent_at IS NOT NULL AND ($1::text IS NULL OR owner = $1) AND ($2::text IS NULL OR room_id = $2)
    AND NOT EXISTS (
        SELECT FROM videos v
        WHERE v.sender = m.owner AND (
            v.mxc IN (m.mxc, m.thumbnail_of)
            OR v.edits @> jsonb_build_array(jsonb_build_object('mxc', coalesce(m.thumbnail_of, m.mxc)))
        )
    );
