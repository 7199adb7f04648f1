-- The bot: commands and their answers, what rooms and people chose, holding and blocking, an audit log, exports.

ALTER TABLE rooms
    -- A conversation with the bot alone: what is said there is for the bot, without a prefix.
    ADD COLUMN direct          boolean NOT NULL DEFAULT false,
    -- What its moderators chose; what is not there has its default.
    ADD COLUMN settings        jsonb NOT NULL DEFAULT '{}',
    -- `max_lifetime` of `m.room.retention`, in ms.
    ADD COLUMN max_lifetime    bigint CHECK (max_lifetime >= 0),
    -- The newest event up to which we have looked for what we missed; NULL: we have not looked yet.
    ADD COLUMN last_event      text,
    -- The bot's own coming: what is before it is history.
    ADD COLUMN joined_event    text,
    -- Since when the bot is not there any more; NULL once nothing is kept of the room, too.
    ADD COLUMN left_at         timestamptz;

-- Since when somebody is a member without a break; NULL: since before we looked.
ALTER TABLE members ADD COLUMN joined_at timestamptz;

ALTER TABLE videos
    ADD COLUMN kind        text NOT NULL DEFAULT 'video' CHECK (kind IN ('video', 'image', 'voice')),
    -- What its files take on our disk, with all renditions.
    ADD COLUMN bytes       bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    -- SHA-256 of the file as it was sent, and what its pictures look like.
    ADD COLUMN source_hash bytea,
    ADD COLUMN fingerprint bytea,
    -- Why it waits for somebody: approval, reports, policy, verdict, quarantine.
    ADD COLUMN held_for    text,
    -- Whether a person named it: then a new caption does not.
    ADD COLUMN renamed     boolean NOT NULL DEFAULT false;
CREATE INDEX videos_sender ON videos (sender) WHERE visibility <> 'removed';
CREATE INDEX videos_source_hash ON videos (source_hash) WHERE source_hash IS NOT NULL;

ALTER TABLE videos
    -- When the newest edit of its message was sent, in ms since the epoch.
    ADD COLUMN edited_at       bigint,
    -- Its edits, newest last: {event_id, mxc of the media that it replaced or ''}.
    ADD COLUMN edits           jsonb NOT NULL DEFAULT '[]',
    -- It was sent before the bot came: nobody waits for it, and nothing is said about it.
    ADD COLUMN of_before       boolean NOT NULL DEFAULT false,
    -- The number of attempts with the media that an edit replaced.
    ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;

CREATE INDEX videos_edited ON videos (sent_in) WHERE edited_at IS NOT NULL;

