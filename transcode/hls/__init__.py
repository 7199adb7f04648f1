"""What players fetch: playlists, captions, a progressive download. Pure."""
