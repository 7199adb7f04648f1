-- Lower rungs that are wanted while nothing else is to be done, and those that cannot be made: neither is NULL, by which
-- all are there. No release before reads the column.
ALTER TABLE videos DROP CONSTRAINT lower_rungs_known,
    ADD CONSTRAINT lower_rungs_known CHECK (lower_rungs IN ('left_out', 'spare', 'wanted', 'given_up'));

CREATE INDEX videos_wanted_rungs ON videos (id) WHERE lower_rungs IN ('wanted', 'spare');
