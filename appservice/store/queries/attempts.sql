-- The work on videos.

-- name: begin_attempt
-- One more attempt; nothing comes back when there is nothing left to do, or the bot has left.
UPDATE videos SET state = CASE WHEN state = 'playable' THEN state ELSE 'processing' END,
    attempts = attempts + 1, percent = 0, remaining = NULL, changed_at = now()
WHERE id = :id AND visibility <> 'removed' AND state = ANY (:from_states)
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
RETURNING *;

-- name: wanted
SELECT FROM videos v WHERE v.id = :id AND v.attempts = :attempt AND v.visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = v.room_id AND r.left_at IS NOT NULL);

-- name: give_back_attempt
-- The worker was stopped in the middle.
UPDATE videos SET attempts = attempts - 1, percent = NULL, remaining = NULL WHERE id = :id AND attempts = :attempt;

-- name: await_upload
-- The file is not uploaded yet: no attempt, and its work has not begun.
UPDATE videos SET attempts = attempts - 1, awaited_since = coalesce(awaited_since, now()), percent = NULL,
    remaining = NULL, state = CASE WHEN state = 'processing' THEN 'queued' ELSE state END, changed_at = now()
WHERE id = :id AND attempts = :attempt
RETURNING room_id;

-- name: first_awaiting
-- Of the videos whose file is not uploaded yet, the one that queries for all with the same file.
SELECT id FROM videos
WHERE mxc = :mxc AND awaited_since IS NOT NULL AND state IN ('queued', 'playable', 'ready') AND visibility <> 'removed'
    AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = videos.room_id AND r.left_at IS NOT NULL)
ORDER BY id LIMIT 1;

-- name: upload_came
-- Nobody waits for the file any more: all who did begin at once.
WITH came AS (
    UPDATE videos SET awaited_since = NULL WHERE mxc = :mxc AND awaited_since IS NOT NULL
    RETURNING id
)
UPDATE pgqueuer SET execute_after = now()
WHERE entrypoint = 'video' AND status = 'queued' AND execute_after > now()
    AND payload IN (SELECT convert_to(id::text, 'UTF8') FROM came);

-- name: uncount_attempt
-- Let one attempt more, or fewer, not count.
UPDATE videos SET attempts_spared = attempts_spared + :number WHERE id = :id AND attempts = :attempt;

-- name: plays
-- Whether the first stage of the same file is published already, all of it. What is encrypted has no content hash: its
-- event names the hash of its file.
SELECT FROM videos
WHERE id = :id AND attempts = :attempt AND state = 'playable' AND stage IS NOT NULL AND available IS NULL
    AND visibility <> 'removed' AND CASE
        WHEN :content_hash::bytea IS NULL THEN stage_encrypted
        ELSE content_hash IN (:content_hash, substr(:content_hash::bytea, 1, 8)) END;

-- name: shown_stage
SELECT stage FROM videos WHERE id = :id AND visibility <> 'removed' AND stage IS NOT NULL;

-- name: classify
-- What a person named retains its name.
UPDATE videos SET kind = :kind, title = CASE WHEN renamed THEN title ELSE :title END, changed_at = now()
WHERE id = :id AND attempts = :attempt AND visibility <> 'removed'
RETURNING room_id;

-- name: pause
-- The attempt is over, and another one is due later.
UPDATE videos SET percent = NULL, remaining = NULL WHERE id = :id AND attempts = :attempt;

-- name: withdraw_unfinished
-- The attempt ended before its first stage was whole: nobody is to wait for more of it.
UPDATE videos v SET state = 'processing', stage = NULL, stage_encrypted = false, has_poster = false, renditions = '[]',
    available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL, captions = '[]',
    audio_left_out = NULL,
    bytes = CASE WHEN v.admitted_at = 'infinity' THEN 0 ELSE coalesce(v.claimed_size, 0) END, changed_at = now()
