-- Where each member was in a room's videos, and how they watched: the widget has no memory of its own in a client's page.

CREATE TABLE places (
    room_id text NOT NULL,
    user_id text NOT NULL,
    place   jsonb NOT NULL,
    PRIMARY KEY (room_id, user_id),
    FOREIGN KEY (room_id, user_id) REFERENCES members ON DELETE CASCADE
);

-- Whoever leaves is forgotten. Memberships change in several ways, and the release before this one changes them, too.
CREATE FUNCTION forget_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM places WHERE room_id = NEW.room_id AND user_id = NEW.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_place AFTER UPDATE OF membership ON members
    FOR EACH ROW WHEN (NEW.membership <> 'join') EXECUTE FUNCTION forget_place();
