-- What changed in a room, numbered: viewers fetch what is new instead of the whole room. The triggers see what the release
-- before this one writes, too.

-- In the order in which writers take them: whoever is writing ends first.
LOCK TABLE rooms, members, videos, reports IN SHARE ROW EXCLUSIVE MODE;

-- The number of a room's newest change: it grows with each transaction that changed what anybody may see. Its last 20 bits
-- are random: after a restore, or a failover that lost something, a number of before is none of those that follow.
CREATE TABLE room_revisions (
    room_id  text PRIMARY KEY,
    revision bigint NOT NULL
) WITH (fillfactor = 50);

-- The latest changes: of a video, of a member, or, where nobody is named, of the room itself.
CREATE TABLE room_changes (
    room_id   text NOT NULL,
    -- NULL until the transaction ends.
    revision  bigint,
    video_id  uuid,
    -- Of a video, its sender.
    user_id   text,
    -- Which columns; `all`: whatever there is. Of a video that came, or went, also `all`.
    fields    text[] NOT NULL,
    -- Whether every member, and whether moderators knew of the video before.
    was_shown boolean NOT NULL DEFAULT false,
    was_known boolean NOT NULL DEFAULT false,
    -- Whether it was only for those who were there, by the room's history visibility.
    was_strict boolean NOT NULL DEFAULT false,
    -- The transaction's first: once is enough to number all. What says so is taken back with a savepoint, as the row is.
    is_first  boolean NOT NULL DEFAULT CASE WHEN coalesce(current_setting('roomreel.changes', true), '') = 'open' THEN false
        ELSE set_config('roomreel.changes', 'open', true) = 'open' END,
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id()
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX room_changes_revision ON room_changes (room_id, revision);
CREATE INDEX room_changes_open ON room_changes (xid) WHERE revision IS NULL;

-- Runs when a transaction ends: who holds a room's number then waits for nothing but the commit, so that numbers are in the
-- order of commits, without gaps. Rooms come in the order of their names: no deadlock. What was too much to be logged, or
-- is not to be read there any more, stands for all of it, and for all before.
CREATE FUNCTION number_room_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept CONSTANT bigint := 64;
    most CONSTANT bigint := 200;
    own CONSTANT xid8 := pg_current_xact_id();
    rooms text[];
    anew text[];
    room record;
BEGIN
    PERFORM set_config('roomreel.changes', '', true);
    rooms := ARRAY(SELECT DISTINCT c.room_id FROM room_changes c WHERE c.revision IS NULL AND c.xid = own ORDER BY c.room_id);
    anew := ARRAY(
        SELECT c.room_id FROM room_changes c WHERE c.revision IS NULL AND c.xid = own GROUP BY c.room_id
        HAVING count(*) > most OR bool_or(c.fields = '{all}' AND c.video_id IS NULL AND c.user_id IS NULL)
    );
    INSERT INTO room_revisions AS r (room_id, revision)
    SELECT u.room_id, (1 << 20) + (random() * 1048575)::bigint FROM unnest(rooms) AS u (room_id)
    ON CONFLICT (room_id) DO UPDATE SET revision = ((r.revision >> 20) + 1 << 20) + (random() * 1048575)::bigint;
    UPDATE room_changes c SET revision = (SELECT r.revision FROM room_revisions r WHERE r.room_id = c.room_id)
    WHERE c.revision IS NULL AND c.xid = own AND c.room_id <> ALL (anew);
    IF anew <> '{}' THEN
        DELETE FROM room_changes WHERE room_id = ANY (anew);
        INSERT INTO room_changes (room_id, revision, fields, is_first)
        SELECT r.room_id, r.revision, '{all}', false FROM room_revisions r WHERE r.room_id = ANY (anew);
    END IF;
    FOR room IN
        SELECT r.room_id, r.revision, pg_notify('roomreel_revisions', r.revision || ' ' || r.room_id)
        FROM room_revisions r WHERE r.room_id = ANY (rooms)
    LOOP
        IF (room.revision >> 20) % 16 = 0 THEN
            DELETE FROM room_changes WHERE room_id = room.room_id AND revision < (room.revision >> 20) - kept << 20;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER number_room_changes AFTER INSERT ON room_changes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.revision IS NULL AND NEW.is_first) EXECUTE FUNCTION number_room_changes();

-- Many come at once.
CREATE FUNCTION log_new_videos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_changes (room_id, video_id, user_id, fields)
    SELECT room_id, id, sender, '{all}' FROM new_videos WHERE visibility <> 'removed';
    RETURN NULL;
END
$$;
CREATE TRIGGER log_new_videos AFTER INSERT ON videos REFERENCING NEW TABLE AS new_videos
    FOR EACH STATEMENT EXECUTE FUNCTION log_new_videos();

