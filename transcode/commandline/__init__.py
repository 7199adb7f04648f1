"""The command lines of ffmpeg and ffprobe. Pure."""
