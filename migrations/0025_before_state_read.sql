-- When a room's state was read from the homeserver, last: before it was, since the bot came, whether it is encrypted is not
-- known. Of rooms that are there it is known already: what was sent there before they turned on encryption stays.
ALTER TABLE rooms ADD COLUMN state_read_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE rooms ALTER COLUMN state_read_at SET DEFAULT '-infinity';
