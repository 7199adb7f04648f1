-- What the timeline has beside new videos: edits, what was missed, what was sent before.

-- name: see
-- Comes back the first time only.
INSERT INTO seen_events (event_id) VALUES (:event_id) ON CONFLICT DO NOTHING RETURNING true AS first;

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

-- name: edited_by
-- The message that an edit changed.
SELECT event_id FROM videos
WHERE sent_in = :sent_in AND edited_at IS NOT NULL AND visibility <> 'removed'
    AND edits @> jsonb_build_array(jsonb_build_object('event_id', :event_id::text));

-- name: reset_edit_time
-- The newest edit may be older than the one that we know.
UPDATE videos SET edited_at = NULL WHERE sent_in = :sent_in AND event_id = :event_id;

-- name: replace_media
-- Who works on the old one is fenced off. What was ready plays on until the new one does, unless that waits for
-- somebody. What is hidden stays so, and waits once it is shown.
UPDATE videos v SET mxc = :mxc, encrypted_file = :encrypted_file, claimed_size = :claimed_size, certain = :certain, kind = :kind,
    version = v.version + 1, attempts = v.attempts + 1, attempts_before = v.attempts + 1, attempts_spared = 0,
    awaited_since = NULL, failure = NULL, percent = NULL, remaining = NULL,
    arrived_at = clock_timestamp(), admitted_at = 'infinity', finishing = NULL,
    of_before = false, judged = false, source_hash = NULL, fingerprint = NULL, available = NULL, changed_at = now(),
    state = CASE WHEN old.stays THEN 'playable' ELSE 'queued' END,
    -- The hashes and the files stay those of what played.
    replaced = coalesce(v.replaced, CASE WHEN v.state = 'ready' THEN jsonb_build_object(
        'mxc', v.mxc, 'encrypted_file', v.encrypted_file, 'claimed_size', v.claimed_size, 'certain', v.certain,
        'kind', v.kind, 'judged', v.judged, 'stage', v.stage, 'has_poster', v.has_poster, 'duration', v.duration,
        'width', v.width, 'height', v.height, 'renditions', v.renditions, 'blurhash', v.blurhash,
        'storyboard', v.storyboard, 'has_preview', v.has_preview, 'captions', v.captions,
        'audio_left_out', v.audio_left_out, 'bytes', v.bytes,
        'content_hash', encode(v.content_hash, 'hex'), 'source_hash', encode(v.source_hash, 'hex'),
        'fingerprint', encode(v.fingerprint, 'hex'), 'visibility', v.visibility, 'held_for', v.held_for,
        'hidden_by', v.hidden_by, 'quarantined', v.quarantined
    ) END),
    stage = CASE WHEN old.stays THEN v.stage END,
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

-- name: bring_back
-- The media of an edit failed: what played before comes back unless it was blocked meanwhile, and they are stored to be
-- deleted with it. Where it waits for the approval of just these, it is what it was before.
UPDATE videos v SET state = 'ready', failure = NULL, attempts = v.attempts + 1, attempts_before = v.attempts + 1,
    edits = v.edits || jsonb_build_object('event_id', coalesce(v.edits -> -1 ->> 'event_id', v.event_id), 'mxc', v.mxc),
    mxc = r.mxc, encrypted_file = nullif(r.encrypted_file, 'null'), claimed_size = r.claimed_size, certain = r.certain, kind = r.kind,
    judged = r.judged, stage = r.stage, has_poster = r.has_poster, duration = r.duration, width = r.width,
    height = r.height, renditions = r.renditions, blurhash = r.blurhash, storyboard = nullif(r.storyboard, 'null'),
    has_preview = r.has_preview, captions = r.captions, audio_left_out = r.audio_left_out,
    bytes = r.bytes, content_hash = decode(r.content_hash, 'hex'),
    source_hash = decode(r.source_hash, 'hex'), fingerprint = decode(r.fingerprint, 'hex'),
    visibility = CASE WHEN w.waits THEN r.visibility ELSE v.visibility END,
    held_for = CASE WHEN w.waits THEN r.held_for ELSE v.held_for END,
    hidden_by = CASE WHEN w.waits THEN r.hidden_by ELSE v.hidden_by END,
    replaced = NULL, available = NULL, percent = NULL, remaining = NULL, awaited_since = NULL,
    version = v.version + 1, changed_at = now()
FROM videos o
    CROSS JOIN LATERAL jsonb_to_record(o.replaced) AS r (
        mxc text, encrypted_file jsonb, claimed_size bigint, certain boolean, kind text, judged boolean, stage text,
        has_poster boolean, duration double precision, width integer, height integer, renditions jsonb, blurhash text,
        storyboard jsonb, has_preview boolean, captions jsonb, audio_left_out text, bytes bigint, content_hash text, source_hash text,
        fingerprint text, visibility text, held_for text, hidden_by text
    )
    CROSS JOIN LATERAL (SELECT o.held_for = 'approval' AND o.quarantined IS NULL AS waits) AS w
WHERE v.id = :id AND o.id = v.id AND v.state = ANY (:from_states) AND v.attempts = :attempt AND v.visibility <> 'removed'
    AND v.replaced IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM blocks b
        WHERE (b.room_id IS NULL OR b.room_id = v.room_id) AND b.source_hash = decode(o.replaced ->> 'source_hash', 'hex')
    )
RETURNING v.room_id, CASE WHEN v.sent_in = v.room_id THEN v.event_id END AS thread, v.sender, v.title, o.kind;

-- name: withdraw_posts
-- Nobody is to decide on what they did not see.
DELETE FROM queue_posts WHERE video_id = :video_id RETURNING room_id, event_id;

-- name: mark_of_before
UPDATE videos SET of_before = true WHERE id = :id;

-- name: store_mark
-- All up to this event was dealt with; unless the bot left since, and came back: then it is from before.
UPDATE rooms SET last_event = :event_id, last_event_at = :requested_at
WHERE room_id = :room_id AND bot_membership = 'join' AND bot_joined_at <= :requested_at;

-- name: store_joined_event
-- Where history begins; as above.
UPDATE rooms SET joined_event = :event_id WHERE room_id = :room_id AND bot_membership = 'join' AND bot_joined_at <= :requested_at;

-- name: joined_event
SELECT joined_event FROM rooms WHERE room_id = :room_id;

-- name: delete_old_events
-- No backfill goes so far.
DELETE FROM seen_events WHERE seen_at < now() - make_interval(days => :days);
