-- Encrypted rooms: what waits for its key, what the bot still has to encrypt, who opted in, and the keys of media on disk.

-- The content of `m.room.encryption` as far as it counts: after how much a key is replaced.
ALTER TABLE rooms ADD COLUMN encryption jsonb;
-- Who agreed that playable copies of an encrypted room's videos are stored here, and when. NULL: nobody (any more).
ALTER TABLE rooms ADD COLUMN opted_in_by text;
ALTER TABLE rooms ADD COLUMN opted_in_at timestamptz;
-- When the bot told a member, last, that somebody had opted in before they joined.
ALTER TABLE members ADD COLUMN told_at timestamptz;

-- Say whether the files of the stage that is served are encrypted.
ALTER TABLE videos ADD COLUMN stage_encrypted boolean NOT NULL DEFAULT false;

-- Of a video in an encrypted room, which file it is: the SHA-256 and the fingerprint, sealed, until it is blocked.
ALTER TABLE videos ADD COLUMN sealed_content bytea;

-- The key of each stage whose files are encrypted, sealed by the installation's key. Without its row a stage is nothing.
CREATE TABLE media_keys (
    video_id uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    stage    text NOT NULL,
    sealed   bytea NOT NULL,
    PRIMARY KEY (video_id, stage)
);

-- The key of an export that is encrypted on disk, sealed likewise; NULL: it is not.
ALTER TABLE exports ADD COLUMN sealed_key bytea;

-- Events (`m.room.encrypted`) that were not decrypted yet, as they came.
CREATE TABLE encrypted_events (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text NOT NULL UNIQUE,
    room_id     text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    sender      text NOT NULL,
    session_id  text NOT NULL,
    event       jsonb NOT NULL,
    -- How it was found, where it was not sent to us: `sent_after`, `history` (`changes.Backfilled`) and `of_before`.
    found       jsonb,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it was tried without its key, last, and how often; NULL: not yet, or the key came since.
    tried_at    timestamptz,
    tries       integer NOT NULL DEFAULT 0
);
CREATE INDEX encrypted_events_due ON encrypted_events (key) WHERE tried_at IS NULL;
CREATE INDEX encrypted_events_session ON encrypted_events (room_id, session_id);
CREATE INDEX encrypted_events_old ON encrypted_events (received_at);

-- What the bot sends to encrypted rooms. One process encrypts it, whoever sends; the content goes once it was sent.
CREATE TABLE outgoing_events (
    key       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id   text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    -- The transaction id of the request: one event, however often it is requested.
    txn_id    text NOT NULL UNIQUE,
    kind      text NOT NULL,
    content   jsonb,
    -- What is sent, the same at each attempt.
    encrypted jsonb,
    event_id  text,
    -- Why it will never be sent, as the homeserver says; its `errcode`, if any.
    refused   text,
    errcode   text,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outgoing_events_due ON outgoing_events (key) WHERE event_id IS NULL AND refused IS NULL;
CREATE INDEX outgoing_events_old ON outgoing_events (queued_at);

-- Where the keys of a room's history are, which a member sent with an invitation (MSC4268), and what decrypts them, sealed.
CREATE TABLE key_bundles (
    room_id     text NOT NULL,
    sender      text NOT NULL,
    sealed      bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (room_id, sender)
);
