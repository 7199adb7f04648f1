-- Batches of changes, each kind as a set: what is known before, and what is written of all that events bring.

-- name: open_batch
-- Marks events as seen, but those of whom a policy list bans, and says which were not. Until the transaction's end nobody
-- puts these senders into quarantine, or takes them out; nor opts these rooms out, nor settles what came before their
-- state was read, unless they are known not to be encrypted.
WITH policed AS MATERIALIZED (
    SELECT user_id FROM unnest(:authors::text[]) AS a (user_id) WHERE EXISTS (SELECT FROM policy_rules) AND is_policed(user_id)
), first AS (
    INSERT INTO seen_events (event_id)
    SELECT DISTINCT event_id FROM unnest(:event_ids::text[], :event_authors::text[]) AS e (event_id, author)
    WHERE NOT EXISTS (SELECT FROM policed p WHERE p.user_id = e.author) ORDER BY event_id
    ON CONFLICT DO NOTHING RETURNING event_id
), uploaded AS MATERIALIZED (
    SELECT mxc, owner, thumbnail_of FROM upload_media WHERE mxc = ANY (:mxcs::text[]) OR thumbnail_of = ANY (:mxcs::text[])
)
SELECT clock_timestamp() AS now,
    ARRAY(SELECT event_id FROM first) AS first,
    ARRAY(SELECT user_id FROM policed) AS policed,
    ARRAY(SELECT room_id FROM rooms WHERE room_id = ANY (:room_ids::text[])) AS known,
    ARRAY(
        SELECT e.event_id || ' ' || v.item FROM unnest(:video_events::text[]) AS e (event_id)
            JOIN videos v ON v.event_id = e.event_id
    ) AS items,
    ARRAY(SELECT coalesce(thumbnail_of, mxc) FROM uploaded) AS media,
    ARRAY(SELECT CASE WHEN thumbnail_of IS NULL THEN owner ELSE '' END FROM uploaded) AS owners,
    (
        SELECT jsonb_object_agg(room_id, jsonb_build_object(
            'settings', settings, 'power_levels', power_levels, 'creators', creators, 'encrypted', encrypted,
            'asks', encrypted OR state_read_at < bot_joined_at
        )) FROM rooms WHERE room_id = ANY (:sent_in::text[])
    ) AS rooms,
    (
        SELECT count(pg_advisory_xact_lock_shared(hashtextextended(user_id, 7404)))
        FROM (SELECT user_id FROM unnest(:senders::text[]) AS s (user_id) ORDER BY user_id) AS senders
    ) AS senders_locked,
    (
        SELECT count(pg_advisory_xact_lock_shared(hashtextextended(room_id, 7430))) FROM (
            SELECT room_id FROM rooms WHERE room_id = ANY (:sent_in::text[]) AND (encrypted OR state_read_at < bot_joined_at)
            ORDER BY room_id
        ) AS encrypted
    ) AS rooms_locked;

-- name: concerned
-- Which of these rooms are conversations with the bot alone, where messages are commands; and which redactions, by their
-- numbers, are of something that is here.
SELECT ARRAY(
    SELECT room_id FROM rooms WHERE room_id = ANY (:room_ids::text[]) AND bot_membership = 'join' AND direct
) AS direct, ARRAY(
    SELECT number FROM unnest(:redacted_in::text[], :targets::text[]) WITH ORDINALITY AS t (room_id, target, number)
    WHERE EXISTS (SELECT FROM videos v WHERE v.event_id = t.target AND v.sent_in = t.room_id)
        OR EXISTS (SELECT FROM encrypted_events e WHERE e.event_id = t.target AND e.room_id = t.room_id)
        OR EXISTS (SELECT FROM doubles d WHERE d.event_id = t.target)
        OR EXISTS (SELECT FROM sent_for s WHERE s.event_id = t.target AND s.room_id = t.room_id)
        OR EXISTS (SELECT FROM policy_lists p WHERE p.room_id = t.room_id)
        OR EXISTS (
            SELECT FROM videos v WHERE v.sent_in = t.room_id AND v.edited_at IS NOT NULL
                AND v.edits @> jsonb_build_array(jsonb_build_object('event_id', t.target))
        )
) AS redacted;

-- name: upsert_rooms
-- The rooms exist from now on; older rows stay as they are.
INSERT INTO rooms (room_id) SELECT room_id FROM unnest(:room_ids::text[]) AS r (room_id) ORDER BY room_id
ON CONFLICT DO NOTHING;

-- name: upsert_members
-- As events have them, in their order; with when each changed.
INSERT INTO members (room_id, user_id, membership, display_name, avatar_mxc)
SELECT room_id, user_id, membership, display_name, avatar_mxc FROM unnest(
    :room_ids::text[], :user_ids::text[], :memberships::text[], :display_names::text[], :avatar_mxcs::text[]
) WITH ORDINALITY AS m (room_id, user_id, membership, display_name, avatar_mxc, number) ORDER BY number
ON CONFLICT (room_id, user_id) DO UPDATE
SET membership = excluded.membership, display_name = excluded.display_name,
    avatar_mxc = excluded.avatar_mxc, changed_at = clock_timestamp(), join_heard = true
RETURNING room_id, user_id, greatest(changed_at, invited_at, joined_at, left_at) AS at;

-- name: departed_with_something
-- Those who left, by their numbers, of whom something may have to be erased.
SELECT number FROM unnest(:room_ids::text[], :user_ids::text[], :banned::boolean[])
    WITH ORDINALITY AS t (room_id, user_id, banned, number)
