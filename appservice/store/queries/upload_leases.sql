-- Which request of which process writes the bytes of an upload to object storage.

-- name: take_upload
-- Once more by who has it, or by anybody once it has run out.
UPDATE uploads SET lease_holder = :holder, leased_until = now() + make_interval(secs => :seconds)
WHERE id = :id AND (lease_holder IS NULL OR lease_holder = :holder OR leased_until < now())
RETURNING id;

-- name: release_upload
UPDATE uploads SET lease_holder = NULL, leased_until = NULL WHERE id = :id AND lease_holder = :holder;