FROM (SELECT id, stage FROM videos WHERE id = :id FOR UPDATE) AS old
WHERE v.id = old.id AND v.attempts = :attempt AND v.state = 'playable' AND v.available IS NOT NULL
    AND v.visibility <> 'removed'
RETURNING v.room_id, old.stage;

-- name: progress
-- Store it for who looks later, and notify who looks now (LISTEN roomreel_progress).
WITH moved AS (
    UPDATE videos SET percent = :percent, remaining = :remaining
    WHERE id = :id AND attempts = :attempt AND state IN ('processing', 'playable') AND visibility <> 'removed'
    RETURNING id, room_id, visibility, percent, remaining
)
SELECT pg_notify('roomreel_progress', json_build_object(
    'room_id', room_id, 'video_id', id, 'percent', percent, 'remaining', remaining
)::text)
FROM moved WHERE visibility = 'shown';

-- name: publish
-- Only the newest attempt may publish. Until all is there, no less than what was downloaded counts. `packed` is both
-- renditions and storyboard, and of the content's hash eight bytes do beside that of its file: what the last release
-- cannot read. `replaced`: the stage without its lower rungs that this one takes the place of, unless another worker was
-- faster.
UPDATE videos SET state = :state, stage = :stage, stage_encrypted = :stage_encrypted, duration = :duration,
    width = :width, height = :height, has_poster = :has_poster,
    renditions = CASE WHEN may_pack() THEN to_jsonb(:packed::text) ELSE :renditions END,
    storyboard = CASE WHEN NOT may_pack() THEN :storyboard::jsonb END,
    available = :available, blurhash = :blurhash, has_preview = :has_preview,
    content_hash = CASE WHEN may_pack() THEN substr(:content_hash::bytea, 1, 8) ELSE :content_hash END,
    captions = :captions,
    bytes = CASE WHEN :state = 'ready' OR admitted_at = 'infinity' THEN :bytes ELSE greatest(:bytes, claimed_size) END,
    -- What is made of a recording has lost before what of its audio cannot be taken.
    audio_left_out = coalesce(:audio_left_out, (
        SELECT u.content ->> 'audio_left_out' FROM uploads u WHERE u.state = 'ready' AND u.content ->> 'url' = mxc LIMIT 1
    )),
    percent = CASE WHEN :state = 'ready' THEN NULL ELSE percent END,
    remaining = CASE WHEN :state = 'ready' THEN NULL ELSE remaining END,
    failure = NULL, finishing = CASE WHEN :state = 'ready' THEN 0 END,
    -- A viewer of the first stage may have reported a slow line.
    lower_rungs = CASE
        WHEN lower_rungs = 'wanted' AND (:state <> 'ready' OR :left_out) THEN lower_rungs
        WHEN :state = 'ready' AND :left_out THEN 'left_out' END,
    replaced = CASE WHEN :state <> 'ready' THEN replaced END, changed_at = now()
WHERE id = :id AND attempts = :attempt AND visibility <> 'removed' AND CASE
    WHEN :replaced::text IS NULL THEN state = ANY (:from_states)
    ELSE state = 'ready' AND stage = :replaced AND lower_rungs IN ('wanted', 'spare') END
RETURNING room_id, audio_left_out, lower_rungs = 'wanted' AND :state = 'ready' AS needs_job;

-- name: begin_finishing
-- Begin again what follows from a video being ready, after the worker that was to do it died or was stopped. Nothing
-- comes back when that is done, or was begun too often: then rungs that were wanted are given up.
UPDATE videos SET finishing = CASE WHEN finishing < :most THEN finishing + 1 END,
    rungs_after = CASE WHEN finishing >= :most THEN now() + interval '7 days' ELSE rungs_after END,
    lower_rungs = CASE WHEN finishing >= :most AND lower_rungs IN ('wanted', 'spare') THEN 'given_up' ELSE lower_rungs END
