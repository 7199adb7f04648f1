-- What we put into the homeserver's media repository for members, also before a message brings it; and videos in the order in
-- which they came and were let in, by our own clock.

CREATE TABLE upload_media (
    mxc          text PRIMARY KEY,
    -- No reference: it outlives its upload, until the homeserver's file is gone.
    upload_id    uuid NOT NULL,
    owner        text NOT NULL,
    room_id      text NOT NULL,
    bytes        bigint NOT NULL CHECK (bytes >= 0),
    -- The video whose thumbnail it is.
    thumbnail_of text,
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When a message brought it. Until then it counts for quotas.
    sent_at      timestamptz,
    -- When a job deletes it unless it was sent by then; NULL while its upload may still be sent.
    forget_at    timestamptz
);
CREATE INDEX upload_media_upload ON upload_media (upload_id);
CREATE INDEX upload_media_owner ON upload_media (owner);
CREATE INDEX upload_media_room ON upload_media (room_id);
CREATE INDEX upload_media_thumbnail ON upload_media (thumbnail_of) WHERE thumbnail_of IS NOT NULL;
CREATE INDEX upload_media_unsent ON upload_media (forget_at) WHERE sent_at IS NULL;

INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, sent_at)
SELECT content ->> 'url', id, owner, room_id, greatest((content -> 'info' ->> 'size')::bigint, 0),
    CASE WHEN EXISTS (SELECT FROM videos v WHERE v.mxc = content ->> 'url') THEN now() END
FROM uploads WHERE state = 'ready' AND content ? 'url' AND content -> 'info' ? 'size'
ON CONFLICT DO NOTHING;

INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, thumbnail_of, sent_at)
SELECT u.content -> 'info' ->> 'thumbnail_url', m.upload_id, m.owner, m.room_id,
    greatest(coalesce((u.content -> 'info' -> 'thumbnail_info' ->> 'size')::bigint, 0), 0), m.mxc, m.sent_at
FROM uploads u JOIN upload_media m ON m.upload_id = u.id AND m.mxc = u.content ->> 'url'
WHERE u.content -> 'info' ? 'thumbnail_url'
ON CONFLICT DO NOTHING;

ALTER TABLE videos
    ADD COLUMN arrived_at  timestamptz NOT NULL DEFAULT now(),
    -- When its downloaded size was found to have room in the quotas.
    ADD COLUMN admitted_at timestamptz NOT NULL DEFAULT 'infinity',
    -- It is ready, and what follows from that is not done: how often that was begun again. NULL: nothing is left to do.
    ADD COLUMN finishing   integer,
    -- What played before an edit brought other media, which are not whole yet: it comes back when they fail.
    ADD COLUMN replaced    jsonb;
CREATE INDEX videos_of_jobs ON videos ((id::text))
    WHERE state IN ('queued', 'processing', 'playable') OR finishing IS NOT NULL;
CREATE INDEX videos_awaited ON videos (mxc, id) WHERE awaited_since IS NOT NULL;
CREATE INDEX videos_finishing ON videos (id) WHERE finishing IS NOT NULL;
ALTER TABLE videos ALTER COLUMN arrived_at SET DEFAULT clock_timestamp();
-- Of those that wait just now their senders' clocks are all that is known.
UPDATE videos SET arrived_at = least(now(), to_timestamp(sent_at / 1000.0)) WHERE state IN ('queued', 'processing', 'playable');
