-- Since when what is known of a room's state holds, so that a delayed answer of the homeserver overwrites nothing newer.

ALTER TABLE rooms
    -- When we learned the bot's own membership.
    ADD COLUMN bot_told_at          timestamptz NOT NULL DEFAULT '-infinity',
    -- Since when it is in the room: what was known of the members before is not to be believed.
    ADD COLUMN bot_joined_at        timestamptz NOT NULL DEFAULT '-infinity',
    -- When rows of members were last deleted: an answer that was requested before cannot be compared with them any more.
    ADD COLUMN members_forgotten_at timestamptz NOT NULL DEFAULT '-infinity';

ALTER TABLE policy_lists
    -- When an event last changed a rule.
    ADD COLUMN told_at  timestamptz NOT NULL DEFAULT '-infinity',
    -- When the homeserver was asked for the rules that were taken over last.
    ADD COLUMN asked_at timestamptz NOT NULL DEFAULT '-infinity';
