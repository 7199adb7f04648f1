-- Spoilers (MSC4193), and galleries (MSC4274): one message with several videos.

ALTER TABLE videos
    -- Its sender marked it so: nobody sees it without asking for it.
    ADD COLUMN spoiler        boolean NOT NULL DEFAULT false,
    ADD COLUMN spoiler_reason text,
    -- Its place among those of its message when it was sent; never another one.
    ADD COLUMN item           integer NOT NULL DEFAULT 0 CHECK (item >= 0);
CREATE UNIQUE INDEX videos_event_item ON videos (event_id, item);
