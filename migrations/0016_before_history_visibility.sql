-- Who may see what was sent before they came (`m.room.history_visibility`): `shared` (or more), `invited`, `joined`.

-- As the room has it now; NULL: its state was not read since this release.
ALTER TABLE rooms
    ADD COLUMN history         text,
    ADD COLUMN history_told_at timestamptz NOT NULL DEFAULT '-infinity';

-- As the room had it when the video was sent; NULL: not known yet, and as strict as can be. `before`: stored by the
-- release before this one, and served as that did until the room's state is read.
ALTER TABLE videos ADD COLUMN history text DEFAULT 'before';
CREATE INDEX videos_history_unknown ON videos (room_id) WHERE history IS NULL OR history = 'before';

ALTER TABLE members
    -- Since when somebody is invited, or a member, without a break; and since when a member is gone.
    ADD COLUMN invited_at timestamptz,
    ADD COLUMN left_at    timestamptz;
-- When those came who are there already is not known: they go on seeing what they saw.
UPDATE members SET joined_at = to_timestamp(0), invited_at = to_timestamp(0) WHERE membership = 'join';

-- Memberships change in several ways, and the release before this one changes them, too.
CREATE FUNCTION keep_member_times() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.membership ELSE 'leave' END;
BEGIN
    IF NEW.membership IN ('invite', 'join') AND was NOT IN ('invite', 'join') THEN
        NEW.invited_at := clock_timestamp();
    END IF;
    IF NEW.membership = 'join' AND was <> 'join' THEN
        NEW.joined_at := clock_timestamp();
        NEW.left_at := NULL;
    ELSIF NEW.membership <> 'join' AND was = 'join' THEN
        NEW.left_at := clock_timestamp();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_member_times BEFORE INSERT OR UPDATE OF membership ON members
    FOR EACH ROW EXECUTE FUNCTION keep_member_times();

-- Whether somebody was in a room (or invited, where that is enough) when something was sent there, in ms since the epoch.
CREATE FUNCTION was_there(room_id text, user_id text, history text, sent_at bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM members m
        WHERE m.room_id = $1 AND m.user_id = $2
            AND date_trunc('milliseconds', CASE WHEN $3 = 'invited' THEN m.invited_at ELSE m.joined_at END)
                <= to_timestamp($4 / 1000.0)
            AND (m.left_at IS NULL OR m.left_at > to_timestamp($4 / 1000.0))
    )
$$;
