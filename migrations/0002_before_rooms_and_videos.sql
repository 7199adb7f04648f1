-- Rooms, their members, and the videos kept against the sender's Matrix id.

CREATE TABLE rooms (
    room_id        text PRIMARY KEY,
    key            bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    name           text,
    bot_membership text NOT NULL DEFAULT 'leave',
    inviter        text,
    power_levels   jsonb NOT NULL DEFAULT '{}',
    creators       text[] NOT NULL DEFAULT '{}',
    encrypted      boolean NOT NULL DEFAULT false,
    widget_placed  boolean NOT NULL DEFAULT false,
    -- What the bot has said once and does not say again.
    told           text[] NOT NULL DEFAULT '{}',
    replaced_by    text,
    -- When an event told us; a snapshot of the room taken earlier does not overwrite it.
    name_told_at   timestamptz NOT NULL DEFAULT '-infinity',
    power_told_at  timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE members (
    room_id      text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id      text NOT NULL,
    key          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    membership   text NOT NULL,
    display_name text,
    avatar_mxc   text,
    -- When we learned it; a snapshot of the room taken earlier does not overwrite it.
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (room_id, user_id)
);

CREATE TABLE videos (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id       text NOT NULL UNIQUE,
    room_id        text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    -- Where it was sent, and can be redacted, also after an upgrade moved it to another room.
    sent_in        text NOT NULL,
    sender         text NOT NULL,
    title          text NOT NULL,
    mxc            text NOT NULL,
    encrypted_file jsonb,
    claimed_size   bigint,
    -- False for a file that only may be a video: if it is none, it goes without a word.
    certain        boolean NOT NULL,
    state          text NOT NULL DEFAULT 'queued'
                   CHECK (state IN ('queued', 'processing', 'playable', 'ready', 'failed')),
    visibility     text NOT NULL DEFAULT 'shown'
                   CHECK (visibility IN ('shown', 'hidden', 'held', 'removed')),
    failure        text,
    attempts       integer NOT NULL DEFAULT 0,
    -- The place in the sender's reel, ascending; at first the time it was sent, in ms since the epoch.
    position       double precision NOT NULL,
    -- The folder below the video's own that is served now.
    stage          text,
    has_poster     boolean NOT NULL DEFAULT false,
    duration       double precision,
    width          integer,
    height         integer,
    renditions     jsonb NOT NULL DEFAULT '[]',
    sent_at        bigint NOT NULL,
    changed_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX videos_reel ON videos (room_id, sender, position) WHERE visibility <> 'removed';

-- Keys that every process of this installation shares; made at the first start.
CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);
