-- For whom the bot made a room of two: secrets are told there alone. NULL: somebody else made it.
ALTER TABLE rooms ADD COLUMN made_for text;
CREATE INDEX rooms_made_for ON rooms (made_for) WHERE made_for IS NOT NULL;

-- Whether a room is a conversation with the bot alone: its invitation said so, and nobody but one person is there.
CREATE FUNCTION is_direct(room_id text, said_so boolean) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT $2 AND (
        SELECT count(*) FROM members m WHERE m.room_id = $1 AND m.membership IN ('join', 'invite')
    ) <= 1
$$;
