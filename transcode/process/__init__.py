"""The only processes: ffmpeg and ffprobe, sandboxed, bounded, diagnosed."""
