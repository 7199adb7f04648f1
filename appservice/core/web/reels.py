"""Lists of videos as HLS playlists: a member's reel, the room's channel. Pure, and cached in memory.

Spoilers are in none of them: whoever wants to see one fetches its own playlist.

A reel's path names its revision, a hash of exactly what it plays. So playlists of one revision never
change, all its variants have the same timeline, and a widget sees by the address whether a reel is new.
Only the last video of a reel may still be in progress: its playlists then get more segments, and at last their end.
"""

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from appservice.core.errors import NotFoundError
from appservice.core.model import History, State, UserId, Video
from appservice.core.room import Member
from appservice.core.web.bytes_cache import BytesCache
from transcode.hls.playlist import Item, master_playlist, media_playlist, tiers

CHANNEL_KEY = "all"
EVERYBODY_KEY = "turns"
MOST_TOGETHER = 50
"""As many members take turns in a reel at most, unless all do: their keys are in its address."""
# Wrapping at the end costs a few milliseconds (measured); a short list is written several times to make it rare.
_LEAST_SECONDS = 60.0
_MOST_REPEATS = 20


@dataclass(frozen=True, slots=True)
class Reel:
    """The playlists of one revision of a list, by file name: `index.m3u8` and one `{tier}.m3u8` each.

    `videos` is stored for a live one, None for one that never changes any more.
    """

    revision: str
    playlists: dict[str, str]
    videos: tuple[Video, ...] | None = None


def members_reel(videos: Sequence[Video], sender: UserId) -> list[Video]:
    """Return what plays in a member's reel, in order."""
    return _whole_first([video for video in videos if video.sender == sender and video.plays_by_itself])


def channel(videos: Sequence[Video]) -> list[Video]:
    """Return what plays in the room's channel: everybody's videos in the order they were sent."""
    return _whole_first(
        sorted(
            (video for video in videos if video.plays_by_itself),
            key=lambda video: (video.created_at, video.item, video.id),
        )
    )


def for_all(videos: Sequence[Video], members: Sequence[Member]) -> list[Video]:
    """Return the videos of those who are there that each of them may see: what the room's channel may play.

    What newcomers may not see is left out once somebody came after it.
    """
    present = {member.user_id for member in members}
    newest = max((member.joined_at for member in members), default=0)
    here = [video for video in videos if video.sender in present]
    return [
        video
        for video in here
        if video.arrival.history is History.SHARED or (video.sent_in == video.room_id and video.arrival.since >= newest)
    ]


def by_sender(videos: Sequence[Video]) -> dict[UserId, list[Video]]:
    """Return each sender's videos, in the same order: looked for once, also where many members are."""
    sent: dict[UserId, list[Video]] = {}
    for video in videos:
        sent.setdefault(video.sender, []).append(video)
    return sent


def together(videos: Sequence[Video], senders: Sequence[UserId]) -> list[Video]:
    """Return what plays of several members, who take turns in the given order while they have videos left."""
    sent = by_sender(videos)
    reels = [members_reel(sent.get(sender, []), sender) for sender in senders]
    rounds = zip_longest(*reels)
    return _whole_first([video for each in rounds for video in each if video is not None])


def taking_turns(members: Sequence[Member], keys: Collection[int] | None = None) -> list[Member]:
    """Return the members of a reel of several (None: of everybody's) in the order of their turns."""
    return sorted((m for m in members if keys is None or m.key in keys), key=lambda m: m.key)


def key_of_turns(members: Sequence[Member]) -> str:
    """Return how the address of a reel names the members that take turns in it."""
    return "+".join(str(member.key) for member in members)


def keys_of_turns(reel_key: str) -> tuple[int, ...]:
    """Return whose turns a reel's address names. Raises NotFoundError where it is not as `key_of_turns` writes it.

    So one reel has one address, and nobody makes up others for it.
    """
    keys = tuple(map(int, reel_key.split("+")))
    if "+".join(map(str, sorted(set(keys)))) != reel_key:
        raise NotFoundError("There is no such reel.")
    return keys


