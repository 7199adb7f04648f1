"""A room as lists are made of it: who is there, and their videos in order, by revision. Pure.

Of the videos only what lists need is here (`listed`): a room may have ten thousand. A new state shares with the one
before whatever did not change, so that what was made of that need not be made again.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from appservice.core.model import History, State, UserId, Video, VideoId
from appservice.core.room import Member, Room
from appservice.core.rules.video_permissions import Viewer
from transcode.hls.playlist import Rendition

NOBODY = UserId("")
KEPT = 64
"""Changes of the latest so many revisions are kept."""
_RANDOM_BITS = 20
Sent: TypeAlias = tuple[Video, ...]
"""A member's videos in reel order."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction changed: of a video, of a member, or of the room itself, by the columns' names.

    `user_id` is the member, or the video's sender. `was_shown`: every member knew of the video (or member) before,
    `was_known`: moderators did; `was_strict`: it was not for those who came later. Of one that came, or much of which
    changed, `fields` has `all`.
    """

    revision: int
    video_id: VideoId | None
    user_id: UserId | None
    fields: frozenset[str]
    was_shown: bool = False
    was_known: bool = False
    was_strict: bool = False

    @property
    def is_everything(self) -> bool:
        """Say whether it stands for more changes than are logged."""
        return self.video_id is None and self.user_id is None and "all" in self.fields


def ordinal(revision: int) -> int:
    """Return how many revisions a room has had until this one; its other bits are random."""
    return revision >> _RANDOM_BITS


def since(revision: int, changes: Sequence[Change]) -> list[Change] | None:
    """Return those of a room's latest changes, in order, that came after a revision; None where it is none of theirs.

    It may be too old. Or it was lost when the database was restored, and others have come in its place.
    """
    from_first = revision == 0 and bool(changes) and ordinal(changes[0].revision) == 1
    if not from_first and all(change.revision != revision for change in changes):
        return None
    return [change for change in changes if change.revision > revision]


@dataclass(frozen=True, slots=True)
class Rights:
    """What viewers of a room have in common who see the same: `withheld` videos are those of before their time."""

    moderates: bool
    withheld: frozenset[VideoId] = frozenset()

    def without(self, more: Collection[VideoId]) -> "Rights":
        """Return these rights without those to some more videos."""
        return replace(self, withheld=self.withheld | frozenset(more)) if more else self

    def among(self, strict: frozenset[VideoId]) -> "Rights":
        """Return these rights in a room where only some videos are not for every member: so equal ones are the same."""
        return self if self.withheld <= strict else replace(self, withheld=self.withheld & strict)

    @property
    def tag(self) -> str:
        """A short name, the same in every process."""
        return _tag(self)

    def viewer(self, room: Room, user_id: UserId = NOBODY) -> Viewer:
        """Return somebody with these rights; by default one who sent nothing."""
        return Viewer(user_id, self.moderates, in_encrypted=room.encrypted)


@lru_cache(maxsize=64)
def _tag(rights: Rights) -> str:
    role = "m" if rights.moderates else "v"
    ids = "|".join(sorted(rights.withheld))
    return role + (hashlib.sha256(ids.encode()).hexdigest()[:16] if ids else "")


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room at a revision; `members` with the bot, `sent` has every sender's videos that were not removed.

    `program` is the revision of the last change of what the channel plays.
    """

    room: Room
    revision: int
    members: Mapping[UserId, Member]
    reports: Mapping[VideoId, int] = field(default_factory=dict)
    sent: Mapping[UserId, Sent] = field(default_factory=dict)
    videos: Mapping[VideoId, Video] = field(default_factory=dict)
    strict: frozenset[VideoId] = frozenset()
    """Those that not every member may see, whenever they came."""
    program: int = 0

    def with_all(self, videos: Iterable[Video]) -> "RoomState":
        """Return the room with these videos, which are in reel order."""
        sent: dict[UserId, list[Video]] = {}
        for video in videos:
            sent.setdefault(video.sender, []).append(video)
        everything = [video for each in sent.values() for video in each]
        return replace(
            self,
            sent={sender: tuple(each) for sender, each in sent.items()},
            videos={video.id: video for video in everything},
            strict=frozenset(video.id for video in everything if video.arrival.history is not History.SHARED),
            program=self.revision,
        )

    def advanced(self, after: "RoomState", ids: Collection[VideoId], now: Mapping[VideoId, Video]) -> "RoomState":
        """Return the state `after` this one, in which the videos `ids` are as they are `now`, or gone."""
        before = {each: self.videos.get(each) for each in ids}
        affected = {video.sender for video in (*before.values(), *now.values()) if video}
        sent, videos, changed = dict(self.sent), dict(self.videos), set(ids)
        for sender in affected:
            kept = [video for video in sent.pop(sender, ()) if video.id not in changed]
            if reel := sorted((*kept, *(v for v in now.values() if v.sender == sender)), key=reel_key):
                sent[sender] = tuple(reel)
        for each in ids:
            videos.pop(each, None)
        videos |= {video.id: video for video in now.values()}
        strict = (self.strict - changed) | {v.id for v in now.values() if v.arrival.history is not History.SHARED}
        plays_on = _audience(self) == _audience(after) and all(
            _playing(before[each]) == _playing(now.get(each)) for each in ids
        )
        program = self.program if plays_on else after.revision
        return replace(after, sent=sent, videos=videos, strict=strict, program=program)


def _audience(state: RoomState) -> tuple[frozenset[UserId], int]:
    members = state.members
    return frozenset(members), max((member.joined_at for member in members.values()), default=0)


def _playing(video: Video | None) -> tuple[object, ...] | None:
    """Return what of a video decides how the channel plays it."""
    if video is None or not video.plays_by_itself:
        return None
    media, arrival = video.media, video.arrival
    # Of one that is ready that never changes.
    length = None if video.state is State.READY else media.renditions[0].duration
    return media.stage, length, video.is_in_progress, *channel_key(video), video.sent_in, arrival.history, arrival.since


def reel_key(video: Video) -> tuple[float, int, str]:
    """Return by what a member's reel is sorted."""
    return video.position, video.created_at, video.id


def channel_key(video: Video) -> tuple[int, int, str]:
    """Return by what everybody's videos are sorted in the channel."""
    return video.created_at, video.item, video.id


SOME_RENDITIONS = (Rendition("", 0, 0, 0.0, "", 0, 0, ()),)
"""What stands for the renditions of a listed video: that there are some."""


def brief(renditions: Sequence[Rendition]) -> tuple[Rendition, ...]:
    """Return what stands for some renditions: that there are some, and how long they play."""
    return (replace(SOME_RENDITIONS[0], durations=(renditions[0].duration,)),) if renditions else ()


def listed(video: Video) -> Video:
    """Return what lists need of a video."""
    media = video.media
    return replace(
        video,
        title="",
        media=replace(
            media,
            renditions=brief(media.renditions),
            blurhash=None, storyboard=None, captions=(), width=None, height=None,
        ),
    )  # fmt: skip
