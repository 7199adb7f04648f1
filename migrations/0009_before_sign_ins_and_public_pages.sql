-- Browsers that are signed in by a message, without a Matrix client around the widget; and members' public pages.

CREATE TABLE sign_ins (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id     text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    -- SHA-256 of what the browser keeps.
    secret_hash bytea NOT NULL UNIQUE,
    -- What is to be sent; NULL once it was.
    code        text,
    -- The kind of browser, as it said itself, in words of ours.
    browser     text NOT NULL,
    -- Who sent the code, and in which event; NULL until then.
    user_id     text,
    event_id    text UNIQUE,
    expires_at  timestamptz NOT NULL,
    UNIQUE (room_id, code)
);
CREATE INDEX sign_ins_user ON sign_ins (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sign_ins_end ON sign_ins (expires_at);

-- Codes that were wrong, by the events that brought them.
CREATE TABLE sign_in_misses (
    event_id  text PRIMARY KEY,
    user_id   text NOT NULL,
    missed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_misses_user ON sign_in_misses (user_id, missed_at);

CREATE INDEX videos_published ON videos (sender) WHERE published_at IS NOT NULL;
