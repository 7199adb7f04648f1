-- What is known of changes before they are written.

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
