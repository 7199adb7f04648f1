"""Lists of videos as HLS playlists: a member's reel, the room's channel. Pure, and kept in memory for a while.

A reel's path names its revision, a hash of exactly what it plays. So playlists of one revision never
change, all its qualities tell the same timeline, and a widget sees by the address whether a reel is new.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from appservice.model import UserId, Video
from transcode.playlist import Item, master_playlist, media_playlist, tiers

CHANNEL_KEY = "all"
# Wrapping at the end costs a few milliseconds (measured); a short list is written several times to make it rare.
_LEAST_SECONDS = 60.0
_MOST_REPEATS = 20


@dataclass(frozen=True, slots=True)
class Reel:
    """The playlists of one revision of a list, by file name: `index.m3u8` and one `{tier}.m3u8` each."""

    revision: str
    playlists: dict[str, str]


def members_reel(videos: Sequence[Video], sender: UserId) -> list[Video]:
    """Return what plays in a member's reel, in order."""
    return [video for video in videos if video.sender == sender and video.is_playable]


def channel(videos: Sequence[Video]) -> list[Video]:
    """Return what plays in the room's channel: everybody's videos in the order they were sent."""
    return sorted((video for video in videos if video.is_playable), key=lambda video: (video.created_at, video.id))


def revision_of(videos: Sequence[Video]) -> str:
    """Return the name of the revision that plays these videos in their present stages."""
    content = "|".join(f"{video.id}/{video.stage}" for video in videos)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def build_reel(videos: Sequence[Video]) -> Reel:
    """Write the playlists of a list of playable videos; raises ValueError for an empty one.

    Segment addresses are relative to `…/{scope}/reel/{key}/{revision}/`.
    """
    items = [Item(f"../../../v/{video.id}/{video.stage}/", video.renditions) for video in videos]
    length = math.fsum(video.duration or 0.0 for video in videos)
    repeat = max(1, min(_MOST_REPEATS, math.ceil(_LEAST_SECONDS / max(length, 0.1))))
    qualities = tiers(items)
    playlists = {f"{tier.name}.m3u8": media_playlist(tier.parts, repeat) for tier in qualities}
    playlists["index.m3u8"] = master_playlist([(f"{tier.name}.m3u8", tier) for tier in qualities])
    return Reel(revision_of(videos), playlists)


def video_playlists(video: Video) -> dict[str, str]:
    """Write the playlists of one playable video, relative to its stage's folder."""
    playlists = {f"{r.name}.m3u8": media_playlist([("", r)]) for r in video.renditions}
    playlists["index.m3u8"] = master_playlist([(f"{r.name}.m3u8", r) for r in video.renditions])
    return playlists


class ReelCache:
    """The reels asked for lately; old revisions stay a while for those who still play them."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._reels: OrderedDict[tuple[int, str, str], Reel] = OrderedDict()

    def get(self, room_key: int, reel_key: str, revision: str) -> Reel | None:
        """Return a reel that was put in, if it is still there."""
        reel = self._reels.get((room_key, reel_key, revision))
        if reel:
            self._reels.move_to_end((room_key, reel_key, revision))
        return reel

    def put(self, room_key: int, reel_key: str, reel: Reel) -> None:
        """Keep a reel, and forget the one that was asked for longest ago."""
        self._reels[room_key, reel_key, reel.revision] = reel
        if len(self._reels) > self._size:
            self._reels.popitem(last=False)
