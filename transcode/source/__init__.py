"""What a source file is and holds, from its bytes and from ffprobe's output. Pure."""
