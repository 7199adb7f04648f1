-- Rungs below a stream copy that are left out until somebody needs them.

-- name: want_rungs
-- Nothing comes back where none are left out, or somebody wanted them before.
UPDATE videos SET lower_rungs = 'wanted', finishing = coalesce(finishing, 0)
WHERE id = :id AND lower_rungs = 'left_out' AND state = 'ready' AND visibility <> 'removed'
RETURNING id;

-- name: want_rungs_when_idle
-- While no video and no upload waits or is worked on: of the newest, first one that somebody watched last.
UPDATE videos SET lower_rungs = 'wanted', finishing = coalesce(finishing, 0)
WHERE lower_rungs = 'left_out' AND id = (
    SELECT v.id FROM videos v
    WHERE v.id IN (
            SELECT id FROM videos WHERE lower_rungs = 'left_out' AND state = 'ready' AND visibility = 'shown'
            ORDER BY changed_at DESC LIMIT 100
        )
        AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = v.room_id AND r.left_at IS NOT NULL)
    ORDER BY NOT EXISTS (
            SELECT FROM places p WHERE p.room_id = v.room_id AND p.place ->> 'video_id' = v.id::text
        ), v.changed_at DESC
    LIMIT 1
) AND NOT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint IN ('video', 'upload') AND (status = 'picked' OR status = 'queued' AND execute_after <= now())
)
RETURNING id;

-- name: give_up_rungs
UPDATE videos SET lower_rungs = NULL WHERE id = :id AND attempts = :attempt;
