-- Widgets with an id of their own room's, messages that clients sent more than once, and what the bot's profile was given.

-- The state key of the room's widget: clients remember approvals by it, so nobody must be able to guess it. NULL: none was placed.
ALTER TABLE rooms ADD COLUMN widget_id text;

-- What the widget calls one sending, however often the message comes.
ALTER TABLE videos ADD COLUMN nonce text;

-- Messages that repeat a video's.
CREATE TABLE doubles (
    event_id    text PRIMARY KEY,
    video_id    uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX doubles_video ON doubles (video_id, received_at);

-- What we set last: anything else there is the operator's own.
CREATE TABLE bot_profile (
    field text PRIMARY KEY,
    value text NOT NULL
);