CREATE FUNCTION log_video_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text[] := '{all}';
BEGIN
    IF TG_OP = 'DELETE' AND OLD.visibility = 'removed' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.sender <> '' AND NEW.sender = '' THEN
        -- Somebody is erased: the log is not to name them.
        INSERT INTO room_changes (room_id, fields) VALUES (NEW.room_id, '{all}');
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.room_id = NEW.room_id THEN
        changed := array_remove(ARRAY[
            CASE WHEN OLD.title IS DISTINCT FROM NEW.title THEN 'title' END,
            CASE WHEN OLD.version IS DISTINCT FROM NEW.version THEN 'version' END,
            CASE WHEN OLD.position IS DISTINCT FROM NEW.position THEN 'position' END,
            CASE WHEN (OLD.published_at IS NULL) <> (NEW.published_at IS NULL) THEN 'published' END,
            CASE WHEN (OLD.visibility, OLD.held_for, OLD.hidden_by)
                IS DISTINCT FROM (NEW.visibility, NEW.held_for, NEW.hidden_by) THEN 'visibility' END,
            CASE WHEN (OLD.history, OLD.received_at, OLD.sent_after)
                IS DISTINCT FROM (NEW.history, NEW.received_at, NEW.sent_after) THEN 'history' END,
            CASE WHEN (
                OLD.event_id, OLD.sent_in, OLD.sender, OLD.kind, OLD.state, OLD.failure, OLD.duration, OLD.width, OLD.height,
                OLD.has_poster, OLD.stage, OLD.has_preview, OLD.blurhash, OLD.captions, OLD.sent_at,
                OLD.spoiler, OLD.spoiler_reason, OLD.audio_left_out, OLD.stage_encrypted, OLD.item,
                OLD.awaited_since IS NULL, OLD.available IS NULL
            ) IS DISTINCT FROM (
                NEW.event_id, NEW.sent_in, NEW.sender, NEW.kind, NEW.state, NEW.failure, NEW.duration, NEW.width, NEW.height,
                NEW.has_poster, NEW.stage, NEW.has_preview, NEW.blurhash, NEW.captions, NEW.sent_at,
                NEW.spoiler, NEW.spoiler_reason, NEW.audio_left_out, NEW.stage_encrypted, NEW.item,
                NEW.awaited_since IS NULL, NEW.available IS NULL
            ) OR (OLD.renditions, OLD.storyboard) IS DISTINCT FROM (NEW.renditions, NEW.storyboard)
                -- Not where they are only packed.
                AND jsonb_typeof(OLD.renditions) = jsonb_typeof(NEW.renditions) THEN 'all' END
        ], NULL);
        IF changed = '{}' OR OLD.visibility = 'removed' AND NEW.visibility = 'removed' THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO room_changes (room_id, video_id, user_id, fields, was_shown, was_known, was_strict)
    VALUES (
        OLD.room_id, OLD.id, OLD.sender, changed, OLD.visibility = 'shown' AND OLD.failure IS NULL,
        OLD.visibility <> 'removed' AND OLD.failure IS NULL, coalesce(OLD.history, '') NOT IN ('shared', 'before')
    );
    IF TG_OP = 'UPDATE' AND OLD.room_id <> NEW.room_id THEN
        INSERT INTO room_changes (room_id, video_id, user_id, fields) VALUES (NEW.room_id, NEW.id, NEW.sender, changed);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER log_lost_video AFTER DELETE ON videos FOR EACH ROW EXECUTE FUNCTION log_video_change();
-- Not for every percent of progress.
CREATE TRIGGER log_video_change AFTER UPDATE OF
    event_id, room_id, sent_in, sender, title, version, position, published_at, visibility, held_for, hidden_by, history, received_at,
    sent_after, kind, state, failure, duration, width, height, has_poster, stage, storyboard, has_preview, blurhash, captions, sent_at,
    spoiler, spoiler_reason, audio_left_out, renditions, stage_encrypted, item, awaited_since, available
    ON videos FOR EACH ROW EXECUTE FUNCTION log_video_change();

CREATE FUNCTION log_new_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_changes (room_id, user_id, fields)
    SELECT room_id, user_id, '{membership}' FROM new_members WHERE membership = 'join';
    -- Whom a direct chat is with is a matter of who is invited, too (`is_direct`).
    INSERT INTO room_changes (room_id, fields)
    SELECT r.room_id, '{about}' FROM rooms r
    WHERE r.direct AND r.room_id IN (SELECT m.room_id FROM new_members m WHERE m.membership = 'invite');
    RETURN NULL;
END
$$;
CREATE TRIGGER log_new_members AFTER INSERT ON members REFERENCING NEW TABLE AS new_members
    FOR EACH STATEMENT EXECUTE FUNCTION log_new_members();

-- Members are deleted where somebody is erased: the log is not to name them.
CREATE FUNCTION log_lost_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_changes (room_id, fields) SELECT DISTINCT room_id, '{all}'::text[] FROM old_members;
    RETURN NULL;
