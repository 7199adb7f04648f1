-- Which request of which process writes the bytes of an upload, or of a runner's file, to object storage.

-- name: take_upload
-- Once more by who has it, or by anybody once it has run out.
WITH upload AS (
    UPDATE uploads SET lease_holder = :holder, leased_until = now() + make_interval(secs => :seconds)
    WHERE id = :id AND (lease_holder IS NULL OR lease_holder = :holder OR leased_until < now())
    RETURNING id
), file AS (
    UPDATE runner_files SET lease_holder = :holder, leased_until = now() + make_interval(secs => :seconds)
    WHERE id = :id AND (lease_holder IS NULL OR lease_holder = :holder OR leased_until < now())
    RETURNING id
)
SELECT id FROM upload UNION ALL SELECT id FROM file;

-- name: release_upload
WITH upload AS (
    UPDATE uploads SET lease_holder = NULL, leased_until = NULL WHERE id = :id AND lease_holder = :holder
)
UPDATE runner_files SET lease_holder = NULL, leased_until = NULL WHERE id = :id AND lease_holder = :holder;
