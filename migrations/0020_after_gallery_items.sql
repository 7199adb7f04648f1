-- A message may bring several videos. The last release needs this to insert one; until it is gone, of a gallery only the
-- first video is taken.

ALTER TABLE videos DROP CONSTRAINT videos_event_id_key;
