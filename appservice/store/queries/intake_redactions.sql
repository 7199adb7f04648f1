-- What redactions take away.

-- name: delete_redacted_events
-- Redacted before anybody could read them.
DELETE FROM encrypted_events e USING unnest(:room_ids::text[], :event_ids::text[]) AS t (room_id, event_id)
WHERE e.room_id = t.room_id AND e.event_id = t.event_id;

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

-- name: edited_by
-- The message that an edit changed.
SELECT event_id FROM videos
WHERE sent_in = :sent_in AND edited_at IS NOT NULL AND visibility <> 'removed'
    AND edits @> jsonb_build_array(jsonb_build_object('event_id', :event_id::text));

-- name: redactions_apart
-- Which redactions, by their numbers, are of more than a message's videos, or of what another of its sender's messages
-- still brings: on their order something depends.
SELECT number FROM unnest(:room_ids::text[], :targets::text[]) WITH ORDINALITY AS t (room_id, target, number)
WHERE EXISTS (SELECT FROM policy_lists p WHERE p.room_id = t.room_id)
    OR EXISTS (SELECT FROM doubles d WHERE d.event_id = t.target)
    OR EXISTS (SELECT FROM videos v JOIN doubles d ON d.video_id = v.id WHERE v.event_id = t.target)
    OR EXISTS (SELECT FROM sent_for s WHERE s.event_id = t.target AND s.room_id = t.room_id)
    OR EXISTS (
        SELECT FROM videos v WHERE v.sent_in = t.room_id AND v.edited_at IS NOT NULL
            AND v.edits @> jsonb_build_array(jsonb_build_object('event_id', t.target))
    )
ORDER BY number;

-- name: removable_by_events
-- Also those that a person deleted, and might still bring back.
SELECT v.id, v.room_id, v.sent_in, v.event_id, v.mxc, v.edits, v.sender
FROM unnest(:sent_in::text[], :event_ids::text[]) WITH ORDINALITY AS t (sent_in, event_id, number)
    JOIN videos v ON v.event_id = t.event_id AND v.sent_in = t.sent_in
WHERE v.visibility <> 'removed' OR v.deleted_at IS NOT NULL
ORDER BY t.number, v.item FOR UPDATE OF v;

-- name: sent_redacted
-- Somebody redacted it.
UPDATE sent_for SET taken_back_at = now() WHERE room_id = :room_id AND event_id = :event_id AND taken_back_at IS NULL
RETURNING video_id;

-- name: unsay_marks
-- The message that was marked is gone, and its marks with it; a notice stays in its thread.
UPDATE statuses SET event_id = '', says = '', times = times + 1
WHERE video_id = :video_id AND kind <> 'notice' AND event_id <> '';
