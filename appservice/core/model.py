"""The words of the domain: identifiers, a video, its states and the legal ways between them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from appservice.core.settings import RoomSettings
from transcode.hls.captions import Captions
from transcode.hls.playlist import Rendition
from transcode.source.audio_loss import AudioLoss
from transcode.storyboard import Storyboard

RoomId = NewType("RoomId", str)
UserId = NewType("UserId", str)
EventId = NewType("EventId", str)
VideoId = NewType("VideoId", str)
"""A video's own id: a UUID in its canonical text form."""
UploadId = NewType("UploadId", str)
"""An upload's own id, likewise."""
ExportId = NewType("ExportId", str)
"""An export's own id, likewise."""


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


class Kind(StrEnum):
    """What was sent: a video, or what is shown as one."""

    VIDEO = "video"
    IMAGE = "image"
    VOICE = "voice"


class HeldFor(StrEnum):
    """Why a video waits for somebody."""

    APPROVAL = "approval"
    REPORTS = "reports"
    POLICY = "policy"
    VERDICT = "verdict"
    QUARANTINE = "quarantine"


FOR_MODERATORS = frozenset({HeldFor.APPROVAL, HeldFor.REPORTS})
"""What the room's moderators decide; what is held for other reasons, others release."""

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


class History(StrEnum):
    """Who sees what is sent in a room (client-server API, `m.room.history_visibility`)."""

    SHARED = "shared"
    """Every member, also those who come later."""
    INVITED = "invited"
    """Who was a member or invited by then."""
    JOINED = "joined"
    """Who was a member by then."""


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

    `sent_in` is the room of its event: another than `room_id` since an upgrade. `available` is how many leading
    segments of each rendition exist, None when all do. `percent` and `remaining` (seconds) tell of the attempt under
    way, None where nothing is known. `version` counts the changes that people made. `bytes` is what its files take on
    our disk. `of_before`: it was sent before the bot came. `renamed`: a person named it. `deleted_by`: who took it
    away, as long as it can come back. `attempts_before`: those with the media that an edit replaced.
    `attempts_spared`: those that waited for their turn when their worker died. `awaited_since`: when its file was found
    to be not uploaded yet, whatever has come since. `spoiler`: nobody sees it without asking for it. `item`: its slot
    among the videos of its message. `history`: who of the room may see it, as that was when it was sent; what is not
    known yet is `joined`. `sent_since`: it was sent then at the earliest, by our clock, in ms since the epoch.
    `audio_left_out`: what of its audio is not heard, and why. `held_for`: why it is held; of a hidden one, why it will
    be once it is shown.
    """

    id: VideoId
    event_id: EventId
    room_id: RoomId
    sent_in: RoomId
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
    captions: tuple[Captions, ...]
    percent: int | None
    remaining: int | None
    created_at: int
    version: int
    hidden_by: UserId | None
    published: bool
    kind: Kind = Kind.VIDEO
    bytes: int = 0
    held_for: HeldFor | None = None
    renamed: bool = False
    attempts_before: int = 0
    attempts_spared: int = 0
    of_before: bool = False
    deleted_by: UserId | None = None
    awaited_since: datetime | None = None
    replaced_stage: str | None = None
    """The folder of what played before an edit brought other media, which are not whole yet."""
    spoiler: bool = False
    spoiler_reason: str | None = None
    item: int = 0
    history: History = History.SHARED
    sent_since: int = 0
    audio_left_out: AudioLoss | None = None

    @property
    def thread(self) -> EventId | None:
        """The event in whose thread something can be said in its room: none since an upgrade."""
        return self.event_id if self.sent_in == self.room_id else None

    @property
    def awaits_upload(self) -> bool:
        """Say whether its event came before its file, which is still to come."""
        return self.awaited_since is not None and self.state is State.QUEUED

    @property
    def tries(self) -> int:
        """How many attempts there were with what is to be shown now, without those that another video ended."""
        return self.attempts - self.attempts_before - self.attempts_spared

    @property
    def has_media(self) -> bool:
        """Say whether there is something to play, whoever may see it."""
        return self.state in PLAYABLE_STATES and bool(self.renditions)

    @property
    def is_playable(self) -> bool:
        """Say whether there is something to play and everybody may see it."""
        return self.has_media and self.visibility is Visibility.SHOWN

    @property
    def plays_by_itself(self) -> bool:
        """Say whether it may play, or show, where nobody asked for this one: in reels, in the channel, as an avatar."""
        return self.is_playable and not self.spoiler

    @property
    def is_growing(self) -> bool:
        """Say whether more segments of what is served are still to come."""
        return self.available is not None


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
class PublicMember:
    """Somebody with at least one published video, in the order they play; name and picture as in the latest room."""

    user_id: UserId
    display_name: str | None
    avatar_mxc: str | None
    videos: Sequence[Video]


@dataclass(frozen=True, slots=True)
class Room:
    """A room that the bot was asked into; `key` is our own number for it, used in media paths.

    `direct`: it was begun as a conversation with the bot alone, and nobody is there but the bot and one other, as far
    as we were told. `made_for`: whom the bot made it for. `max_lifetime` is that of `m.room.retention`, in ms.
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
    told: frozenset[str]
    replaced_by: RoomId | None
    direct: bool
    settings: RoomSettings
    max_lifetime: int | None
    last_event: EventId | None = None
    last_event_at: datetime | None = None
    """What is behind `last_event` was sent after that, by the database's clock; None: not known."""
    made_for: UserId | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A room's state as the homeserver gave it; `read_at` is the database's clock before it was asked."""

    room_id: RoomId
    name: str | None
    power_levels: dict[str, object]
    creators: list[str]
    encrypted: bool
    members: Sequence[tuple[UserId, str | None, str | None]]
    banned: frozenset[UserId]
    read_at: datetime
    max_lifetime: int | None = None
    invited: frozenset[UserId] = frozenset()
    history: History = History.SHARED
