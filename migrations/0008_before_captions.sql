-- Subtitles that a file brings along: [{name, language, label}], each a WebVTT file of the stage.

ALTER TABLE videos ADD COLUMN captions jsonb NOT NULL DEFAULT '[]';
