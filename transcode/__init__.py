"""Video file in, HLS out; knows nothing of Matrix, of a database or of HTTP."""

from transcode.errors import TranscodeError
from transcode.limits import Limits
from transcode.playlist import Item, Rendition, Tier, master_playlist, media_playlist, tiers
from transcode.run import PLAYABLE, READY, Result, transcode
from transcode.settings import Settings
from transcode.tools import Tools, find_tools

__all__ = [
    "PLAYABLE",
    "READY",
    "Item",
    "Limits",
    "Rendition",
    "Result",
    "Settings",
    "Tier",
    "Tools",
    "TranscodeError",
    "find_tools",
    "master_playlist",
    "media_playlist",
    "tiers",
    "transcode",
]
