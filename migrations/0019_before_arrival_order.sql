-- Who was there when something was sent is told by the order in which the homeserver told it, by one clock alone.

ALTER TABLE videos
    -- When we were told of it; NULL: by a release before this one.
    ADD COLUMN received_at timestamptz,
    -- What was found by looking back was sent at any time since then; NULL: it came in its turn.
    ADD COLUMN sent_after  timestamptz;
ALTER TABLE videos ALTER COLUMN received_at SET DEFAULT clock_timestamp();

-- The database's clock before the request that told `last_event`; NULL: not known.
ALTER TABLE rooms ADD COLUMN last_event_at timestamptz;

-- Whether the event of somebody's joining came. Else a response of the homeserver told it, maybe ahead of what was sent
-- before they came.
ALTER TABLE members ADD COLUMN join_heard boolean NOT NULL DEFAULT true;

CREATE OR REPLACE FUNCTION keep_member_times() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.membership ELSE 'leave' END;
    -- The time of an invitation that came by itself stays.
    unheard boolean := TG_OP = 'UPDATE' AND NOT OLD.join_heard AND NEW.join_heard;
BEGIN
    IF NEW.membership IN ('invite', 'join') AND (
        was NOT IN ('invite', 'join') OR unheard AND OLD.invited_at >= OLD.joined_at
    ) THEN
        NEW.invited_at := clock_timestamp();
    END IF;
    IF NEW.membership = 'join' AND (was <> 'join' OR unheard) THEN
        NEW.joined_at := clock_timestamp();
        NEW.left_at := NULL;
    ELSIF NEW.membership <> 'join' AND was = 'join' THEN
        NEW.left_at := clock_timestamp();
    END IF;
    RETURN NEW;
END
$$;

-- Whether somebody was in a room (or invited, where that is enough) when something was sent there, at any time between
-- two; false where that is not known. The function of the same name compared the sender's clock with ours; no release
-- has it.
DROP FUNCTION was_there(text, text, text, bigint);
CREATE FUNCTION was_there(room_id text, user_id text, history text, earliest timestamptz, latest timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM members m
        WHERE m.room_id = $1 AND m.user_id = $2 AND m.join_heard
            AND CASE WHEN $3 = 'invited' THEN m.invited_at ELSE m.joined_at END <= coalesce($4, to_timestamp(0))
            AND (m.left_at IS NULL OR m.left_at > coalesce($5, to_timestamp(0)))
    )
$$;
