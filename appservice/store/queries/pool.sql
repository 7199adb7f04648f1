-- What every store queries.

-- name: clock
SELECT clock_timestamp() AS now;
