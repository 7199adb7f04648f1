-- What events bring of videos, and change in them.

-- name: share_sender
-- Until the transaction's end nobody puts them into quarantine, or takes them out.
SELECT pg_advisory_xact_lock_shared(hashtextextended(:user_id, 7404));

-- name: quarantine_new
-- What somebody in quarantine sends joins what they have.
UPDATE videos SET
    quarantined = jsonb_build_object(
        'visibility', visibility, 'held_for', held_for, 'hidden_by', hidden_by, 'with_sender', true
    ),
    visibility = 'held', held_for = 'quarantine'
WHERE id = ANY (:video_ids::uuid[]) AND EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = videos.sender);

-- name: insert_videos
-- Nothing comes back for an event that is known, or of somebody who does not want it. `sent_after`, `histories` (the
-- least visibility), `nonces` and `received_at` (just now) may be NULL.
INSERT INTO videos (
    event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, position,
    held_for, visibility, kind, item, spoiler, spoiler_reason, sent_after, history, nonce, of_before, received_at
)
-- Those of a gallery follow each other, within the millisecond.
SELECT n.event_id, n.room_id, n.sent_in, n.sender, n.title, n.mxc, n.encrypted_file, n.claimed_size, n.certain,
    n.at, n.at + 0.001 * n.item, n.held_for, CASE WHEN n.held_for IS NULL THEN 'shown' ELSE 'held' END, n.kind,
    n.item, n.spoiler, n.spoiler_reason, n.sent_after, CASE
        WHEN r.room_id IS NULL THEN NULL
        WHEN n.history IS NULL THEN r.history
        WHEN 'joined' IN (coalesce(r.history, 'joined'), n.history) THEN 'joined'
        WHEN 'invited' IN (r.history, n.history) THEN 'invited' ELSE r.history
    END, n.nonce, n.of_before, coalesce(n.received_at, clock_timestamp())
FROM (
    SELECT *, least(sent_at, (extract(epoch FROM now()) * 1000)::bigint) AS at FROM unnest(
        :event_ids::text[], :room_ids::text[], :sent_in::text[], :senders::text[], :titles::text[], :mxcs::text[],
        :encrypted_files::jsonb[], :claimed_sizes::bigint[], :certain::boolean[], :sent_at::bigint[],
        :held_for::text[], :kinds::text[], :items::integer[], :spoilers::boolean[], :spoiler_reasons::text[],
        :sent_after::timestamptz[], :histories::text[], :nonces::text[], :of_before::boolean[],
        :received_at::timestamptz[]
    ) WITH ORDINALITY AS u (
        event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, held_for, kind,
        item, spoiler, spoiler_reason, sent_after, history, nonce, of_before, received_at, number
    )
) AS n LEFT JOIN rooms r ON r.room_id = n.sent_in
WHERE NOT EXISTS (SELECT FROM people WHERE user_id = n.sender AND settings @> '{"add": false}')
ORDER BY n.number
ON CONFLICT DO NOTHING
RETURNING id, event_id, item,
    EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = videos.sender) AS in_quarantine;

-- name: lock_doubles
-- Until the transaction's end nobody else takes what these sent to these rooms in the widget.
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(sent_in || ' ' || sender, 7421) AS key
    FROM unnest(:sent_in::text[], :senders::text[]) AS t (sent_in, sender) ORDER BY key
) AS keys;

-- name: first_sent
-- The videos that somebody sent there by the same nonce, also those that can still be brought back; without a nonce the
-- same file, no longer ago than that. By the numbers of what they are compared with.
SELECT t.number, f.id AS video_id
FROM unnest(
    :sent_in::text[], :senders::text[], :nonces::text[], :mxcs::text[], :items::integer[]
) WITH ORDINALITY AS t (sent_in, sender, nonce, mxc, item, number), LATERAL (
    SELECT v.id FROM videos v
    WHERE v.sender = t.sender AND v.sent_in = t.sent_in AND v.item = t.item AND CASE
        WHEN t.nonce IS NOT NULL THEN v.nonce = t.nonce AND (v.visibility <> 'removed' OR v.deleted_at IS NOT NULL)
        ELSE v.mxc = t.mxc AND v.visibility <> 'removed'
            AND v.received_at > clock_timestamp() - make_interval(secs => :seconds)
    END
    ORDER BY v.received_at LIMIT 1 FOR UPDATE
) AS f
ORDER BY t.number;

-- name: add_doubles
INSERT INTO doubles (event_id, video_id) SELECT event_id, video_id
FROM unnest(:event_ids::text[], :video_ids::uuid[]) WITH ORDINALITY AS d (event_id, video_id, number) ORDER BY number
ON CONFLICT DO NOTHING;

