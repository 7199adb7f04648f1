-- Since when a video's event is there before its file: the homeserver says that it is not uploaded yet (MSC2246).

ALTER TABLE videos ADD COLUMN awaited_since timestamptz;
