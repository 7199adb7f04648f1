-- What a video takes, and when it counts.

-- name: note_size
-- What was downloaded, whatever was claimed.
UPDATE videos SET claimed_size = :bytes, bytes = greatest(bytes, :bytes) WHERE id = :id AND attempts = :attempt;

-- name: lock_quotas
-- One admission at a time, until the transaction ends: two that look at once would not see each other.
SELECT pg_advisory_xact_lock(hashtextextended('quotas', 7417));

-- name: admit_video
-- It counts from now on, also when it is tried again.
UPDATE videos SET admitted_at = clock_timestamp() WHERE id = :id AND attempts = :attempt AND admitted_at = 'infinity';

-- name: fold_totals
-- Make one row of many; whoever sums them meanwhile sees either.
WITH folded AS (DELETE FROM ready_totals RETURNING videos, bytes)
INSERT INTO ready_totals SELECT coalesce(sum(videos), 0), coalesce(sum(bytes), 0) FROM folded;
