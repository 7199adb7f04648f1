-- Lower rungs that are wanted while nothing else is to be done, and those that cannot be made: neither is NULL, by which
-- all are there. No release before reads the column.
CREATE INDEX videos_wanted_rungs ON videos (id) WHERE lower_rungs IN ('wanted', 'spare');

-- Last: from here on, nobody reads videos until the migration is done. So rows are not read for the constraint: all that
-- there are have values of the one before. `rungs_after`: until then, what was given up, or put off, is left alone.
ALTER TABLE videos ADD COLUMN rungs_after timestamptz, DROP CONSTRAINT lower_rungs_known,
    ADD CONSTRAINT lower_rungs_known CHECK (lower_rungs IN ('left_out', 'spare', 'wanted', 'given_up')) NOT VALID;
