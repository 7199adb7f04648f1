-- What of a video's audio could not be taken, and why; NULL: all of it is heard, or there is none.
ALTER TABLE videos ADD COLUMN audio_left_out text;
