"""The words of the domain: identifiers, a video, its states and the legal ways between them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from transcode.playlist import Rendition
from transcode.storyboard import Storyboard

RoomId = NewType("RoomId", str)
UserId = NewType("UserId", str)
EventId = NewType("EventId", str)
VideoId = NewType("VideoId", str)
"""A video's own id: a UUID in its canonical text form."""


class State(StrEnum):
    """How far the work on a video has come."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PLAYABLE = "playable"
    READY = "ready"
    FAILED = "failed"


class Visibility(StrEnum):
    """Whether a video is shown, apart from how far the work on it has come."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    HELD = "held"
    REMOVED = "removed"


PLAYABLE_STATES = frozenset({State.PLAYABLE, State.READY})

# A worker that died leaves `processing` or `playable` behind; the next attempt starts from there.
_TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.PROCESSING, State.FAILED}),
    State.PROCESSING: frozenset({State.PROCESSING, State.PLAYABLE, State.READY, State.FAILED}),
    State.PLAYABLE: frozenset({State.PROCESSING, State.PLAYABLE, State.READY, State.FAILED}),
    State.READY: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
}


def sources_of(after: State) -> list[State]:
    """Return the states from which a video may go to `after`, for the guard of an UPDATE."""
    return [before for before, targets in _TRANSITIONS.items() if after in targets]


class Membership(StrEnum):
    """A user's membership of a room (client-server API, `m.room.member`)."""

    INVITE = "invite"
    JOIN = "join"
    KNOCK = "knock"
    LEAVE = "leave"
    BAN = "ban"


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """What decrypts an attachment (client-server API, "Sending encrypted attachments").

    `key` is the AES-256 key, `iv` the initial counter block of 16 bytes, `sha256` the ciphertext's hash.
    """

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Video:
    """A video as the worker and the viewers' API see it; durations in seconds, times in ms since the epoch.

    `available` is how many leading segments of each rendition exist, None when all do. `percent` and `remaining`
    (seconds) tell of the attempt under way, None where nothing is known.
    """

    id: VideoId
    event_id: EventId
    room_id: RoomId
    sender: UserId
    title: str
    mxc: str
    encrypted_file: EncryptedFile | None
    certain: bool
    claimed_size: int | None
    state: State
    visibility: Visibility
    failure: str | None
    attempts: int
    stage: str | None
    has_poster: bool
    duration: float | None
    width: int | None
    height: int | None
    renditions: tuple[Rendition, ...]
    available: int | None
    blurhash: str | None
    storyboard: Storyboard | None
    has_preview: bool
    percent: int | None
    remaining: int | None
    created_at: int

    @property
    def is_playable(self) -> bool:
        """Say whether there is something to play and everybody may see it."""
        return self.state in PLAYABLE_STATES and self.visibility is Visibility.SHOWN and bool(self.renditions)

    @property
    def is_growing(self) -> bool:
        """Say whether more segments of what is served are still to come."""
        return self.available is not None


@dataclass(frozen=True, slots=True)
class Member:
    """A room's member; `key` is our own number for this membership, used in media paths."""

    key: int
    user_id: UserId
    display_name: str | None
    avatar_mxc: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """A room that the bot was asked into; `key` is our own number for it, used in media paths."""

    room_id: RoomId
    key: int
    name: str | None
    bot_membership: Membership
    inviter: UserId | None
    power_levels: dict[str, object]
    creators: frozenset[str]
    encrypted: bool
    widget_placed: bool
    told: frozenset[str]
    replaced_by: RoomId | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A room's state as the homeserver gave it; `read_at` is the database's clock before it was asked."""

    room_id: RoomId
    name: str | None
    power_levels: dict[str, object]
    creators: list[str]
    encrypted: bool
    members: Sequence[tuple[UserId, str | None, str | None]]
    read_at: datetime
