-- When a room's state was read from the homeserver, last: before it was, since the bot came, whether it is encrypted is not known.
ALTER TABLE rooms ADD COLUMN state_read_at timestamptz NOT NULL DEFAULT '-infinity';