def _whole_first(videos: Sequence[Video]) -> list[Video]:
    """Put the first video in progress behind those that are whole; the others in progress wait for their turn."""
    in_progress = [video for video in videos if video.is_in_progress]
    return [video for video in videos if not video.is_in_progress] + in_progress[:1]


def revision_of(videos: Sequence[Video]) -> str:
    """Return the name of the revision that plays these videos in their present stages."""
    content = "|".join(f"{video.id}/{video.media.stage}" for video in videos)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def build_reel(videos: Sequence[Video], root: str = "../../../") -> Reel:
    """Write the playlists of playable videos; raises ValueError without any, or when not the last is in progress.

    `root` leads from the playlists to what `v/` lies in; by default from `…/{scope}/reel/{key}/{revision}/`.
    """
    if not videos or any(video.is_in_progress for video in videos[:-1]):
        raise ValueError("a reel needs a video, and only the last one may be in progress")
    folders = [f"{root}v/{video.id}/{video.media.stage}/" for video in videos]
    items = [Item(folder, video.media.renditions) for folder, video in zip(folders, videos, strict=True)]
    encrypted = {folder for folder, video in zip(folders, videos, strict=True) if video.media.encrypted}
    length = math.fsum(video.media.duration or 0.0 for video in videos)
    in_progress = videos[-1].is_in_progress
    repeat = 1 if in_progress else max(1, min(_MOST_REPEATS, math.ceil(_LEAST_SECONDS / max(length, 0.1))))
    available = _available(videos[-1])
    variants = tiers(items)
    playlists = {f"{tier.name}.m3u8": media_playlist(tier.parts, repeat, available, encrypted) for tier in variants}
    playlists["index.m3u8"] = master_playlist([(f"{tier.name}.m3u8", tier) for tier in variants])
    return Reel(revision_of(videos), playlists, tuple(videos) if in_progress else None)


def refreshed(videos: Sequence[Video], last: Video | None) -> Reel | None:
    """Write a live reel anew, by what has become of its last video; None when that cannot be played on.

    Once the video is ready, its first stage was whole before and is still there for a while.
    """
    *before, then = videos
    if last is None or not last.is_playable:
        return None
    if last.media.stage == then.media.stage:
        return build_reel([*before, last])
    return (
        build_reel([*before, replace(then, media=replace(then.media, available=None))])
        if last.state is State.READY
        else None
    )


def video_playlists(video: Video) -> dict[str, str]:
    """Write the playlists of one playable video, relative to its stage's folder."""
    available, encrypted = _available(video), [""] if video.media.encrypted else []
    playlists = {
        f"{r.name}.m3u8": media_playlist([("", r)], available=available, encrypted=encrypted)
        for r in video.media.renditions
    }
    playlists["index.m3u8"] = master_playlist([(f"{r.name}.m3u8", r) for r in video.media.renditions])
    return playlists


def _available(video: Video) -> int | None:
    """Say how many segments there are of a video whose playlist is live, or was: that of a ready one never changes."""
    if video.state is State.READY:
        return None
    return video.media.available or len(video.media.renditions[0].durations)


_CACHE_BYTES = 128 * 1024 * 1024
_ROOM_BYTES = 32 * 1024 * 1024
# As much as one of a live reel's videos takes, about.
_VIDEO_BYTES = 4096


class ReelCache:
    """The reels requested lately, in bounded memory and each room within its share.

    Old revisions stay a while for those who still play them.
    """

    def __init__(self, total: int = _CACHE_BYTES, per_room: int = _ROOM_BYTES) -> None:
        self._reels: BytesCache[tuple[str, str], Reel] = BytesCache(total, per_room)

    def get(self, room_key: int, reel_key: str, revision: str) -> Reel | None:
        """Return a reel that was put in, if it is still there."""
        return self._reels.get(room_key, (reel_key, revision))

    def put(self, room_key: int, reel_key: str, reel: Reel) -> None:
        """Cache a reel."""
        self._reels.put(room_key, (reel_key, reel.revision), reel, size_of(reel))


def size_of(reel: Reel) -> int:
    """Return about how many bytes a reel takes."""
    return sum(map(len, reel.playlists.values())) + _VIDEO_BYTES * len(reel.videos or ())
