"""The paths of media as patterns, and what is said with each kind of file."""

from appservice.core.web.reels import CHANNEL_KEY, EVERYBODY_KEY, MOST_TOGETHER

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""An id of ours."""
GRANT = r"[0-9]{1,12}\.[A-Za-z0-9_-]{10,64}"
SCOPE = r"[0-9]{1,18}\.[0-9]{1,18}(?:\.[0-9]{1,18})?"
VIEWER = rf"/media/{{grant:{GRANT}}}/{{scope:{SCOPE}}}"
"""What a viewer's routes begin with."""
# The room's channel, everybody in turn, or the keys of those who take turns.
REEL = rf"{CHANNEL_KEY}|{EVERYBODY_KEY}|[0-9]{{1,18}}(?:\+[0-9]{{1,18}}){{0,{MOST_TOGETHER - 1}}}"
REVISION = "[0-9a-f]{16}"
STAGE = "[a-z0-9-]{1,40}"
FILE = "[a-z0-9./]{1,60}"
PLAYLIST = r"(?:index|[0-9]{1,5})\.m3u8"

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
TYPES = {".m4s": "video/iso.segment", ".mp4": "video/mp4", ".jpg": "image/jpeg", ".vtt": "text/vtt; charset=utf-8"}
# What a grant opens stays the same as long as its address works; shared caches must not store it.
IMMUTABLE = {"Cache-Control": "private, max-age=3600, immutable"}
# Seconds for which nginx holds what it was told, beyond ours: together, less than the ten in which a viewer is out.
ACCESS = {"X-Accel-Expires": "3"}
