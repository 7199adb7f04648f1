-- What the bot sends on behalf of people who are signed in without a Matrix client: the only word on whose it is.

CREATE TABLE sent_for (
    key           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Where it was sent: after an upgrade another room than its video's.
    room_id       text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    -- Empty once it was forgotten whose it is: what the homeserver tells of it later is known for nobody's.
    user_id       text NOT NULL,
    -- What the widget calls this one sending.
    nonce         text NOT NULL,
    -- A hash of what the request said: the same nonce never comes with something else.
    digest        bytea NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('comment', 'reaction', 'video')),
    -- What a comment or a reaction is about: the message, which brings several videos, or is not the video's any more.
    video_id      uuid REFERENCES videos ON DELETE CASCADE,
    target        text,
    -- The reaction's key. Several people's equal ones are one event, for a user annotates an event only once so.
    reaction      text,
    -- What a video was made of. No reference: it outlives its upload.
    upload_id     uuid UNIQUE,
    -- NULL until the homeserver has said, or told, that it was sent.
    event_id      text,
    sent_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_back_at timestamptz,
    UNIQUE (room_id, nonce)
);
CREATE INDEX sent_for_video ON sent_for (video_id) WHERE video_id IS NOT NULL;
-- Somebody reacts so once, whatever the variation selectors.
CREATE UNIQUE INDEX sent_for_reaction ON sent_for (room_id, target, replace(reaction, U&'\FE0F', ''), user_id)
    WHERE reaction IS NOT NULL AND taken_back_at IS NULL;
-- What stands of a message's, however often somebody reacts and takes it back.
CREATE INDEX sent_for_standing ON sent_for (target) WHERE target IS NOT NULL AND taken_back_at IS NULL;
CREATE INDEX sent_for_user ON sent_for (user_id);
CREATE INDEX sent_for_event ON sent_for (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX sent_for_room ON sent_for (room_id, sent_at);
CREATE INDEX sent_for_spent ON sent_for (coalesce(taken_back_at, sent_at))
    WHERE event_id IS NULL OR taken_back_at IS NOT NULL;
