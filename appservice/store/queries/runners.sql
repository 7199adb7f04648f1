-- Runners, the jobs that they are given, and the files of those.

-- name: add_runner
-- Nothing comes back where there is one of that name.
INSERT INTO runners (name, token_hash, takes_encrypted) VALUES (:name, :token_hash, :takes_encrypted)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: revoke_runner
-- What it was given goes on elsewhere.
WITH revoked AS (
    UPDATE runners SET revoked_at = now() WHERE name = :name AND revoked_at IS NULL RETURNING id
), ended AS (
    UPDATE runner_jobs SET state = 'failed' WHERE state = 'leased' AND runner_id IN (SELECT id FROM revoked)
)
SELECT id FROM revoked;

-- name: runners
SELECT r.name, r.takes_encrypted, r.seen_at, r.done, r.failed, r.revoked_at,
    nullif(greatest(r.paused_until, now()), now()) AS paused_until,
    (
        SELECT j.video_id FROM runner_jobs j
        WHERE j.runner_id = r.id AND j.state = 'leased' AND j.leased_until > now() LIMIT 1
    ) AS video_id
FROM runners r ORDER BY r.revoked_at IS NOT NULL, r.name;

-- name: runner_of_token
SELECT id, name, token_hash FROM runners WHERE token_hash = :token_hash AND revoked_at IS NULL;

-- name: await_runner_job
-- Note that a runner waits for work.
UPDATE runners SET seen_at = now(), waits_until = now() + make_interval(secs => :seconds)
WHERE id = :id AND revoked_at IS NULL;

-- name: lease_runner_job
-- The oldest that its worker still offers, for an attempt that is still the newest; one at a time for each runner.
UPDATE runner_jobs SET state = 'leased', runner_id = :runner_id, share = 0,
    leased_until = now() + make_interval(secs => :seconds), ends_at = now() + make_interval(secs => most_seconds)
WHERE id = (
    SELECT j.id FROM runner_jobs j
        JOIN videos v ON v.id = j.video_id AND v.attempts = j.attempt AND v.visibility <> 'removed'
        JOIN runners r ON r.id = :runner_id AND r.revoked_at IS NULL AND r.paused_until <= now()
            AND (r.takes_encrypted OR NOT j.encrypted)
    WHERE j.state = 'offered' AND j.kept_until > now() AND NOT EXISTS (
        SELECT FROM runner_jobs o WHERE o.runner_id = :runner_id AND o.state = 'leased' AND o.leased_until > now()
    )
    ORDER BY j.created_at LIMIT 1 FOR UPDATE OF j SKIP LOCKED
)
RETURNING id, video_id, task, sealed_key;

-- name: renew_runner_lease
-- Only what is leased to that runner now, for an attempt that is still the newest; nothing comes back for anything else.
UPDATE runner_jobs j SET leased_until = now() + make_interval(secs => :seconds), share = greatest(j.share, :share)
FROM runners r, videos v
WHERE j.id = :id AND j.runner_id = :runner_id AND j.state = 'leased' AND j.leased_until > now() AND j.ends_at > now()
    AND j.kept_until > now() AND r.id = j.runner_id AND r.revoked_at IS NULL
    AND v.id = j.video_id AND v.attempts = j.attempt AND v.visibility <> 'removed'
RETURNING j.id;

-- name: runner_lease
-- The same, without renewing it.
SELECT j.id FROM runner_jobs j
    JOIN runners r ON r.id = j.runner_id AND r.revoked_at IS NULL
    JOIN videos v ON v.id = j.video_id AND v.attempts = j.attempt AND v.visibility <> 'removed'
WHERE j.id = :id AND j.runner_id = :runner_id AND j.state = 'leased' AND j.leased_until > now() AND j.ends_at > now()
    AND j.kept_until > now();

-- name: runner_seen
UPDATE runners SET seen_at = now() WHERE id = :id;

-- name: end_runner_lease
UPDATE runner_jobs SET state = :state WHERE id = :id AND runner_id = :runner_id AND state = 'leased' RETURNING id;

-- name: runner_file
SELECT id, most, size FROM runner_files WHERE job_id = :job_id AND name = :name;

-- name: runner_files
SELECT id, name, most, size FROM runner_files WHERE job_id = :job_id;

-- name: finish_runner_file
UPDATE runner_files SET size = :size WHERE id = :id;

-- name: runner_waits
-- Whether there is a runner for a job, and whether one waits for it just now.
SELECT coalesce(bool_or(r.waits_until > now() AND NOT EXISTS (
    SELECT FROM runner_jobs j WHERE j.runner_id = r.id AND j.state = 'leased' AND j.leased_until > now()
)), false) AS waits
FROM runners r
WHERE r.revoked_at IS NULL AND r.paused_until <= now() AND r.seen_at > now() - interval '1 minute'
    AND (r.takes_encrypted OR NOT :encrypted)
HAVING count(*) > 0;

-- name: offer_runner_job
INSERT INTO runner_jobs (video_id, attempt, encrypted, task, sealed_key, most_seconds, kept_until)
VALUES (
    :video_id, :attempt, :encrypted, :task, :sealed_key, :most_seconds, now() + make_interval(secs => :seconds)
)
RETURNING id;

-- name: add_runner_files
INSERT INTO runner_files (job_id, name, most)
SELECT :job_id, name, most FROM unnest(:names::text[], :mosts::bigint[]) AS f (name, most);

-- name: keep_runner_job
-- Its worker lives. A lease that ran out, or whose runner was revoked, has failed.
UPDATE runner_jobs SET kept_until = now() + make_interval(secs => :seconds),
    state = CASE WHEN state = 'leased' AND (leased_until <= now() OR ends_at <= now()) THEN 'failed' ELSE state END
WHERE id = :id
RETURNING state, share;

-- name: withdraw_runner_job
-- Nothing comes back where a runner was faster.
DELETE FROM runner_jobs WHERE id = :id AND state = 'offered' RETURNING id;

-- name: end_runner_job
DELETE FROM runner_jobs WHERE id = :id;

-- name: count_runner_job
-- Whoever fails again and again gets nothing for a while: two minutes, four, … at most four hours.
UPDATE runners SET done = done + :done::boolean::int, failed = failed + (NOT :done::boolean)::int,
    failed_in_row = CASE WHEN :done::boolean THEN 0 ELSE least(failed_in_row + 1, 10) END,
    paused_until = CASE WHEN :done::boolean OR failed_in_row < 1 THEN '-infinity'
        ELSE now() + least(interval '1 minute' * 2 ^ failed_in_row, interval '4 hours') END
WHERE id = (SELECT runner_id FROM runner_jobs WHERE id = :id);

-- name: prune_runner_jobs
-- Their workers died; their files are swept then.
DELETE FROM runner_jobs WHERE kept_until < now() - interval '10 minutes';
