"""The domain's types: identifiers, a video, its states and the legal transitions between them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

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


class History(StrEnum):
    """Who sees what is sent in a room (client-server API, `m.room.history_visibility`)."""

    SHARED = "shared"
    """Every member, also those who come later."""
    INVITED = "invited"
    """Who was a member or invited by then."""
    JOINED = "joined"
    """Who was a member by then."""


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """After how much a key of an encrypted room is replaced (`m.room.encryption`): ms, and messages."""

    period_ms: int = 604_800_000
    period_msgs: int = 100


DEFAULT_ROTATION = KeyRotation()


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """What decrypts an attachment (client-server API, "Sending encrypted attachments").

    `key` is the AES-256 key, `iv` the initial counter block of 16 bytes, `sha256` the ciphertext's hash. `sealed`: the
    key is encrypted by the installation's own, as it is stored.
    """

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    sha256: bytes
    sealed: bool = False


MALFORMED_FILE = EncryptedFile(key=b"", iv=b"", sha256=b"")
"""What stands for a description that decrypts nothing, so that its video fails, and its sender is notified."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """The file that a message brings, as it says; `certain`: it says that it is one of its kind.

    `awaited_since`: when it was found to be not uploaded yet, whatever has come since.
    """

    mxc: str
    encrypted_file: EncryptedFile | None
    certain: bool
    claimed_size: int | None
    awaited_since: datetime | None = None


class LowerRungs(StrEnum):
    """Rungs below a stream copy that are not made, as `transcode.ladder: watched` has it."""

    LEFT_OUT = "left_out"
    """Until somebody needs them."""
    SPARE = "spare"
    """While nothing else is to be done."""
    WANTED = "wanted"
    """By a viewer: as soon as it is their turn."""
    GIVEN_UP = "given_up"


DUE_RUNGS = frozenset({LowerRungs.SPARE, LowerRungs.WANTED})


@dataclass(frozen=True, slots=True)
class Media:
    """What was made of a file; durations in seconds, sizes in pixels.

    `stage` is the folder that is served, and `replaced_stage` that of what played before an edit brought other media,
    which are not whole yet. `available` is how many leading segments of each rendition exist, None when all do.
    `bytes` is what its files take on our disk. `audio_left_out`: what of its audio is not played, and why.
    `encrypted`: the files of `stage` are encrypted on disk. `lower_rungs`: those that are not made; None: all are.
    """

    stage: str | None = None
    encrypted: bool = False
    replaced_stage: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    renditions: tuple[Rendition, ...] = ()
    available: int | None = None
    has_poster: bool = False
    has_preview: bool = False
    blurhash: str | None = None
    storyboard: Storyboard | None = None
    captions: tuple[Captions, ...] = ()
    audio_left_out: AudioLoss | None = None
    bytes: int = 0
    lower_rungs: LowerRungs | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """The work on a video: how many attempts there were, the newest of which alone may publish.

    `attempts_before`: those with the media that an edit replaced. `attempts_uncounted`: those that waited for their
    turn when their worker died. `percent` and `remaining` (seconds) are of the attempt in progress, None where nothing
    is known.
    """

    attempts: int = 0
    attempts_before: int = 0
    attempts_uncounted: int = 0
    percent: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a video is not shown, or will not be, and by whom.

    `held_for`: why it is held; of a hidden one, why it will be once it is shown. `deleted_by`: who took it away, as
    long as it can come back.
    """

    held_for: HeldFor | None = None
    hidden_by: UserId | None = None
    deleted_by: UserId | None = None


@dataclass(frozen=True, slots=True)
class Spoiler:
    """Nobody sees it without a choice (MSC4193); `reason` is its sender's, who need not give one."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a video came, for those who may see by that.

    `history`: who of the room may see it, as that was when it was sent; what is not known yet is `joined`. `since`: it
    was sent then at the earliest, by our clock, in ms since the epoch. `of_before`: it was sent before the bot came.
    """

    history: History = History.SHARED
    since: int = 0
    of_before: bool = False


@dataclass(frozen=True, slots=True)
class Video:
    """A video as the worker and the viewers' API see it.

    `sent_in` is the room of its event: another than `room_id` since an upgrade. `item` is its slot among the videos of
    its message, `position` its place in its sender's reel, ascending. `created_at` is its message's time, in ms since
    the epoch. `version` counts the changes that people made.
    """

    id: VideoId
    event_id: EventId
    room_id: RoomId
    sent_in: RoomId
    sender: UserId
    title: str
    created_at: int
    file: SentFile
    state: State
    visibility: Visibility
    failure: str | None = None
    kind: Kind = Kind.VIDEO
    item: int = 0
    position: float = 0.0
    version: int = 0
    published: bool = False
    spoiler: Spoiler | None = None
    media: Media = Media()
    work: Work = Work()
    withheld: Withheld = Withheld()
    arrival: Arrival = Arrival()

    @property
    def thread(self) -> EventId | None:
        """The event in whose thread the bot can post in its room: none since an upgrade."""
        return self.event_id if self.sent_in == self.room_id else None

    @property
    def awaits_upload(self) -> bool:
        """Say whether its event came before its file, which is still to come."""
        return self.file.awaited_since is not None and self.state is State.QUEUED

    @property
    def tries(self) -> int:
        """How many attempts there were with what is to be shown now, without those that another video ended."""
        return self.work.attempts - self.work.attempts_before - self.work.attempts_uncounted

    @property
    def has_media(self) -> bool:
        """Say whether there is something to play, whoever may see it."""
        return self.state in PLAYABLE_STATES and bool(self.media.renditions)

    @property
    def is_playable(self) -> bool:
        """Say whether there is something to play and everybody may see it."""
        return self.has_media and self.visibility is Visibility.SHOWN

    @property
    def plays_by_itself(self) -> bool:
        """Say whether it may play, or show, where nobody chose this one: in reels, in the channel, as an avatar."""
        return self.is_playable and self.spoiler is None

    @property
    def is_in_progress(self) -> bool:
        """Say whether more segments of what is served are still to come."""
        return self.media.available is not None


@dataclass(frozen=True, slots=True)
class PublicMember:
    """Somebody with at least one published video, in the order they play; name and avatar as in the latest room."""

    user_id: UserId
    display_name: str | None
    avatar_mxc: str | None
    videos: Sequence[Video]
