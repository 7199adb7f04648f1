-- What a backup has to have, in one snapshot.

-- name: export_snapshot
SELECT pg_export_snapshot() AS id, set_config('idle_in_transaction_session_timeout', '0', true);

-- name: backup_videos
-- Those with media, whatever people see of them.
SELECT * FROM videos WHERE id > :after AND (stage IS NOT NULL OR replaced IS NOT NULL) ORDER BY id LIMIT :most;

-- name: backup_uploads
-- Those whose bytes are still needed.
SELECT id, state FROM uploads WHERE state IN ('uploading', 'preparing');
