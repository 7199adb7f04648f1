-- What events bring of videos, and change in them.

-- name: restore_wanted_rungs
-- A worker of the release before knows nothing of them, and took the work on such a video for done.
UPDATE videos SET finishing = 0
WHERE lower_rungs IN ('wanted', 'spare') AND finishing IS NULL AND state = 'ready' AND visibility <> 'removed';

-- name: unfinished_without_job
-- What a lost job left behind, or the bot where it left and came back.
SELECT id FROM videos
WHERE (state IN ('queued', 'processing', 'playable') OR state = 'ready' AND finishing IS NOT NULL) AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8')
    )
ORDER BY received_at, id;

-- name: message_videos
-- All that a message brought, also what was taken away since.
SELECT id, room_id, sent_in, event_id, sender, mxc, edits, item, edited_at, spoiler, spoiler_reason,
    visibility = 'removed' AS gone
FROM videos WHERE sent_in = :sent_in AND event_id = :event_id ORDER BY item FOR UPDATE;

-- name: edit_video
-- What a person named in the widget or by the bot retains its name. The latest edits are stored with what they
-- replaced, to be deleted as well.
UPDATE videos SET title = CASE WHEN renamed THEN title ELSE :title END,
    spoiler = :spoiler, spoiler_reason = :spoiler_reason,
    version = CASE WHEN (renamed OR title = :title) AND spoiler = :spoiler AND spoiler_reason IS NOT DISTINCT FROM :spoiler_reason
        THEN version ELSE version + 1 END,
    edits = (CASE WHEN jsonb_array_length(edits) < 100 THEN edits ELSE edits - 0 END)
        || jsonb_build_object('event_id', :event_id::text, 'mxc', CASE WHEN mxc = :mxc THEN '' ELSE mxc END),
    edited_at = least(:sent_at::bigint, (extract(epoch FROM now()) * 1000)::bigint), changed_at = now()
WHERE id = :id;

-- name: replace_media
-- Who works on the old one is fenced off. What was ready plays on until the new one does, unless that waits for
-- somebody. What is hidden stays so, and waits once it is shown.
UPDATE videos v SET mxc = :mxc, encrypted_file = :encrypted_file, claimed_size = :claimed_size, certain = :certain, kind = :kind,
    version = v.version + 1, attempts = v.attempts + 1, attempts_before = v.attempts + 1, attempts_spared = 0,
    awaited_since = NULL, failure = NULL, percent = NULL, remaining = NULL,
    arrived_at = clock_timestamp(), admitted_at = 'infinity', finishing = NULL, lower_rungs = NULL, rungs_after = NULL,
    of_before = false, judged = false, source_hash = NULL, fingerprint = NULL, sealed_content = NULL,
    available = NULL, changed_at = now(),
    state = CASE WHEN old.stays THEN 'playable' ELSE 'queued' END,
    -- The hashes and the files stay those of what played.
    replaced = coalesce(v.replaced, CASE WHEN v.state = 'ready' THEN jsonb_build_object(
        'mxc', v.mxc, 'encrypted_file', v.encrypted_file, 'claimed_size', v.claimed_size, 'certain', v.certain,
        'kind', v.kind, 'judged', v.judged, 'stage', v.stage, 'stage_encrypted', v.stage_encrypted,
        'has_poster', v.has_poster, 'duration', v.duration, 'width', v.width, 'height', v.height,
        'renditions', v.renditions, 'blurhash', v.blurhash,
        'storyboard', v.storyboard, 'has_preview', v.has_preview, 'captions', v.captions,
        'audio_left_out', v.audio_left_out, 'bytes', v.bytes,
        'content_hash', encode(v.content_hash, 'hex'), 'source_hash', encode(v.source_hash, 'hex'),
        'fingerprint', encode(v.fingerprint, 'hex'), 'sealed_content', encode(v.sealed_content, 'hex'),
        'lower_rungs', v.lower_rungs,
        'visibility', v.visibility, 'held_for', v.held_for,
        'hidden_by', v.hidden_by, 'quarantined', v.quarantined
    ) END),
    stage = CASE WHEN old.stays THEN v.stage END,
    stage_encrypted = v.stage_encrypted AND old.stays,
    has_poster = v.has_poster AND old.stays,
    renditions = CASE WHEN old.stays THEN v.renditions ELSE '[]' END,
    blurhash = CASE WHEN old.stays THEN v.blurhash END,
    storyboard = CASE WHEN old.stays THEN v.storyboard END,
    has_preview = v.has_preview AND old.stays,
    content_hash = CASE WHEN old.stays THEN v.content_hash END,
    captions = CASE WHEN old.stays THEN v.captions ELSE '[]' END,
    audio_left_out = CASE WHEN old.stays THEN v.audio_left_out END,
    visibility = CASE WHEN :held_for::text IS NULL OR v.visibility = 'hidden' THEN v.visibility ELSE 'held' END,
    held_for = CASE WHEN v.visibility = 'held' THEN v.held_for ELSE :held_for END,
    quarantined = v.quarantined || CASE
        WHEN v.quarantined ->> 'visibility' = 'hidden' THEN jsonb_build_object('held_for', :held_for)
        WHEN :held_for IS NULL THEN '{}'
        ELSE jsonb_build_object('visibility', 'held', 'held_for', :held_for) END
FROM (
    SELECT id, :held_for::text IS NULL AND coalesce(
        state = 'ready'
        -- Nor did the media before these come so far: those that were ready still play (a stage begins with its attempt).
        OR state = 'playable' AND split_part(stage, '-', 1)::integer <= attempts_before, false
    ) AS stays
    FROM videos WHERE id = :id
) AS old
WHERE v.id = old.id;

-- name: withdraw_posts
-- Nobody is to decide on what they did not see.
DELETE FROM queue_posts WHERE video_id = :video_id RETURNING room_id, event_id;
