-- Which keys of messages are to be erased, and a fence around what the owner of the bot's device writes.

-- Only the owner of the bot's device can erase them: a session that is still in use loses what it has read, not the rest.
CREATE TABLE key_erasures (
    key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: in every room.
    room_id      text,
    -- NULL: whoever sent them.
    user_id      text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How often a lock of the database was taken by whom it makes an owner: who has an earlier number has lost it since.
CREATE TABLE fences (
    lock  bigint PRIMARY KEY,
    fence bigint NOT NULL
);

-- What an owner writes under a number that is not the newest is refused. Its connections have `roomreel.fence`: the lock
-- and the number. A new owner waits for transactions that began before it.
CREATE FUNCTION check_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own text := coalesce(current_setting('roomreel.fence', true), '');
BEGIN
    IF own <> '' THEN
        PERFORM pg_advisory_xact_lock_shared(7431, split_part(own, ':', 1)::integer);
        IF NOT EXISTS (
            SELECT FROM fences
            WHERE lock = split_part(own, ':', 1)::bigint AND fence = split_part(own, ':', 2)::bigint
        ) THEN
            RAISE EXCEPTION 'another process has taken over since' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- How many keys there are of a room that the bot is not in, or of somebody with whom it is in none. The tables are there
-- once the device was opened.
CREATE FUNCTION count_message_keys(of_room text, of_user text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint := 0;
BEGIN
    IF to_regclass('crypto_megolm_inbound_session') IS NULL THEN
        RETURN 0;
    END IF;
    IF NOT EXISTS (SELECT FROM rooms WHERE room_id = of_room AND bot_membership = 'join') THEN
        n := (SELECT count(*) FROM crypto_megolm_inbound_session WHERE room_id = of_room)
            + (SELECT count(*) FROM crypto_megolm_outbound_session WHERE room_id = of_room);
    END IF;
    IF NOT EXISTS (SELECT FROM members WHERE user_id = of_user AND membership = 'join') THEN
        n := n + (
            SELECT count(*) FROM crypto_megolm_inbound_session
            WHERE sender_key IN (SELECT identity_key FROM crypto_device WHERE user_id = of_user)
        ) + (SELECT count(*) FROM crypto_device WHERE user_id = of_user);
    END IF;
    RETURN n;
END
$$;
