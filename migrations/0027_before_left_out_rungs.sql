-- What became of the rungs below a stream copy: NULL: they are made, or there are none to make. Those that are wanted have a
-- job, as whatever follows from a video being ready (`finishing`).
ALTER TABLE videos ADD COLUMN lower_rungs text CONSTRAINT lower_rungs_known CHECK (lower_rungs IN ('left_out', 'wanted'));

CREATE INDEX videos_left_out ON videos (changed_at) WHERE lower_rungs = 'left_out';