WHERE id = :id AND finishing IS NOT NULL AND state = 'ready' AND visibility <> 'removed'
RETURNING *;

-- name: finished
-- Rungs that somebody wanted meanwhile are still to be made.
UPDATE videos SET finishing = CASE WHEN lower_rungs IN ('wanted', 'spare') THEN finishing END
WHERE id = :id AND attempts = :attempt;

-- name: stop_finishing
-- What follows cannot be done: lower rungs that are to be made are given up, or, `passing`, left out until somebody reports
-- again.
UPDATE videos SET finishing = NULL,
    rungs_after = CASE WHEN lower_rungs IN ('wanted', 'spare')
        THEN now() + CASE WHEN :passing THEN interval '1 day' ELSE interval '7 days' END ELSE rungs_after END,
    lower_rungs = CASE WHEN lower_rungs IN ('wanted', 'spare')
        THEN CASE WHEN :passing THEN 'left_out' ELSE 'given_up' END ELSE lower_rungs END
WHERE id = :id AND attempts = :attempt;

-- name: finishing_tries
SELECT finishing FROM videos WHERE id = :id AND attempts = :attempt;

-- name: uncount_finishing
-- What ended it passes.
UPDATE videos SET finishing = greatest(finishing - 1, 0) WHERE id = :id AND attempts = :attempt AND finishing IS NOT NULL;

-- name: append_segments
-- More segments exist; only the newest attempt may say so. Notify who waits for them (LISTEN roomreel_grown).
WITH appended AS (
    UPDATE videos SET available = :available
    WHERE id = :id AND attempts = :attempt AND stage = :stage AND state = 'playable' AND visibility <> 'removed'
    RETURNING room_id
)
SELECT pg_notify('roomreel_grown', room_id) FROM appended;

-- name: age
-- Seconds since a video's event arrived.
SELECT extract(epoch FROM clock_timestamp() - arrived_at)::float8 AS seconds FROM videos WHERE id = :id;

-- name: same_content
-- Another video of the same file whose files are complete and served; not of a room that was encrypted since. First one
-- with all rungs; `whole`: no other.
SELECT v.* FROM videos o
    JOIN videos v ON substr(v.source_hash, 1, 2) = substr(o.source_hash, 1, 2) AND v.source_hash = o.source_hash
    JOIN rooms r ON r.room_id = v.room_id AND NOT r.encrypted
WHERE o.id = :id AND v.content_hash IN (:content_hash, substr(:content_hash::bytea, 1, 8)) AND v.id <> o.id
    AND v.state = 'ready' AND v.visibility = 'shown' AND NOT (:whole AND v.lower_rungs IS NOT NULL)
ORDER BY v.lower_rungs IS NOT NULL, v.changed_at DESC LIMIT 1;

-- name: fail
-- Nobody is notified of a video that was taken back.
UPDATE videos SET state = 'failed', failure = :failure, stage = NULL, stage_encrypted = false, has_poster = false,
    renditions = '[]', available = NULL, blurhash = NULL, storyboard = NULL, has_preview = false, content_hash = NULL,
    captions = '[]', percent = NULL, remaining = NULL, bytes = 0, audio_left_out = NULL, changed_at = now()
WHERE id = :id AND state = ANY (:from_states) AND attempts = :attempt AND visibility <> 'removed'
RETURNING room_id, kind;

-- name: discard
-- It was no video after all.
DELETE FROM videos WHERE id = :id AND attempts = :attempt RETURNING room_id, sent_in;

-- name: requeue
UPDATE videos v SET state = 'queued', attempts = 0, attempts_before = 0, attempts_spared = 0, failure = NULL,
    awaited_since = NULL, arrived_at = clock_timestamp(), admitted_at = 'infinity', changed_at = now()
FROM videos was
WHERE v.id = :id AND was.id = v.id AND v.state = 'failed' AND v.visibility <> 'removed'
RETURNING v.room_id, v.sender, was.failure;

