"""Build videos, members and rooms of the model, with defaults."""

import uuid
from dataclasses import fields, replace
from typing import Any

from appservice.core.model import (
    Arrival,
    EventId,
    Media,
    RoomId,
    SentFile,
    State,
    UserId,
    Video,
    VideoId,
    Visibility,
    Withheld,
    Work,
)
from appservice.core.room import Member, Membership, Room
from appservice.core.settings import RoomSettings
from transcode.hls.playlist import Rendition

ROOM = RoomId("!room:example.org")
ALICE = UserId("@alice:example.org")
BOB = UserId("@bob:example.org")


def rendition(name: str = "480", *, seconds: float = 5.0, width: int = 854, height: int = 480) -> Rendition:
    """Make a rendition of segments of at most two seconds."""
    whole, rest = divmod(seconds, 2)
    durations = (2.0,) * int(whole) + ((rest,) if rest else ())
    return Rendition(
        name=name, width=width, height=height, frame_rate=25.0, codecs="avc1.64001f,mp4a.40.2",
        bandwidth=height * 2000, average_bandwidth=height * 1500, durations=durations,
    )  # fmt: skip


def make_video(number: int = 1, **changes: Any) -> Video:  # noqa: ANN401 - each field has its own type
    """Make a ready video of five seconds; `number` names it and is when it was sent.

    `changes` are fields of the video, or of a part of it that no other has a field of this name in.
    """
    parts: dict[str, Any] = {
        "file": SentFile("mxc://example.org/a", None, certain=True, claimed_size=None),
        "media": Media(
            stage="1-ready", duration=5.0, width=854, height=480, renditions=(rendition(),), has_poster=True
        ),
        "work": Work(attempts=1),
        "withheld": Withheld(),
        "arrival": Arrival(since=number),
    }
    for name, part in parts.items():
        own = {field.name for field in fields(part)} & set(changes)
        parts[name] = replace(part, **{field: changes.pop(field) for field in own})
    video = Video(
        id=VideoId(str(uuid.UUID(int=number))), event_id=EventId(f"$event{number}"), room_id=ROOM, sent_in=ROOM,
        sender=ALICE, title=f"Video {number}", created_at=number, state=State.READY, visibility=Visibility.SHOWN,
        version=1, **parts,
    )  # fmt: skip
    return replace(video, **changes)


def make_member(key: int, user_id: UserId, name: str | None = None, avatar: str | None = None) -> Member:
    """Make a joined member."""
    return Member(key, user_id, name, avatar)


def make_room(**changes: Any) -> Room:  # noqa: ANN401 - each field has its own type
    """Make a room that the bot is in."""
    fields: dict[str, Any] = {
        "room_id": ROOM, "key": 3, "name": "The den", "bot_membership": Membership.JOIN, "inviter": ALICE,
        "power_levels": {}, "creators": frozenset(), "encrypted": False, "widget_placed": True, "notified": frozenset(),
        "replaced_by": None, "direct": False, "settings": RoomSettings(), "max_lifetime": None,
    }  # fmt: skip
    return Room(**{**fields, **changes})
