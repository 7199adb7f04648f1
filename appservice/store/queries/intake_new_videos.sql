-- New videos, as sets.

-- name: media_sent
-- Messages brought these: they are videos' from now on, and so are their thumbnails.
UPDATE upload_media SET sent_at = now()
WHERE (mxc = ANY (:mxcs) OR thumbnail_of = ANY (:mxcs)) AND sent_at IS NULL;

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
-- least visibility), `nonces` and `received_at` (just now) may be NULL. Notifies every process that these rooms changed, as
-- `announce`; a row without a video comes back where none was added.
WITH added AS (
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
        EXISTS (SELECT FROM quarantined_users q WHERE q.user_id = videos.sender) AS in_quarantine
)
SELECT added.*, announced.rooms
FROM (SELECT count(pg_notify('roomreel', room_id)) AS rooms FROM unnest(:announced::text[]) AS r (room_id)) AS announced
    LEFT JOIN added ON true;

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

-- name: refuse_videos
-- New ones for which there is no room.
UPDATE videos v SET state = 'failed', failure = t.failure
FROM unnest(:ids::uuid[], :failures::text[]) AS t (id, failure) WHERE v.id = t.id;