-- name: bring_back
-- The media of an edit failed: what played before comes back unless it was blocked meanwhile, and they are stored to be
-- deleted with it. Where it waits for the approval of just these, it is what it was before.
UPDATE videos v SET state = 'ready', failure = NULL, attempts = v.attempts + 1, attempts_before = v.attempts + 1,
    edits = v.edits || jsonb_build_object('event_id', coalesce(v.edits -> -1 ->> 'event_id', v.event_id), 'mxc', v.mxc),
    mxc = r.mxc, encrypted_file = nullif(r.encrypted_file, 'null'), claimed_size = r.claimed_size, certain = r.certain, kind = r.kind,
    judged = r.judged, stage = r.stage, stage_encrypted = coalesce(r.stage_encrypted, false),
    has_poster = r.has_poster, duration = r.duration, width = r.width, height = r.height,
    renditions = r.renditions, blurhash = r.blurhash, storyboard = nullif(r.storyboard, 'null'),
    has_preview = r.has_preview, captions = r.captions, audio_left_out = r.audio_left_out,
    bytes = r.bytes, content_hash = decode(r.content_hash, 'hex'),
    source_hash = decode(r.source_hash, 'hex'), fingerprint = decode(r.fingerprint, 'hex'),
    sealed_content = decode(r.sealed_content, 'hex'),
    visibility = CASE WHEN w.waits THEN r.visibility ELSE v.visibility END,
    held_for = CASE WHEN w.waits THEN r.held_for ELSE v.held_for END,
    hidden_by = CASE WHEN w.waits THEN r.hidden_by ELSE v.hidden_by END,
    lower_rungs = CASE WHEN r.lower_rungs IN ('wanted', 'spare') THEN 'left_out' ELSE r.lower_rungs END,
    replaced = NULL, available = NULL, percent = NULL, remaining = NULL, awaited_since = NULL,
    version = v.version + 1, changed_at = now()
FROM videos o
    CROSS JOIN LATERAL jsonb_to_record(o.replaced) AS r (
        mxc text, encrypted_file jsonb, claimed_size bigint, certain boolean, kind text, judged boolean, stage text,
        stage_encrypted boolean, has_poster boolean, duration double precision, width integer, height integer,
        renditions jsonb, blurhash text, storyboard jsonb, has_preview boolean, captions jsonb, audio_left_out text,
        bytes bigint, content_hash text, source_hash text, fingerprint text, sealed_content text, lower_rungs text, visibility text, held_for text, hidden_by text
    )
    CROSS JOIN LATERAL (SELECT o.held_for = 'approval' AND o.quarantined IS NULL AS waits) AS w
WHERE v.id = :id AND o.id = v.id AND v.state = ANY (:from_states) AND v.attempts = :attempt AND v.visibility <> 'removed'
    AND v.replaced IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM blocks b
        WHERE (b.room_id IS NULL OR b.room_id = v.room_id) AND b.source_hash = decode(o.replaced ->> 'source_hash', 'hex')
    )
RETURNING v.room_id, CASE WHEN v.sent_in = v.room_id THEN v.event_id END AS thread, v.sender, v.title, o.kind;

-- name: hold_status
-- Until the transaction's end nobody updates the status of a video.
SELECT pg_advisory_xact_lock(hashtextextended(:video_id::text, 7406));

-- name: await_verdict
-- What nobody judged yet is hidden from everybody; the row has what it was before, and what else holds it.
UPDATE videos SET
    quarantined = coalesce(quarantined, jsonb_build_object(
        'visibility', visibility, 'held_for', held_for, 'hidden_by', hidden_by
    )) || '{"verdict": true}',
    held_for = CASE WHEN quarantined IS NULL THEN 'verdict' ELSE held_for END,
    visibility = 'held', hidden_by = NULL
WHERE id = :id AND NOT judged AND (quarantined IS NULL OR NOT quarantined ? 'verdict');
