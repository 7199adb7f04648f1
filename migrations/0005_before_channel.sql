-- What the room's channel shows when, and who watches it.

CREATE TABLE channels (
    room_id   text PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    -- When the list begins, in ms since the epoch on this database's clock; it loops for ever.
    starts_at bigint NOT NULL DEFAULT 0,
    -- Videos in turn: {"id", "stage", "duration" in ms}; none while nothing plays.
    items     jsonb NOT NULL DEFAULT '[]',
    -- What plays until the list begins.
    before    jsonb
);

-- Signs of life, many and short-lived: losing them in a crash costs nobody anything.
CREATE UNLOGGED TABLE watching (
    room_id text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id text NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (room_id, user_id)
);
