"""What players fetch: playlists, captions, a rendition as one file. Pure."""
