-- Videos that are watched while they are made, that share files, and that say how far the work on them is.

ALTER TABLE videos
    -- How many leading segments of each rendition exist; NULL: all.
    ADD COLUMN available    integer CHECK (available > 0),
    ADD COLUMN blurhash     text,
    ADD COLUMN storyboard   jsonb,
    ADD COLUMN has_preview  boolean NOT NULL DEFAULT false,
    -- Equal where the same bytes were made into renditions in the same way.
    ADD COLUMN content_hash bytea,
    -- Of the attempt under way: percent done, and seconds left (NULL: nobody knows yet).
    ADD COLUMN percent      smallint CHECK (percent BETWEEN 0 AND 100),
    ADD COLUMN remaining    integer CHECK (remaining >= 0);
CREATE INDEX videos_content ON videos (content_hash) WHERE content_hash IS NOT NULL;
