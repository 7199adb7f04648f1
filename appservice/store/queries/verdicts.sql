-- What a detection service is to judge before anybody sees it.

-- name: unjudged
-- A video that is whole, and that nobody judged yet.
SELECT * FROM videos WHERE id = :id AND NOT judged AND state = 'ready' AND visibility <> 'removed';

-- name: judge
-- Nothing comes back when what was judged is not there any more, or was judged already.
UPDATE videos SET judged = true
WHERE id = :id AND attempts = :attempts AND NOT judged AND state = 'ready' AND visibility <> 'removed'
RETURNING *;

-- name: release_judged
-- A video that waits for a verdict, or every one, is what it was before; what waits for somebody else as well waits for
-- them alone.
UPDATE videos SET
    visibility = CASE WHEN held_for = 'verdict' AND deleted_at IS NULL THEN quarantined ->> 'visibility'
        ELSE visibility END,
    undone_to = CASE WHEN held_for = 'verdict' AND deleted_at IS NOT NULL THEN quarantined ->> 'visibility'
        ELSE undone_to END,
    held_for = CASE WHEN held_for = 'verdict' THEN quarantined ->> 'held_for' ELSE held_for END,
    hidden_by = CASE WHEN held_for = 'verdict' THEN quarantined ->> 'hidden_by' END,
    quarantined = CASE WHEN held_for <> 'verdict' THEN quarantined - 'verdict' END,
    version = version + 1, changed_at = now()
WHERE quarantined ? 'verdict' AND (:id::uuid IS NULL OR id = :id)
RETURNING id, room_id, sender;

-- name: hold_judged
-- What waits for a verdict waits for a moderator; what waits for somebody else does so after that, and what is hidden
-- once it is shown.
UPDATE videos v SET
    visibility = CASE WHEN deleted_at IS NULL THEN now.visibility ELSE v.visibility END,
    undone_to = CASE WHEN deleted_at IS NULL THEN undone_to ELSE now.visibility END,
    hidden_by = CASE WHEN now.visibility = 'hidden' THEN quarantined ->> 'hidden_by' END,
    held_for = CASE WHEN quarantined IS NULL OR held_for = 'verdict' THEN 'approval' ELSE held_for END,
    quarantined = CASE WHEN held_for = 'verdict' THEN NULL
        WHEN quarantined ->> 'visibility' = 'hidden' THEN quarantined - 'verdict' || '{"held_for": "approval"}'
        ELSE quarantined - 'verdict' || '{"visibility": "held", "held_for": "approval", "hidden_by": null}' END,
    version = version + 1, changed_at = now()
FROM (
    SELECT CASE WHEN held_for = 'verdict' AND quarantined ->> 'visibility' = 'hidden' THEN 'hidden' ELSE 'held' END AS visibility
    FROM videos WHERE id = :id
) AS now
WHERE v.id = :id;

-- name: verdicts_without_job
-- Videos that wait for a verdict and have no job (any more).
SELECT id FROM videos
WHERE quarantined ? 'verdict' AND NOT judged AND state = 'ready' AND visibility <> 'removed' AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE entrypoint = 'verdict' AND payload = convert_to(videos.id::text, 'UTF8')
);

-- name: share_sender
-- Until the transaction's end nobody puts them into quarantine, or takes them out.
SELECT pg_advisory_xact_lock_shared(hashtextextended(:user_id, 7404));