-- name: delete_double
DELETE FROM doubles d USING videos v WHERE d.event_id = :event_id AND v.id = d.video_id AND v.sent_in = :sent_in;

-- name: pass_on
-- The next message that brings the same becomes the video's own. Nothing comes back where there is none.
WITH next AS (
    DELETE FROM doubles WHERE event_id = (SELECT event_id FROM doubles WHERE video_id = :video_id ORDER BY received_at LIMIT 1)
    RETURNING event_id
)
UPDATE videos v SET event_id = next.event_id, changed_at = now() FROM next
WHERE v.id = :video_id AND v.event_id = :event_id AND v.visibility <> 'removed'
RETURNING v.id;

-- name: unfinished_without_job
-- What a lost job left behind, or the bot where it left and came back.
SELECT id FROM videos
WHERE (state IN ('queued', 'processing', 'playable') OR state = 'ready' AND finishing IS NOT NULL) AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM pgqueuer WHERE entrypoint = 'video' AND payload = convert_to(videos.id::text, 'UTF8')
    );

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

-- name: replace_media
-- Who works on the old one is fenced off. What was ready plays on until the new one does, unless that waits for
-- somebody. What is hidden stays so, and waits once it is shown.
UPDATE videos v SET mxc = :mxc, encrypted_file = :encrypted_file, claimed_size = :claimed_size, certain = :certain, kind = :kind,
    version = v.version + 1, attempts = v.attempts + 1, attempts_before = v.attempts + 1, attempts_spared = 0,
    awaited_since = NULL, failure = NULL, percent = NULL, remaining = NULL,
    arrived_at = clock_timestamp(), admitted_at = 'infinity', finishing = NULL,
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

-- name: which_may_be_taken
-- Which of these videos may be stored, by their numbers: in an encrypted room nothing that came, or was sent (NULL: now),
-- before somebody opted in. To be queried after `open_batch` has locked.
SELECT t.number FROM unnest(:room_ids::text[], :sent_in::text[], :earliest::timestamptz[])
    WITH ORDINALITY AS t (room_id, sent_in, earliest, number)
WHERE NOT EXISTS (
    SELECT FROM rooms r WHERE r.room_id IN (t.room_id, t.sent_in) AND r.encrypted
        AND (r.opted_in_by IS NULL OR r.opted_in_at > coalesce(t.earliest, clock_timestamp()))
);

-- name: were_shown
-- Of whom a video was approved or shown there before; what was taken away while it waited does not count.
SELECT t.room_id, t.sender FROM unnest(:room_ids::text[], :senders::text[]) AS t (room_id, sender) WHERE EXISTS (
    SELECT FROM videos v
    WHERE v.room_id = t.room_id AND v.sender = t.sender AND v.held_for IS NULL AND (
        v.state IN ('playable', 'ready')
        OR EXISTS (SELECT FROM audit a WHERE a.video_id = v.id AND a.action = 'approved')
    )
);

-- name: refuse
-- The first of each who is to be notified, by its number.
WITH due AS (
    SELECT DISTINCT ON (room_id, user_id) room_id, user_id, number
    FROM unnest(:room_ids::text[], :user_ids::text[], :sent_at::bigint[])
        WITH ORDINALITY AS t (room_id, user_id, sent_at, number)
    WHERE sent_at > (extract(epoch FROM now()) - :within_seconds::float8) * 1000
    ORDER BY room_id, user_id, number
), told AS (
    INSERT INTO refusals (room_id, user_id) SELECT room_id, user_id FROM due ORDER BY number
    ON CONFLICT (room_id, user_id) DO UPDATE SET told_at = now()
    WHERE refusals.told_at <= now() - make_interval(secs => :every_seconds::float8)
    RETURNING room_id, user_id
)
SELECT due.number FROM told JOIN due USING (room_id, user_id) ORDER BY due.number;

-- name: removable_by_event
-- Also one that a person deleted, and might still bring back.
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE sent_in = :sent_in AND event_id = :event_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL) FOR UPDATE;

-- name: refuse_videos
-- New ones for which there is no room.
UPDATE videos v SET state = 'failed', failure = t.failure
FROM unnest(:ids::uuid[], :failures::text[]) AS t (id, failure) WHERE v.id = t.id;

-- name: sent_redacted
-- Somebody redacted it.
UPDATE sent_for SET taken_back_at = now() WHERE room_id = :room_id AND event_id = :event_id AND taken_back_at IS NULL
RETURNING video_id;

-- name: unsay_marks
-- The message that was marked is gone, and its marks with it; a notice stays in its thread.
UPDATE statuses SET event_id = '', says = '', times = times + 1
WHERE video_id = :video_id AND kind <> 'notice' AND event_id <> '';
