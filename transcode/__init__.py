"""Video file in, HLS out; knows nothing of Matrix, of a database or of HTTP."""

from transcode.errors import TranscodeError
from transcode.playlist import Item, Rendition, Tier, master_playlist, media_playlist, tiers

__all__ = [
    "Item",
    "Rendition",
    "Tier",
    "TranscodeError",
    "master_playlist",
    "media_playlist",
    "tiers",
]
