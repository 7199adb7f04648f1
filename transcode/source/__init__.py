"""What the source file is, from its bytes and from what ffprobe says. Pure."""
