-- The number of attempts that do not count: what was worked on when their worker died was another video.

ALTER TABLE videos ADD COLUMN attempts_spared integer NOT NULL DEFAULT 0;
