"""Command lines of ffprobe and ffmpeg, built with ffmpeg-python, which runs nothing here. Pure."""
