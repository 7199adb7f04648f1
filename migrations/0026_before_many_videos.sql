-- A million videos: each statement has an index to read by, and the indexes take half of what they did.

-- Which message a video is of: 45 bytes, of which an index needs a hash.
CREATE UNIQUE INDEX videos_event ON videos (hashtextextended(event_id, 0), item);
CREATE INDEX videos_message ON videos USING hash (event_id);
-- Equal entries of an index are stored once. So two bytes of a hash take a quarter of what a hash takes, and find one row
-- of a million among sixteen: enough for which file a video is, and which of the homeserver's media.
CREATE INDEX videos_source ON videos (substr(source_hash, 1, 2)) WHERE source_hash IS NOT NULL;
CREATE INDEX videos_mxc ON videos ((hashtextextended(mxc, 0) & 65535)) WHERE mxc <> '';
-- By the day, for what is older than rooms or the operator want it.
CREATE INDEX videos_day ON videos ((sent_at / 86400000)) WHERE visibility <> 'removed';
-- All of one room. Its senders' videos, and all that somebody sent, are in `videos_sent`.
CREATE INDEX videos_room ON videos (room_id);
CREATE INDEX videos_failed ON videos (failure, kind) WHERE state = 'failed' AND visibility <> 'removed';
-- Keys of attachments from before the installation had a key.
CREATE INDEX videos_unsealed ON videos (id)
    WHERE length(encrypted_file ->> 'key') = 64 OR length(replaced -> 'encrypted_file' ->> 'key') = 64;
-- Each video is written a dozen times before it is ready: what that leaves is used again soon.
ALTER TABLE videos SET (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX members_user ON members (user_id);
CREATE INDEX rooms_left ON rooms (left_at) WHERE left_at IS NOT NULL;
CREATE INDEX rooms_max_lifetime ON rooms (max_lifetime) WHERE max_lifetime IS NOT NULL;
CREATE INDEX rooms_replaced_by ON rooms (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX rooms_opted_in_by ON rooms (opted_in_by) WHERE opted_in_by IS NOT NULL;
CREATE INDEX rooms_moderators_room ON rooms ((settings ->> 'moderators_room'))
    WHERE settings ->> 'moderators_room' IS NOT NULL;
CREATE INDEX audit_user ON audit (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_room ON audit (room_id) WHERE room_id IS NOT NULL;
CREATE INDEX reports_reporter ON reports (reporter);
CREATE INDEX statuses_redacted ON statuses (video_id) WHERE event_id = '';

-- How many videos are ready, and their bytes: the sum of all rows. Each change adds one, so that nobody waits for another,
-- and from time to time they become one again.
CREATE TABLE ready_totals (
    videos bigint NOT NULL,
    bytes  bigint NOT NULL
);
CREATE FUNCTION count_ready() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was boolean := TG_OP <> 'INSERT' AND OLD.state = 'ready' AND OLD.visibility <> 'removed';
    is_now boolean := TG_OP <> 'DELETE' AND NEW.state = 'ready' AND NEW.visibility <> 'removed';
BEGIN
    INSERT INTO ready_totals (videos, bytes) VALUES (
        is_now::integer - was::integer,
        CASE WHEN is_now THEN NEW.bytes ELSE 0 END - CASE WHEN was THEN OLD.bytes ELSE 0 END
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER count_ready_update AFTER UPDATE OF state, visibility, bytes ON videos FOR EACH ROW
    WHEN ((OLD.state = 'ready' OR NEW.state = 'ready')
        AND (OLD.state, OLD.visibility, OLD.bytes) IS DISTINCT FROM (NEW.state, NEW.visibility, NEW.bytes))
    EXECUTE FUNCTION count_ready();
CREATE TRIGGER count_ready_insert AFTER INSERT ON videos FOR EACH ROW WHEN (NEW.state = 'ready')
    EXECUTE FUNCTION count_ready();
CREATE TRIGGER count_ready_delete AFTER DELETE ON videos FOR EACH ROW WHEN (OLD.state = 'ready')
    EXECUTE FUNCTION count_ready();
CREATE FUNCTION count_no_ready() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ready_totals;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_ready_truncate AFTER TRUNCATE ON videos EXECUTE FUNCTION count_no_ready();
INSERT INTO ready_totals
SELECT count(*), coalesce(sum(bytes), 0) FROM videos WHERE state = 'ready' AND visibility <> 'removed';

-- Whether no process of the last release is left, so that what was made of a video may be stored packed.
CREATE FUNCTION may_pack() RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false';
-- Those that are still to be packed.
CREATE TABLE unpacked_videos (id uuid PRIMARY KEY);

-- Last: from here on, nobody reads videos until the migration is done.
DROP INDEX videos_event_item;
DROP INDEX videos_reel;
DROP INDEX videos_sender;
