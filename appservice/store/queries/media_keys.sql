-- The keys of encrypted stages.

-- name: sealed_key
SELECT sealed FROM media_keys WHERE video_id = :video_id AND stage = :stage;

-- name: add_key
-- The stage is published more than once: with its poster, and when it is complete.
INSERT INTO media_keys (video_id, stage, sealed) VALUES (:video_id, :stage, :sealed) ON CONFLICT DO NOTHING;

-- name: delete_keys
DELETE FROM media_keys WHERE video_id = :video_id AND stage = ANY (:stages::text[]);

-- name: sweep_keys
-- A stage and its key are published together: no key is of a stage that is still to come.
DELETE FROM media_keys k USING videos v
WHERE k.video_id = :video_id AND v.id = k.video_id
    AND k.stage IS DISTINCT FROM v.stage AND k.stage IS DISTINCT FROM v.replaced ->> 'stage';
