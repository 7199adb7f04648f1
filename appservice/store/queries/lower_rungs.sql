-- Rungs below a stream copy that are left out until somebody needs them.

-- name: want_rungs
-- Nothing comes back where none are left out, a viewer wanted them before, or they were given up lately. Of a video that
-- is not ready yet it is known by then, for its attempt.
UPDATE videos v SET lower_rungs = 'wanted', finishing = CASE WHEN v.state = 'ready' THEN coalesce(v.finishing, 0) END
FROM (SELECT id, lower_rungs FROM videos WHERE id = :id FOR UPDATE) AS old
WHERE v.id = old.id AND v.visibility <> 'removed' AND (
    v.state = 'ready' AND v.lower_rungs IN ('left_out', 'spare') OR v.state = 'playable' AND v.lower_rungs IS NULL
    -- What looked like a fault of the file may have been somebody's.
    OR v.state = 'ready' AND v.lower_rungs = 'given_up' AND coalesce(v.rungs_after <= now(), true)
)
RETURNING v.state = 'ready' AND old.lower_rungs <> 'spare' AS needs_job;

-- name: want_rungs_when_idle
-- While no video and no upload waits or is worked on, and none is made in spare time: of the newest, first one that
-- somebody watched last; not what was put off.
UPDATE videos SET lower_rungs = 'spare', finishing = 0
WHERE lower_rungs = 'left_out' AND id = (
    SELECT v.id FROM videos v
    WHERE v.id IN (
            SELECT id FROM videos
            WHERE lower_rungs = 'left_out' AND state = 'ready' AND visibility = 'shown' AND finishing IS NULL
                AND (rungs_after IS NULL OR rungs_after <= now())
            ORDER BY changed_at DESC LIMIT 100
        )
        AND NOT EXISTS (SELECT FROM rooms r WHERE r.room_id = v.room_id AND r.left_at IS NOT NULL)
    ORDER BY NOT EXISTS (
            SELECT FROM places p WHERE p.room_id = v.room_id AND p.place ->> 'video_id' = v.id::text
        ), v.changed_at DESC
    LIMIT 1
) AND NOT EXISTS (
    SELECT FROM videos v JOIN rooms r ON r.room_id = v.room_id AND r.left_at IS NULL WHERE v.lower_rungs = 'spare'
) AND NOT EXISTS (
    SELECT FROM pgqueuer
    WHERE entrypoint IN ('video', 'upload') AND (status = 'picked' OR status = 'queued' AND execute_after <= now())
)
RETURNING id;

-- name: leave_out_again
-- Other work came, or something failed that passes; unless a viewer wants them by now.
UPDATE videos SET lower_rungs = 'left_out', rungs_after = now() + interval '1 day'
WHERE id = :id AND attempts = :attempt AND lower_rungs = 'spare' RETURNING id;

-- name: wants_rungs
SELECT FROM videos WHERE id = :id AND attempts = :attempt AND lower_rungs = 'wanted';

