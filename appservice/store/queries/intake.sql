-- What of a transaction concerns anything here.

-- name: concerned
-- Which of these rooms are conversations with the bot alone, where messages are commands; and, by their numbers, which
-- redactions are of something that is here, and of whom who left something may have to be erased.
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
) AS redacted, ARRAY(
    SELECT number FROM unnest(:left_rooms::text[], :left_users::text[], :banned::boolean[])
        WITH ORDINALITY AS t (room_id, user_id, banned, number)
    WHERE banned
        OR EXISTS (SELECT FROM uploads u WHERE u.owner = t.user_id AND u.room_id = t.room_id)
        OR EXISTS (SELECT FROM upload_media m WHERE m.owner = t.user_id AND m.room_id = t.room_id)
        OR coalesce(
            (SELECT settings ->> 'on_leave' FROM people p WHERE p.user_id = t.user_id),
            (SELECT settings ->> 'on_leave' FROM rooms r WHERE r.room_id = t.room_id), 'keep'
        ) = 'erase'
) AS departed;
