-- What the timeline tells beside new videos: edits, what was missed, what was sent before. asyncpg's $n arguments are listed behind each name.

-- name: see (event_id) Comes back the first time only.
INSERT INTO seen_events (event_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true AS first;

-- name: message_videos (sent_in, event_id) All that a message brought, also what was taken away since.
SELECT id, room_id, sent_in, event_id, sender, mxc, edits, item, edited_at, spoiler, spoiler_reason,
    visibility = 'removed' AS gone
FROM videos WHERE sent_in = $1 AND event_id = $2 ORDER BY item FOR UPDATE;

-- name: edit_video (id, title, sent_at, event_id, mxc, spoiler, spoiler_reason) What a person named in the widget or by the bot keeps its name. The latest edits are remembered with what they replaced, to be deleted as well.
UPDATE videos SET title = CASE WHEN renamed THEN title ELSE $2 END,
    spoiler = $6, spoiler_reason = $7,
    version = CASE WHEN (renamed OR title = $2) AND spoiler = $6 AND spoiler_reason IS NOT DISTINCT FROM $7
        THEN version ELSE version + 1 END,
    edits = (CASE WHEN jsonb_array_length(edits) < 100 THEN edits ELSE edits - 0 END)
        || jsonb_build_object('event_id', $4::text, 'mxc', CASE WHEN mxc = $5 THEN '' ELSE mxc END),
    edited_at = least($3::bigint, (extract(epoch FROM now()) * 1000)::bigint), changed_at = now()
WHERE id = $1;

-- name: edited_by (sent_in, event_id) The message that an edit changed.
SELECT event_id FROM videos
WHERE sent_in = $1 AND edited_at IS NOT NULL AND visibility <> 'removed'
    AND edits @> jsonb_build_array(jsonb_build_object('event_id', $2::text));

-- name: forget_edit_time (sent_in, event_id) The newest edit may be older than the one that we know.
UPDATE videos SET edited_at = NULL WHERE sent_in = $1 AND event_id = $2;

-- name: replace_media (id, mxc, encrypted_file, claimed_size, certain, held_for, kind) Who works on the old one is fenced off. What was ready plays on until the new one does, unless that waits for somebody.
UPDATE videos v SET mxc = $2, encrypted_file = $3, claimed_size = $4, certain = $5, kind = $7,
    version = v.version + 1, attempts = v.attempts + 1, attempts_before = v.attempts + 1, attempts_spared = 0,
    awaited_since = NULL, failure = NULL, percent = NULL, remaining = NULL,
    arrived_at = clock_timestamp(), admitted_at = 'infinity', finishing = NULL,
    of_before = false, judged = false, source_hash = NULL, fingerprint = NULL, available = NULL, changed_at = now(),
    state = CASE WHEN old.stays THEN 'playable' ELSE 'queued' END,
    stage = CASE WHEN old.stays THEN v.stage END,
    has_poster = v.has_poster AND old.stays,
    renditions = CASE WHEN old.stays THEN v.renditions ELSE '[]' END,
    blurhash = CASE WHEN old.stays THEN v.blurhash END,
    storyboard = CASE WHEN old.stays THEN v.storyboard END,
    has_preview = v.has_preview AND old.stays,
    content_hash = CASE WHEN old.stays THEN v.content_hash END,
    captions = CASE WHEN old.stays THEN v.captions ELSE '[]' END,
    visibility = CASE WHEN $6::text IS NULL THEN v.visibility ELSE 'held' END,
    held_for = CASE WHEN v.visibility = 'held' THEN v.held_for ELSE $6 END,
    hidden_by = CASE WHEN $6 IS NULL THEN v.hidden_by END,
    quarantined = v.quarantined || CASE WHEN $6 IS NULL THEN '{}'
        ELSE jsonb_build_object('visibility', 'held', 'held_for', $6) END
FROM (
    SELECT id, $6::text IS NULL AND coalesce(
        state = 'ready'
        -- Nor did the media before these come so far: those that were ready still play (a stage begins with its attempt).
        OR state = 'playable' AND split_part(stage, '-', 1)::integer <= attempts_before, false
    ) AS stays
    FROM videos WHERE id = $1
) AS old
WHERE v.id = old.id;

-- name: withdraw_posts (video_id) Nobody is to decide on what they did not see.
DELETE FROM queue_posts WHERE video_id = $1 RETURNING room_id, event_id;

-- name: mark_of_before (id)
UPDATE videos SET of_before = true WHERE id = $1;

-- name: keep_mark (room_id, event_id, requested_at) All up to this event was dealt with; unless the bot left since, and came back: then it is from before.
UPDATE rooms SET last_event = $2, last_event_at = $3 WHERE room_id = $1 AND bot_membership = 'join' AND bot_joined_at <= $3;

-- name: keep_joined_event (room_id, event_id, requested_at) Where history begins; as above.
UPDATE rooms SET joined_event = $2 WHERE room_id = $1 AND bot_membership = 'join' AND bot_joined_at <= $3;

-- name: joined_event (room_id)
SELECT joined_event FROM rooms WHERE room_id = $1;

-- name: forget_old_events (days) Nothing looks back so far.
DELETE FROM seen_events WHERE seen_at < now() - make_interval(days => $1);