-- Events that were dealt with and must not be again when the timeline is looked through: what each is, is not kept.
CREATE TABLE seen_events (
    event_id text PRIMARY KEY,
    seen_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX seen_events_at ON seen_events (seen_at);

-- What somebody chose for themselves.
CREATE TABLE people (
    user_id  text PRIMARY KEY,
    settings jsonb NOT NULL DEFAULT '{}'
);

-- Messages to the bot, in the order in which they came. `taken_at`: somebody began to do it, and does not begin again.
CREATE TABLE commands (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   text NOT NULL UNIQUE,
    room_id    text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    sender     text NOT NULL,
    body       text NOT NULL,
    thread     text NOT NULL,
    replied_to text,
    taken_at   timestamptz,
    -- What the bot says to it: {plain, html, reaction}.
    answer     jsonb,
    done_at    timestamptz,
    came_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX commands_open ON commands (room_id, key) WHERE done_at IS NULL;

-- Who did what, for those who answer for it. Nothing in it is content.
CREATE TABLE audit (
    key      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    -- A Matrix user id, or `roomreel` for what happens by itself.
    actor    text NOT NULL,
    action   text NOT NULL,
    room_id  text,
    video_id uuid,
    -- Whom it is about.
    user_id  text,
    details  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_video ON audit (video_id) WHERE video_id IS NOT NULL;

-- Videos that are not to come (again): in one room, or anywhere (room_id NULL).
CREATE TABLE blocks (
    key         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id     text REFERENCES rooms ON DELETE CASCADE,
    source_hash bytea NOT NULL,
    fingerprint bytea,
    reason      text NOT NULL DEFAULT '',
    blocked_by  text NOT NULL,
    blocked_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (room_id, source_hash)
);

-- What the bot posted in a moderators' room for them to decide on by a reaction.
CREATE TABLE queue_posts (
    event_id text PRIMARY KEY,
    room_id  text NOT NULL,
    video_id uuid NOT NULL REFERENCES videos ON DELETE CASCADE
);
CREATE INDEX queue_posts_video ON queue_posts (video_id);
ALTER TABLE queue_posts
    -- A post is two events: the poster, and the text with the reactions.
    ADD COLUMN part text NOT NULL DEFAULT 'text' CHECK (part IN ('picture', 'text')),
    -- What it tells now: `waiting`, or what became of the video.
    ADD COLUMN says text NOT NULL DEFAULT 'waiting';
CREATE INDEX videos_held ON videos (room_id) WHERE visibility = 'held';
CREATE INDEX videos_sent ON videos (sender, room_id);
-- Who took it away: what a moderator deleted, its sender does not bring back.
ALTER TABLE videos ADD COLUMN deleted_by text;

-- Who was told that only moderators add videos, so that they are not told again and again.
CREATE TABLE refusals (
    room_id text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id text NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room_id, user_id)
);

-- Policy lists that are followed, and their rules that ban (`m.policy.rule.*`). `pattern` is the entity's, if it is a glob.
CREATE TABLE policy_lists (
    room_id  text PRIMARY KEY,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    read_at  timestamptz
);
CREATE TABLE policy_rules (
    room_id    text NOT NULL REFERENCES policy_lists ON DELETE CASCADE,
    event_type text NOT NULL,
    state_key  text NOT NULL,
    subject    text NOT NULL CHECK (subject IN ('user', 'server', 'room')),
    entity     text NOT NULL,
    pattern    text,
    reason     text NOT NULL DEFAULT '',
    PRIMARY KEY (room_id, event_type, state_key)
);
CREATE INDEX policy_rules_entity ON policy_rules (subject, entity);
CREATE INDEX policy_rules_pattern ON policy_rules (subject) WHERE pattern IS NOT NULL;
-- Whom no list bans: the admins of this installation.
CREATE TABLE policy_exempt (user_id text PRIMARY KEY);

CREATE FUNCTION is_policed(user_id text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM policy_rules) AND NOT EXISTS (SELECT FROM policy_exempt e WHERE e.user_id = $1) AND (
        EXISTS (
            SELECT FROM policy_rules r
            WHERE (r.subject, r.entity) IN (
                ('user', $1), ('server', split_part($1, ':', 2)), ('server', substring($1 FROM position(':' IN $1) + 1))
            )
        ) OR EXISTS (
            SELECT FROM policy_rules r WHERE r.subject = 'user' AND r.pattern IS NOT NULL AND $1 LIKE r.pattern
        ) OR EXISTS (
            SELECT FROM policy_rules r
            WHERE r.subject = 'server' AND r.pattern IS NOT NULL AND split_part($1, ':', 2) LIKE r.pattern
        )
    )
$$;

CREATE FUNCTION is_room_policed(room_id text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM policy_rules r
        WHERE r.subject = 'room' AND (r.entity = $1 OR r.pattern IS NOT NULL AND $1 LIKE r.pattern)
    )
$$;

-- The bot's own reactions and notices about a video, to be edited or taken back.
CREATE TABLE statuses (
    video_id uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    kind     text NOT NULL,
    -- Empty once it was taken back, which happened so many times.
    event_id text NOT NULL,
    times    integer NOT NULL DEFAULT 0,
    -- What a notice tells: a failure's code, or that it is mended.
    says     text NOT NULL DEFAULT '',
    PRIMARY KEY (video_id, kind)
);

-- What members take with them: a zip each, fetched with a secret of which we know the hash.
CREATE TABLE exports (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    expires_at  timestamptz NOT NULL
);

-- What admins do. `quarantined`: what a video was before ({visibility, held_for, hidden_by, with_sender}).
ALTER TABLE videos ADD COLUMN quarantined jsonb;
CREATE INDEX videos_quarantined ON videos (sender) WHERE quarantined IS NOT NULL;
-- It outlives what its people have here, as the audit log does: being forgotten is not the way out.
CREATE TABLE quarantined_users (
    user_id        text PRIMARY KEY,
    reason         text NOT NULL DEFAULT '',
    quarantined_by text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_actor ON audit (actor, key);
CREATE TABLE choices (
    name  text PRIMARY KEY,
    value jsonb NOT NULL
);
-- What is wrong now, since when.
CREATE TABLE alarms (
    subject text PRIMARY KEY,
    since   timestamptz NOT NULL DEFAULT now()
);
-- What admins are to be told of; several of one subject become one notice.
CREATE TABLE troubles (
    key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    details jsonb NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    told_at timestamptz
);

-- Who was told that little is left of a quota (user, room or server), until there is more again.
CREATE TABLE quota_warnings (
    scope text NOT NULL,
    whose text NOT NULL,
    PRIMARY KEY (scope, whose)
);

ALTER TABLE rooms ADD COLUMN retention_told_at timestamptz NOT NULL DEFAULT '-infinity';

-- Whether the detection service said what it thinks of the file (or nobody is asked any more).
ALTER TABLE videos ADD COLUMN judged boolean NOT NULL DEFAULT false;
CREATE INDEX videos_unjudged ON videos (id) WHERE held_for = 'verdict';
