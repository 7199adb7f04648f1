-- What changed in a room, numbered: viewers fetch what is new instead of the whole room. The triggers see what the release
-- before this one writes, too.

-- The number of a room's newest change: it grows by one with each transaction that changed what anybody may see.
CREATE TABLE room_revisions (
    room_id  text PRIMARY KEY,
    revision bigint NOT NULL
);

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
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX room_changes_revision ON room_changes (room_id, revision);
CREATE INDEX room_changes_open ON room_changes (xid) WHERE revision IS NULL;

-- Runs when a transaction ends: who holds a room's number then waits for nothing but the commit, so that numbers are in the
-- order of commits, without gaps. Rooms come in the order of their names: no deadlock.
CREATE FUNCTION number_room_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept CONSTANT bigint := 128;
    most CONSTANT bigint := 500;
    own CONSTANT xid8 := pg_current_xact_id();
    changed record;
    n bigint;
BEGIN
    FOR changed IN
        SELECT c.room_id, count(*) AS changes FROM room_changes c
        WHERE c.revision IS NULL AND c.xid = own GROUP BY c.room_id ORDER BY c.room_id
    LOOP
        INSERT INTO room_revisions AS r (room_id, revision) VALUES (changed.room_id, 1)
        ON CONFLICT (room_id) DO UPDATE SET revision = r.revision + 1 RETURNING r.revision INTO n;
        IF changed.changes > most THEN
            DELETE FROM room_changes WHERE revision IS NULL AND xid = own AND room_id = changed.room_id;
            INSERT INTO room_changes (room_id, revision, fields) VALUES (changed.room_id, n, '{all}');
        ELSE
            UPDATE room_changes SET revision = n WHERE revision IS NULL AND xid = own AND room_id = changed.room_id;
        END IF;
        DELETE FROM room_changes WHERE room_id = changed.room_id AND revision <= n - kept;
        PERFORM pg_notify('roomreel_revisions', n || ' ' || changed.room_id);
    END LOOP;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER number_room_changes AFTER INSERT ON room_changes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.revision IS NULL) EXECUTE FUNCTION number_room_changes();

CREATE FUNCTION log_video_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text[] := '{all}';
BEGIN
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
                OLD.has_poster, OLD.stage, OLD.storyboard, OLD.has_preview, OLD.blurhash, OLD.captions, OLD.sent_at,
                OLD.spoiler, OLD.spoiler_reason, OLD.audio_left_out, OLD.renditions, OLD.stage_encrypted, OLD.item,
                OLD.awaited_since IS NULL, OLD.available IS NULL
            ) IS DISTINCT FROM (
                NEW.event_id, NEW.sent_in, NEW.sender, NEW.kind, NEW.state, NEW.failure, NEW.duration, NEW.width, NEW.height,
                NEW.has_poster, NEW.stage, NEW.storyboard, NEW.has_preview, NEW.blurhash, NEW.captions, NEW.sent_at,
                NEW.spoiler, NEW.spoiler_reason, NEW.audio_left_out, NEW.renditions, NEW.stage_encrypted, NEW.item,
                NEW.awaited_since IS NULL, NEW.available IS NULL
            ) THEN 'all' END
        ], NULL);
        IF changed = '{}' OR OLD.visibility = 'removed' AND NEW.visibility = 'removed' THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO room_changes (room_id, video_id, user_id, fields) VALUES (NEW.room_id, NEW.id, NEW.sender, changed);
        RETURN NULL;
    END IF;
    INSERT INTO room_changes (room_id, video_id, user_id, fields, was_shown, was_known)
    VALUES (
        OLD.room_id, OLD.id, OLD.sender, changed, OLD.visibility = 'shown' AND OLD.failure IS NULL,
        OLD.visibility <> 'removed' AND OLD.failure IS NULL
    );
    IF TG_OP = 'UPDATE' AND OLD.room_id <> NEW.room_id THEN
        INSERT INTO room_changes (room_id, video_id, user_id, fields) VALUES (NEW.room_id, NEW.id, NEW.sender, changed);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER log_new_video AFTER INSERT OR DELETE ON videos FOR EACH ROW EXECUTE FUNCTION log_video_change();
-- Not for every percent of progress.
CREATE TRIGGER log_video_change AFTER UPDATE OF
    event_id, room_id, sent_in, sender, title, version, position, published_at, visibility, held_for, hidden_by, history, received_at,
    sent_after, kind, state, failure, duration, width, height, has_poster, stage, storyboard, has_preview, blurhash, captions, sent_at,
    spoiler, spoiler_reason, audio_left_out, renditions, stage_encrypted, item, awaited_since, available
    ON videos FOR EACH ROW EXECUTE FUNCTION log_video_change();

CREATE FUNCTION log_member_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := CASE WHEN TG_OP <> 'INSERT' THEN OLD.membership ELSE 'leave' END;
    becomes text := CASE WHEN TG_OP <> 'DELETE' THEN NEW.membership ELSE 'leave' END;
BEGIN
    IF was NOT IN ('join', 'invite') AND becomes NOT IN ('join', 'invite') THEN
        RETURN NULL;
    END IF;
    INSERT INTO room_changes (room_id, user_id, fields, was_shown)
    VALUES (
        CASE WHEN TG_OP = 'DELETE' THEN OLD.room_id ELSE NEW.room_id END,
        CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END,
        CASE WHEN TG_OP = 'UPDATE' AND (OLD.membership, OLD.joined_at, OLD.invited_at, OLD.left_at, OLD.join_heard)
            IS NOT DISTINCT FROM (NEW.membership, NEW.joined_at, NEW.invited_at, NEW.left_at, NEW.join_heard)
            THEN '{profile}'::text[] ELSE '{membership}' END,
        was = 'join'
    );
    IF TG_OP = 'UPDATE' AND OLD.avatar_video IS DISTINCT FROM NEW.avatar_video THEN
        INSERT INTO room_changes (room_id, video_id, user_id, fields, was_shown, was_known)
        SELECT v.room_id, v.id, v.sender, '{avatar}', v.visibility = 'shown' AND v.failure IS NULL, v.failure IS NULL
        FROM videos v
        WHERE v.id IN (OLD.avatar_video, NEW.avatar_video) AND v.room_id = NEW.room_id AND v.visibility <> 'removed';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER log_new_member AFTER INSERT OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION log_member_change();
CREATE TRIGGER log_member_change AFTER UPDATE ON members FOR EACH ROW WHEN (
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
CREATE TRIGGER log_room_change AFTER UPDATE ON rooms FOR EACH ROW WHEN (
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
