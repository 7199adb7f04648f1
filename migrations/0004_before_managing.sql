-- What members and moderators do with videos: hide, delete with undo, publish, make one the sender's avatar, report.

ALTER TABLE videos
    -- Counts managed changes: one that was made looking at an older version is refused.
    ADD COLUMN version      integer NOT NULL DEFAULT 1,
    -- Who hid it: what a moderator hid, its sender cannot show.
    ADD COLUMN hidden_by    text,
    -- Since when it is on its sender's public page.
    ADD COLUMN published_at timestamptz,
    -- Removed by a person who may still undo it; NULL once its content is gone.
    ADD COLUMN deleted_at   timestamptz,
    -- The visibility that an undo brings back.
    ADD COLUMN undone_to    text;
CREATE INDEX videos_deleted ON videos (deleted_at) WHERE deleted_at IS NOT NULL;

ALTER TABLE members ADD COLUMN avatar_video uuid REFERENCES videos ON DELETE SET NULL;
CREATE INDEX members_avatar_video ON members (avatar_video) WHERE avatar_video IS NOT NULL;

CREATE TABLE reports (
    video_id    uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    reporter    text NOT NULL,
    reason      text NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (video_id, reporter)
);
