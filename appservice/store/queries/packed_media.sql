-- What was made of videos, and earlier releases stored as JSON.

-- name: take_unpacked
-- Some of those that are still to be packed; once no process of such a release is left, there may be any.
DELETE FROM unpacked_videos WHERE id IN (SELECT id FROM unpacked_videos LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: unpacked_media
SELECT id, renditions, storyboard FROM videos
WHERE id = ANY (:ids) AND jsonb_typeof(renditions) = 'array' AND renditions <> '[]' ORDER BY id FOR UPDATE;

-- name: pack_media
UPDATE videos SET renditions = to_jsonb(:packed::text), storyboard = NULL,
    content_hash = substr(content_hash, 1, 8)
WHERE id = :id;
