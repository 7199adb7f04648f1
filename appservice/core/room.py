"""A room, its members, and its state as the homeserver has it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appservice.core.model import EventId, History, KeyRotation, RoomId, UserId, VideoId
from appservice.core.settings import RoomSettings


class Membership(StrEnum):
    """A user's membership of a room (client-server API, `m.room.member`)."""

    INVITE = "invite"
    JOIN = "join"
    KNOCK = "knock"
    LEAVE = "leave"
    BAN = "ban"


@dataclass(frozen=True, slots=True)
class Member:
    """A room's member; `key` is our own number for this membership, used in media paths.

    `joined_at`: since when, as far as we know, in ms since the epoch.
    """

    key: int
    user_id: UserId
    display_name: str | None
    avatar_mxc: str | None
    avatar_video: VideoId | None = None
    joined_at: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """A room that the bot was invited to; `key` is our own number for it, used in media paths.

    `direct`: it was begun as a conversation with the bot alone, and nobody is there but the bot and one other, by
    the events that came. `made_for`: whom the bot made it for. `max_lifetime` is that of `m.room.retention`, in ms.
    `opted_in_by`: who agreed, at `opted_in_at`, that playable copies of an encrypted room's videos are stored here;
    None: nobody (any more). `state_read`: its state was read since the bot came, so that `encrypted` is known.
    """

    room_id: RoomId
    key: int
    name: str | None
    bot_membership: Membership
    inviter: UserId | None
    power_levels: dict[str, object]
    creators: frozenset[str]
    encrypted: bool
    widget_placed: bool
    notified: frozenset[str]
    replaced_by: RoomId | None
    direct: bool
    settings: RoomSettings
    max_lifetime: int | None
    last_event: EventId | None = None
    last_event_at: datetime | None = None
    """What is behind `last_event` was sent after that, by the database's clock; None: not known."""
    made_for: UserId | None = None
    opted_in_by: UserId | None = None
    opted_in_at: datetime | None = None
    state_read: bool = True

    @property
    def takes_videos(self) -> bool:
        """Say whether videos that are sent there are stored here: in an encrypted room once somebody opted in."""
        return not self.encrypted or self.opted_in_by is not None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A room's state as the homeserver gave it; `read_at` is the database's clock before the request.

    `encrypted`: how often its keys are replaced; None: it is not.
    """

    room_id: RoomId
    name: str | None
    power_levels: dict[str, object]
    creators: list[str]
    encrypted: KeyRotation | None
    members: Sequence[tuple[UserId, str | None, str | None]]
    banned: frozenset[UserId]
    read_at: datetime
    max_lifetime: int | None = None
    invited: frozenset[UserId] = frozenset()
    history: History = History.SHARED
