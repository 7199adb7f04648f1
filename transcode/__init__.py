"""Video file in, HLS out; knows nothing of Matrix, of a database or of HTTP."""

from transcode.convert.audio import video_of_audio
from transcode.convert.image import video_of_image
from transcode.errors import NO_SPACE, SCARCE, TranscodeError
from transcode.fingerprint import fingerprint, is_copy
from transcode.hls.playlist import Item, Rendition, Tier, master_playlist, media_playlist, tiers
from transcode.limits import Limits
from transcode.process.tools import Tools, find_tools
from transcode.recognise import Content, recognise
from transcode.recording import Cut, Prepared, Thumbnail, prepare_recording, verify_video
from transcode.session import PLAYABLE, READY, Result, Transcoding
from transcode.settings import Settings

__all__ = [
    "NO_SPACE",
    "PLAYABLE",
    "READY",
    "SCARCE",
    "Content",
    "Cut",
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
    "Transcoding",
    "find_tools",
    "fingerprint",
    "is_copy",
    "master_playlist",
    "media_playlist",
    "prepare_recording",
    "recognise",
    "tiers",
    "verify_video",
    "video_of_audio",
    "video_of_image",
]
