"""A room as lists are made of it: who is there, and their videos in order, by revision. Pure.

Of the videos only what lists need is here (`listed`): a room may have ten thousand. A new state shares with the one
before whatever did not change, so that what was made of that need not be made again.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from appservice.core.model import History, State, UserId, Video, VideoId
from appservice.core.room import Member, Room
from appservice.core.rules.video_permissions import Viewer
from transcode.hls.playlist import Rendition

NOBODY = UserId("")
Sent: TypeAlias = tuple[Video, ...]
"""A member's videos in reel order."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction changed: of a video, of a member, or of the room itself, by the columns' names.

    `user_id` is the member, or the video's sender. `was_shown`: every member knew of the video (or member) before,
    `was_known`: moderators did. Of one that came, or much of which changed, `fields` has `all`.
    """

    revision: int
    video_id: VideoId | None
    user_id: UserId | None
    fields: frozenset[str]
    was_shown: bool = False
    was_known: bool = False

    @property
    def is_everything(self) -> bool:
        """Say whether it stands for more changes than are logged."""
        return self.video_id is None and self.user_id is None and "all" in self.fields


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
        role = "m" if self.moderates else "v"
        ids = "|".join(sorted(self.withheld))
        return role + (hashlib.sha256(ids.encode()).hexdigest()[:16] if ids else "")

    def viewer(self, room: Room, user_id: UserId = NOBODY) -> Viewer:
        """Return somebody with these rights; by default one who sent nothing."""
        return Viewer(user_id, self.moderates, in_encrypted=room.encrypted)


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
    senders: Mapping[VideoId, UserId] = field(default_factory=dict)
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
            senders={video.id: video.sender for video in everything},
            strict=frozenset(video.id for video in everything if video.arrival.history is not History.SHARED),
            program=self.revision,
        )

    def video(self, video_id: VideoId) -> Video | None:
        """Return a video of the room."""
        sender = self.senders.get(video_id)
        return next((v for v in self.sent.get(sender, ()) if v.id == video_id), None) if sender else None

    def advanced(self, after: "RoomState", ids: Collection[VideoId], now: Mapping[VideoId, Video]) -> "RoomState":
        """Return the state `after` this one, in which the videos `ids` are as they are `now`, or gone."""
        before = {each: self.video(each) for each in ids}
        affected = {video.sender for video in (*before.values(), *now.values()) if video}
        sent, senders, changed = dict(self.sent), dict(self.senders), set(ids)
        for sender in affected:
            kept = [video for video in sent.pop(sender, ()) if video.id not in changed]
            videos = sorted((*kept, *(v for v in now.values() if v.sender == sender)), key=reel_key)
            if videos:
                sent[sender] = tuple(videos)
        for each in ids:
            senders.pop(each, None)
        senders.update({video.id: video.sender for video in now.values()})
        strict = (self.strict - changed) | {v.id for v in now.values() if v.arrival.history is not History.SHARED}
        plays_on = _audience(self) == _audience(after) and all(
            _playing(before[each]) == _playing(now.get(each)) for each in ids
        )
        program = self.program if plays_on else after.revision
        return replace(after, sent=sent, senders=senders, strict=strict, program=program)


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


def listed(video: Video) -> Video:
    """Return what lists need of a video."""
    media = video.media
    return replace(
        video,
        title="",
        media=replace(
            media,
            # How long it plays, too.
            renditions=media.renditions[:1],
            blurhash=None, storyboard=None, captions=(), width=None, height=None,
        ),
    )  # fmt: skip
