-- Videos that members record or pick in the widget: what arrives by tus, and what is made of it before it is sent.

CREATE TABLE uploads (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    room_id    text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    owner      text NOT NULL,
    filename   text NOT NULL,
    -- The header Upload-Metadata as it was sent; tus wants it back.
    metadata   text NOT NULL,
    -- Bytes; NULL while the client does not know. How many there are is the size of the file.
    length     bigint CHECK (length >= 0),
    state      text NOT NULL DEFAULT 'uploading' CHECK (state IN ('uploading', 'preparing', 'ready', 'failed')),
    -- What is kept of it, in seconds; NULL: its own beginning or end.
    trim_start double precision,
    trim_end   double precision,
    convert    boolean NOT NULL DEFAULT false,
    attempts   integer NOT NULL DEFAULT 0,
    percent    smallint CHECK (percent BETWEEN 0 AND 100),
    failure    text,
    -- Of the m.room.message that the member sends.
    content    jsonb,
    touched_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '24 hours'
);
CREATE INDEX uploads_owner ON uploads (owner) WHERE state IN ('uploading', 'preparing');
