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
WHERE id = :video_id AND EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = videos.sender);

-- name: insert_video
-- Nothing comes back for an event that is known, or of somebody who does not want it. `sent_after`, `history` (the
-- least visibility) and `nonce` may be NULL.
INSERT INTO videos (
    event_id, room_id, sent_in, sender, title, mxc, encrypted_file, claimed_size, certain, sent_at, position,
    held_for, visibility, kind, item, spoiler, spoiler_reason, sent_after, history, nonce
)
-- Those of a gallery follow each other, within the millisecond.
SELECT :event_id, :room_id, :sent_in, :sender, :title, :mxc, :encrypted_file, :claimed_size, :certain,
    at, at + 0.001 * :item::integer, :held_for::text, CASE WHEN :held_for IS NULL THEN 'shown' ELSE 'held' END, :kind,
    :item, :spoiler, :spoiler_reason, :sent_after, (
        SELECT CASE WHEN :history::text IS NULL THEN history
            WHEN 'joined' IN (coalesce(history, 'joined'), :history) THEN 'joined'
            WHEN 'invited' IN (history, :history) THEN 'invited' ELSE history END
        FROM rooms WHERE room_id = :sent_in
    ), :nonce
FROM (SELECT least(:sent_at::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS at) AS clock
WHERE NOT EXISTS (SELECT FROM people WHERE user_id = :sender AND settings @> '{"add": false}')
ON CONFLICT DO NOTHING
RETURNING id;

-- name: was_uploaded
-- Whether somebody uploaded a video in the widget.
SELECT EXISTS (SELECT FROM upload_media WHERE mxc = :mxc AND owner = :sender AND thumbnail_of IS NULL) AS uploaded;

-- name: lock_doubles
-- Until the transaction's end nobody else takes what somebody sent to a room in the widget.
SELECT pg_advisory_xact_lock(hashtextextended(:sent_in || ' ' || :sender, 7421));

-- name: first_sent
-- The video that somebody sent there by the same nonce, also one that can still be brought back; without a nonce the
-- same file, no longer ago than that.
SELECT id FROM videos
WHERE sender = :sender AND sent_in = :sent_in AND item = :item AND CASE
    WHEN :nonce::text IS NOT NULL THEN nonce = :nonce AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    ELSE mxc = :mxc AND visibility <> 'removed' AND received_at > clock_timestamp() - make_interval(secs => :seconds)
END
ORDER BY received_at LIMIT 1 FOR UPDATE;

-- name: add_double
INSERT INTO doubles (event_id, video_id) VALUES (:event_id, :video_id) ON CONFLICT DO NOTHING;

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

-- name: mark_of_before
UPDATE videos SET of_before = true WHERE id = :id;

-- name: knows_item
-- Whether the message brought this video before.
SELECT EXISTS (SELECT FROM videos WHERE event_id = :event_id AND item = :item) AS known;

-- name: was_shown
-- Whether a video of theirs was approved or shown there before; what was taken away while it waited does not count.
SELECT EXISTS (
    SELECT FROM videos v
    WHERE v.room_id = :room_id AND v.sender = :sender AND v.held_for IS NULL AND (
        v.state IN ('playable', 'ready')
        OR EXISTS (SELECT FROM audit a WHERE a.video_id = v.id AND a.action = 'approved')
    )
) AS known;

-- name: refuse
-- A row comes back when they are to be notified.
INSERT INTO refusals (room_id, user_id)
SELECT :room_id, :user_id WHERE :sent_at::bigint > (extract(epoch FROM now()) - :within_seconds::float8) * 1000
ON CONFLICT (room_id, user_id) DO UPDATE SET told_at = now()
WHERE refusals.told_at <= now() - make_interval(secs => :every_seconds::float8)
RETURNING true AS is_due;

-- name: removable_by_event
-- Also one that a person deleted, and might still bring back.
SELECT id, room_id, sent_in, event_id, mxc, edits, sender FROM videos
WHERE sent_in = :sent_in AND event_id = :event_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL) FOR UPDATE;

-- name: refuse_video
-- A new one for which there is no room.
UPDATE videos SET state = 'failed', failure = :failure WHERE id = :id;

-- name: sent_redacted
-- Somebody redacted it.
UPDATE sent_for SET taken_back_at = now() WHERE room_id = :room_id AND event_id = :event_id AND taken_back_at IS NULL
RETURNING video_id;

-- name: unsay_marks
-- The message that was marked is gone, and its marks with it; a notice stays in its thread.
UPDATE statuses SET event_id = '', says = '', times = times + 1
WHERE video_id = :video_id AND kind <> 'notice' AND event_id <> '';
