-- What was made of videos is stored packed from now on: the last release, which is gone, could not read it.

-- Whoever is writing what was made of a video has called may_pack() before.
LOCK TABLE videos IN SHARE ROW EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION may_pack() RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';

-- What is still to be packed: a worker does, some at a time, for to do it here would hold up everybody.
INSERT INTO unpacked_videos SELECT id FROM videos WHERE jsonb_typeof(renditions) = 'array' AND renditions <> '[]';

-- The same file is found by its hash now, and was found in this and in the next by the last release.
DROP INDEX videos_source_hash;
DROP INDEX videos_content;
