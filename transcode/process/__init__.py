"""The only processes: ffmpeg and ffprobe, sandboxed, limited, diagnosed."""
