-- What admins of this installation see and do.

-- name: any_video
-- `digits` are hexadecimal. One more than is of use, to see that they are too few.
SELECT * FROM videos
WHERE visibility <> 'removed' AND id BETWEEN rpad(:digits, 32, '0')::uuid AND rpad(:digits, 32, 'f')::uuid
ORDER BY id LIMIT 2;

-- name: admin_rooms
-- What the bot is in, or is invited to, beside conversations with it alone; the largest first.
SELECT r.room_id, r.name, r.bot_membership, r.encrypted, had.videos, had.bytes,
    (SELECT count(*) FROM members m WHERE m.room_id = r.room_id AND m.membership = 'join') AS members,
    count(*) OVER () AS rooms
FROM rooms r
    CROSS JOIN LATERAL (
        SELECT count(*) AS videos, coalesce(sum(v.bytes), 0)::bigint AS bytes
        FROM videos v WHERE v.room_id = r.room_id AND v.visibility <> 'removed'
    ) AS had
WHERE r.bot_membership IN ('join', 'invite') AND NOT is_direct(r.room_id, r.direct)
ORDER BY had.bytes DESC, had.videos DESC, r.key LIMIT :most OFFSET :offset;

-- name: admin_users
-- Who has videos, or is in quarantine; the largest first.
SELECT user_id, coalesce(had.videos, 0) AS videos, coalesce(had.bytes, 0)::bigint AS bytes,
    coalesce(had.rooms, 0) AS rooms, q.user_id IS NOT NULL AS quarantined, count(*) OVER () AS users
FROM (
    SELECT sender AS user_id, count(*) AS videos, sum(bytes) AS bytes, count(DISTINCT room_id) AS rooms
    FROM videos WHERE visibility <> 'removed' AND sender <> '' GROUP BY sender
) AS had FULL JOIN quarantined_users q USING (user_id)
ORDER BY bytes DESC, videos DESC, user_id LIMIT :most OFFSET :offset;

-- name: totals
-- All that there is.
SELECT count(*) AS videos, coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(sum(duration), 0)::float8 AS seconds,
    count(*) FILTER (WHERE visibility = 'held') AS held,
    count(*) FILTER (WHERE held_for = 'quarantine') AS quarantined,
    count(DISTINCT sender) AS users,
    (SELECT count(*) FROM rooms WHERE bot_membership = 'join' AND NOT is_direct(room_id, direct)) AS rooms
FROM videos WHERE visibility <> 'removed';

-- name: failures
-- How many videos failed, by reason and kind; the most frequent first.
SELECT failure AS code, kind, count(*) AS count FROM videos
WHERE state = 'failed' AND visibility <> 'removed' GROUP BY failure, kind ORDER BY count DESC, failure, kind;

-- name: queues
-- Jobs by kind: waiting and in progress, and for how many seconds the oldest that is due has waited.
SELECT entrypoint AS job, count(*) FILTER (WHERE status = 'queued') AS waiting,
    count(*) FILTER (WHERE status = 'picked') AS under_way,
    (extract(epoch FROM now() - min(greatest(created, execute_after))
        FILTER (WHERE status = 'queued' AND execute_after <= now())))::float8 AS oldest
FROM pgqueuer WHERE status IN ('queued', 'picked') GROUP BY entrypoint ORDER BY entrypoint;

-- name: lock_sender
-- Until the transaction's end nothing new of theirs comes.
SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 7404));

-- name: quarantine_videos
-- One video, or (NULL) all of somebody's, also what was just deleted and may come back.
UPDATE videos SET
    quarantined = coalesce(quarantined, jsonb_build_object(
        'visibility', CASE WHEN deleted_at IS NULL THEN visibility ELSE undone_to END,
        'held_for', held_for, 'hidden_by', hidden_by
    )) || jsonb_build_object('with_sender', :video_id::uuid IS NULL),
    visibility = CASE WHEN deleted_at IS NULL THEN 'held' ELSE visibility END,
    undone_to = CASE WHEN deleted_at IS NULL THEN undone_to ELSE 'held' END,
    held_for = 'quarantine', hidden_by = NULL, version = version + 1, changed_at = now()
WHERE (quarantined IS NULL OR held_for IN ('verdict', 'policy')) AND id IN (
    SELECT id FROM videos WHERE id = :video_id AND (visibility <> 'removed' OR deleted_at IS NOT NULL)
    UNION ALL SELECT id FROM videos WHERE :video_id::uuid IS NULL AND sender = :user_id AND visibility <> 'removed'
    UNION ALL SELECT id FROM videos WHERE :video_id::uuid IS NULL AND sender = :user_id AND deleted_at IS NOT NULL
)
RETURNING id, room_id, sender;

-- name: release_videos
-- One video, or (NULL) what went into quarantine together with its sender; each is what it was before, or held for what
-- holds it as well: a policy rule, a verdict that is to come.
UPDATE videos SET
    visibility = CASE WHEN deleted_at IS NOT NULL OR quarantined ?| '{policy,verdict}' THEN visibility
        ELSE quarantined ->> 'visibility' END,
    undone_to = CASE WHEN deleted_at IS NULL OR quarantined ?| '{policy,verdict}' THEN undone_to
        ELSE quarantined ->> 'visibility' END,
    held_for = CASE WHEN quarantined ? 'policy' THEN 'policy' WHEN quarantined ? 'verdict' THEN 'verdict'
        ELSE quarantined ->> 'held_for' END,
    hidden_by = CASE WHEN NOT quarantined ?| '{policy,verdict}' THEN quarantined ->> 'hidden_by' END,
    quarantined = CASE WHEN quarantined ?| '{policy,verdict}' THEN quarantined - 'with_sender' END,
    version = version + 1, changed_at = now()
