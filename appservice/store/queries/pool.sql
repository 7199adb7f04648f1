-- What every store queries.

-- name: clock
SELECT clock_timestamp() AS now;

-- name: wait_for_long
SELECT set_config('idle_in_transaction_session_timeout', '0', true);