WHERE banned
    OR EXISTS (SELECT FROM uploads u WHERE u.owner = t.user_id AND u.room_id = t.room_id)
    OR EXISTS (SELECT FROM upload_media m WHERE m.owner = t.user_id AND m.room_id = t.room_id)
    OR coalesce(
        (SELECT settings ->> 'on_leave' FROM people p WHERE p.user_id = t.user_id),
        (SELECT settings ->> 'on_leave' FROM rooms r WHERE r.room_id = t.room_id), 'keep'
    ) = 'erase'
ORDER BY number;

-- name: newcomers_among
-- Who of these joined since somebody opted their room in, and was not told yet (as `newcomers`), by rooms where no job
-- that is to begin tells them.
SELECT m.room_id, array_agg(m.user_id) AS user_ids
FROM unnest(:room_ids::text[], :user_ids::text[]) AS t (room_id, user_id)
    JOIN members m ON m.room_id = t.room_id AND m.user_id = t.user_id JOIN rooms r ON r.room_id = m.room_id
WHERE m.membership = 'join' AND r.encrypted AND r.opted_in_by IS NOT NULL AND m.joined_at > r.opted_in_at AND (
        m.told_at IS NULL OR m.told_at < r.opted_in_at
        OR m.told_at < least(m.joined_at, now() - interval '1 day')
    )
    AND m.user_id <> r.opted_in_by
    AND NOT EXISTS (
        SELECT FROM members was JOIN rooms old ON old.room_id = was.room_id
        WHERE old.replaced_by = m.room_id AND was.user_id = m.user_id AND was.membership = 'join'
            AND was.joined_at <= r.opted_in_at
    )
    AND NOT EXISTS (
        SELECT FROM pgqueuer
        WHERE entrypoint = 'newcomers' AND payload = convert_to(m.room_id, 'UTF8') AND status = 'queued'
    )
GROUP BY m.room_id;

-- name: set_room_names
UPDATE rooms r SET name = t.name, name_told_at = clock_timestamp()
FROM unnest(:room_ids::text[], :names::text[]) AS t (room_id, name) WHERE r.room_id = t.room_id;

-- name: set_max_lifetimes
UPDATE rooms r SET max_lifetime = t.max_lifetime, retention_told_at = clock_timestamp()
FROM unnest(:room_ids::text[], :max_lifetimes::bigint[]) AS t (room_id, max_lifetime) WHERE r.room_id = t.room_id;

-- name: set_histories
UPDATE rooms r SET history = t.history, history_told_at = clock_timestamp()
FROM unnest(:room_ids::text[], :histories::text[]) AS t (room_id, history) WHERE r.room_id = t.room_id;

-- name: set_power_levels
UPDATE rooms r SET power_levels = t.content, power_told_at = clock_timestamp()
FROM unnest(:room_ids::text[], :contents::jsonb[]) AS t (room_id, content) WHERE r.room_id = t.room_id;

-- name: set_encrypted
UPDATE rooms r SET encrypted = true, encryption = t.encryption
FROM unnest(:room_ids::text[], :encryptions::jsonb[]) AS t (room_id, encryption) WHERE r.room_id = t.room_id;

-- name: add_encrypted_events
-- Where the bot is, and unless they are here already, or were decrypted before. It wakes who decrypts.
WITH added AS (
    INSERT INTO encrypted_events (event_id, room_id, sender, session_id, event, found)
    SELECT e.event_id, r.room_id, e.sender, e.session_id, e.event, e.found
    FROM unnest(
        :event_ids::text[], :room_ids::text[], :senders::text[], :session_ids::text[], :events::jsonb[], :found::jsonb[]
    ) WITH ORDINALITY AS e (event_id, room_id, sender, session_id, event, found, number)
        JOIN rooms r ON r.room_id = e.room_id
    WHERE r.bot_membership = 'join'
        -- Its state is read soon after the bot came.
        AND (r.encrypted OR r.bot_joined_at > now() - interval '1 hour')
        AND NOT EXISTS (SELECT FROM seen_events s WHERE s.event_id = e.event_id)
    ORDER BY e.number
    ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT event_id, pg_notify('roomreel_encrypted', '') FROM added;

-- name: take_commands
-- Nothing comes back for what is known, or for others. Of a conversation that just began the members may not be known
-- yet.
INSERT INTO commands (event_id, room_id, sender, body, thread, replied_to)
SELECT c.event_id, r.room_id, c.sender, c.body, c.thread, c.replied_to
FROM unnest(
    :event_ids::text[], :room_ids::text[], :senders::text[], :bodies::text[], :threads::text[], :replied_to::text[],
    :addressed::boolean[]
) WITH ORDINALITY AS c (event_id, room_id, sender, body, thread, replied_to, addressed, number)
    JOIN rooms r ON r.room_id = c.room_id
WHERE r.bot_membership = 'join' AND (c.addressed OR is_direct(r.room_id, r.direct))
ORDER BY c.number
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id, room_id;

-- name: posted_videos
-- The videos that posts of the bot's are about, by the posts' numbers.
SELECT t.number, p.video_id
FROM unnest(:room_ids::text[], :event_ids::text[]) WITH ORDINALITY AS t (room_id, event_id, number)
    JOIN queue_posts p ON p.room_id = t.room_id AND p.event_id = t.event_id
ORDER BY t.number;
