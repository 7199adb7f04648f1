-- Rungs below a stream copy that are left out until somebody needs them.

-- name: want_rungs
-- Nothing comes back where none are left out, or a viewer wanted them before. Of a video that is not ready yet it is
-- known by then, for its attempt.
UPDATE videos v SET lower_rungs = 'wanted', finishing = CASE WHEN v.state = 'ready' THEN coalesce(v.finishing, 0) END
FROM (SELECT id, lower_rungs FROM videos WHERE id = :id FOR UPDATE) AS old
WHERE v.id = old.id AND v.visibility <> 'removed' AND (
    v.state = 'ready' AND v.lower_rungs IN ('left_out', 'spare') OR v.state = 'playable' AND v.lower_rungs IS NULL
)
RETURNING v.state = 'ready' AND old.lower_rungs = 'left_out' AS needs_job;

-- name: want_rungs_when_idle
-- While no video and no upload waits or is worked on: of the newest, first one that somebody watched last.
UPDATE videos SET lower_rungs = 'spare', finishing = coalesce(finishing, 0)
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

-- name: leave_out_again
-- Other work came; unless a viewer wants them by now.
UPDATE videos SET lower_rungs = 'left_out' WHERE id = :id AND attempts = :attempt AND lower_rungs = 'spare' RETURNING id;

-- name: wants_rungs
SELECT FROM videos WHERE id = :id AND attempts = :attempt AND lower_rungs = 'wanted';

-- name: give_up_rungs
UPDATE videos SET lower_rungs = 'given_up' WHERE id = :id AND attempts = :attempt AND lower_rungs IN ('wanted', 'spare');
