-- Batches of changes, each kind as a set: what is known before, and what is written of all that events bring.

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
