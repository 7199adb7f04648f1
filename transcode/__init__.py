"""Video file in, HLS out; knows nothing of Matrix, of a database or of HTTP."""

from transcode.convert.image import film_of_image
from transcode.convert.voice import film_of_voice
from transcode.errors import NO_SPACE, SCARCE, TranscodeError
from transcode.fingerprint import fingerprint, is_copy
from transcode.hls.playlist import Item, Rendition, Tier, master_playlist, media_playlist, tiers
from transcode.limits import Limits
from transcode.process.tools import Tools, find_tools
from transcode.recognise import Content, recognise
from transcode.recording import Prepared, Thumbnail, look_at, prepare_recording
from transcode.session import PLAYABLE, READY, Result, transcode
from transcode.settings import Settings

__all__ = [
    "NO_SPACE",
    "PLAYABLE",
    "READY",
    "SCARCE",
    "Content",
    "Item",
    "Limits",
    "Prepared",
    "Rendition",
    "Result",
    "Settings",
    "Thumbnail",
    "Tier",
    "Tools",
    "TranscodeError",
    "film_of_image",
    "film_of_voice",
    "find_tools",
    "fingerprint",
    "is_copy",
    "look_at",
    "master_playlist",
    "media_playlist",
    "prepare_recording",
    "recognise",
    "tiers",
    "transcode",
]