END
$$;
CREATE TRIGGER log_lost_members AFTER DELETE ON members REFERENCING OLD TABLE AS old_members
    FOR EACH STATEMENT EXECUTE FUNCTION log_lost_members();

CREATE FUNCTION log_member_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.membership <> 'join' AND NEW.membership <> 'join' THEN
        INSERT INTO room_changes (room_id, fields)
        SELECT r.room_id, '{about}' FROM rooms r WHERE r.room_id = NEW.room_id AND r.direct AND OLD.membership <> NEW.membership;
        RETURN NULL;
    END IF;
    INSERT INTO room_changes (room_id, user_id, fields, was_shown)
    VALUES (
        NEW.room_id, NEW.user_id,
        CASE WHEN (OLD.membership, OLD.joined_at, OLD.invited_at, OLD.left_at, OLD.join_heard)
            IS NOT DISTINCT FROM (NEW.membership, NEW.joined_at, NEW.invited_at, NEW.left_at, NEW.join_heard)
            THEN '{profile}'::text[] ELSE '{membership}' END,
        OLD.membership = 'join'
    );
    IF OLD.avatar_video IS DISTINCT FROM NEW.avatar_video THEN
        INSERT INTO room_changes (room_id, video_id, user_id, fields, was_shown, was_known)
        SELECT v.room_id, v.id, v.sender, '{avatar}', v.visibility = 'shown' AND v.failure IS NULL, v.failure IS NULL
        FROM videos v
        WHERE v.id IN (OLD.avatar_video, NEW.avatar_video) AND v.room_id = NEW.room_id AND v.visibility <> 'removed';
    END IF;
    RETURN NULL;
END
$$;
-- Times are set by another trigger, where the membership is.
CREATE TRIGGER log_member_change AFTER UPDATE OF membership, display_name, avatar_mxc, avatar_video, joined_at, invited_at, left_at, join_heard
    ON members FOR EACH ROW WHEN (
    (OLD.membership, OLD.display_name, OLD.avatar_mxc, OLD.avatar_video, OLD.joined_at, OLD.invited_at, OLD.left_at, OLD.join_heard)
    IS DISTINCT FROM
    (NEW.membership, NEW.display_name, NEW.avatar_mxc, NEW.avatar_video, NEW.joined_at, NEW.invited_at, NEW.left_at, NEW.join_heard)
) EXECUTE FUNCTION log_member_change();

CREATE FUNCTION log_room_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_changes (room_id, fields) VALUES (NEW.room_id, array_remove(ARRAY[
        CASE WHEN OLD.name IS DISTINCT FROM NEW.name OR OLD.replaced_by IS DISTINCT FROM NEW.replaced_by THEN 'about' END,
        CASE WHEN (OLD.power_levels, OLD.creators, OLD.settings, OLD.encrypted, OLD.opted_in_by, OLD.opted_in_at,
                OLD.bot_membership, OLD.bot_joined_at, OLD.direct, OLD.made_for)
            IS DISTINCT FROM (NEW.power_levels, NEW.creators, NEW.settings, NEW.encrypted, NEW.opted_in_by, NEW.opted_in_at,
                NEW.bot_membership, NEW.bot_joined_at, NEW.direct, NEW.made_for)
            THEN 'rights' END
    ], NULL));
    RETURN NULL;
END
$$;
CREATE TRIGGER log_room_change AFTER UPDATE OF
    name, replaced_by, power_levels, creators, settings, encrypted, opted_in_by, opted_in_at, bot_membership, bot_joined_at, direct,
    made_for
    ON rooms FOR EACH ROW WHEN (
    (OLD.name, OLD.replaced_by, OLD.power_levels, OLD.creators, OLD.settings, OLD.encrypted, OLD.opted_in_by, OLD.opted_in_at,
        OLD.bot_membership, OLD.bot_joined_at, OLD.direct, OLD.made_for)
    IS DISTINCT FROM
    (NEW.name, NEW.replaced_by, NEW.power_levels, NEW.creators, NEW.settings, NEW.encrypted, NEW.opted_in_by, NEW.opted_in_at,
        NEW.bot_membership, NEW.bot_joined_at, NEW.direct, NEW.made_for)
) EXECUTE FUNCTION log_room_change();

-- How often a video was reported is for moderators.
CREATE FUNCTION log_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_changes (room_id, video_id, user_id, fields, was_shown, was_known)
    SELECT v.room_id, v.id, v.sender, '{reports}', v.visibility = 'shown' AND v.failure IS NULL, v.failure IS NULL
    FROM videos v
    WHERE v.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.video_id ELSE NEW.video_id END AND v.visibility <> 'removed';
    RETURN NULL;
END
$$;
CREATE TRIGGER log_report AFTER INSERT OR DELETE ON reports FOR EACH ROW EXECUTE FUNCTION log_report();