WHERE quarantined ? 'with_sender' AND id IN (
    SELECT id FROM videos WHERE id = :video_id
    UNION ALL
    SELECT id FROM videos WHERE :video_id::uuid IS NULL AND sender = :user_id AND quarantined @> '{"with_sender": true}'
)
RETURNING id, room_id, sender;

-- name: quarantine_user
-- Nothing comes back for somebody who is there already.
INSERT INTO quarantined_users (user_id, reason, quarantined_by) VALUES (:user_id, :reason, :by)
ON CONFLICT DO NOTHING RETURNING user_id;

-- name: release_user
DELETE FROM quarantined_users WHERE user_id = :user_id RETURNING user_id;

-- name: in_quarantine
-- People, and videos that are there by themselves; the latest first.
SELECT user_id, video_id, room_id, reason, quarantined_by, quarantined_at, count(*) OVER () AS entries
FROM (
    SELECT user_id, NULL::uuid AS video_id, NULL AS room_id, reason, quarantined_by, quarantined_at
    FROM quarantined_users
    UNION ALL
    SELECT v.sender, v.id, v.room_id, coalesce(a.details ->> 'reason', ''), coalesce(a.actor, ''), a.at
    FROM videos v LEFT JOIN LATERAL (
        SELECT actor, at, details FROM audit
        WHERE video_id = v.id AND action = 'quarantined' ORDER BY key DESC LIMIT 1
    ) AS a ON true
    WHERE v.visibility <> 'removed' AND v.quarantined @> '{"with_sender": false}'
) AS entries
ORDER BY quarantined_at DESC NULLS LAST, user_id, video_id LIMIT :most OFFSET :offset;

-- name: undoable
-- The last thing that an admin did within a day and that can still be undone, but is not yet.
SELECT a.key, a.action, a.video_id, a.user_id, a.details
FROM audit a LEFT JOIN videos v ON v.id = a.video_id
WHERE a.actor = :actor AND a.at > now() - interval '1 day' AND NOT a.details ? 'undoes' AND NOT a.details ? 'because'
    AND NOT EXISTS (
        SELECT FROM audit u WHERE u.actor = :actor AND u.key > a.key AND u.details ->> 'undoes' = a.key::text
    )
    AND CASE a.action
        WHEN 'quarantined' THEN CASE WHEN a.video_id IS NULL
            THEN EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = a.user_id)
            ELSE v.visibility <> 'removed' AND v.quarantined IS NOT NULL END
        WHEN 'released' THEN CASE WHEN a.video_id IS NULL
            THEN NOT EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = a.user_id)
            ELSE v.visibility <> 'removed' AND v.quarantined IS NULL END
        WHEN 'requeued' THEN v.visibility <> 'removed' AND v.state = 'queued' AND v.attempts = 0
        WHEN 'deleted' THEN v.deleted_at = a.at AND v.deleted_at > now() - make_interval(secs => :deletion_seconds)
        ELSE false END
ORDER BY a.key DESC LIMIT 1;

-- name: take_back_requeue
-- Only while nobody has begun; its job then finds nothing to do.
UPDATE videos SET state = 'failed', failure = :failure, changed_at = now()
WHERE id = :video_id AND state = 'queued' AND attempts = 0 AND visibility <> 'removed'
RETURNING room_id, sender;

-- name: begin_alarm
-- Nothing comes back when it goes on already.
INSERT INTO alarms (subject) VALUES (:subject) ON CONFLICT DO NOTHING RETURNING subject;

-- name: end_alarm
-- For how many seconds it went on.
DELETE FROM alarms WHERE subject = :subject RETURNING extract(epoch FROM now() - since)::float8 AS seconds;

-- name: alarms
-- What is wrong now.
SELECT subject FROM alarms ORDER BY subject;

-- name: lock_alerts
-- One worker at a time gathers alerts.
SELECT pg_advisory_xact_lock(7405);

-- name: delete_alerts
DELETE FROM troubles;

-- name: delete_old_alerts
DELETE FROM troubles WHERE told_at <= now() - make_interval(secs => :seconds);

-- name: take_alerts
-- Alerts of subjects without a notice within so many seconds.
UPDATE troubles t SET told_at = now()
WHERE told_at IS NULL AND NOT EXISTS (
    SELECT FROM troubles o WHERE o.subject = t.subject AND o.told_at > now() - make_interval(secs => :seconds)
)
RETURNING key, subject, details;

-- name: choice
-- What admins chose for the whole installation.
SELECT value FROM choices WHERE name = :name;

-- name: choose
INSERT INTO choices (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: audited
-- The newest first, of a video, a user or a room; NULL for any.
SELECT key, at, actor, action, room_id, video_id, user_id, details FROM audit
WHERE (:video_id::uuid IS NULL OR video_id = :video_id) AND (:user_id::text IS NULL OR user_id = :user_id OR actor = :user_id)
    AND (:room_id::text IS NULL OR room_id = :room_id)
ORDER BY key DESC LIMIT :most;
