"""The kinds of jobs: queue, name, priority and payload of each. Pure.

A job is stored in its row's transaction and done by whichever worker takes it, which may be of the release before or
after: names and payloads are a format on disk. A field that an earlier release did not write has a default.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Self, get_args

from pydantic import TypeAdapter

from appservice.core.model import EventId, RoomId, UploadId, UserId, VideoId
from appservice.core.sign_in_codes import SignInOutcome


class Queue(StrEnum):
    """The queues; none waits behind another."""

    VIDEOS = "videos"
    UPLOADS = "uploads"
    """What members are about to send, and wait for."""
    EXPORTS = "exports"
    VERDICTS = "verdicts"
    """Requests to another service."""
    LIGHT = "light"
    """Everything that takes seconds at most."""


class Priority(IntEnum):
    """Which job of a queue goes first: the one with the larger number."""

    BACKGROUND = -10
    NORMAL = 0
    SOON = 10


@dataclass(frozen=True, slots=True)
class Job:
    """A job. Its fields are stored as a JSON object, unless its kind has a shorter form."""

    name: ClassVar[str]
    queue: ClassVar[Queue] = Queue.LIGHT
    priority: ClassVar[Priority] = Priority.SOON

    def payload(self) -> str:
        """Return what is stored of it beside its name."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def read(cls, payload: str) -> Self:
        """Return the job that was stored so. Raises ValueError when none of this kind was."""
        job: Self = TypeAdapter(cls).validate_json(payload)
        return job


@dataclass(frozen=True, slots=True)
class _OneWord(Job):
    """A job whose only field, a text, is stored as it is: queries compare it with ids."""

    def payload(self) -> str:
        (field,) = fields(self)
        return str(getattr(self, field.name))

    @classmethod
    def read(cls, payload: str) -> Self:
        (field,) = fields(cls)
        job: Self = TypeAdapter(cls).validate_python({field.name: payload})
        return job


@dataclass(frozen=True, slots=True)
class TranscodeVideo(_OneWord):
    """Make a video playable, then complete."""

    name: ClassVar[str] = "video"
    queue: ClassVar[Queue] = Queue.VIDEOS
    priority: ClassVar[Priority] = Priority.NORMAL
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class ConvertUpload(_OneWord):
    """Cut and convert what was uploaded in the widget, and put it into the homeserver's media repository."""

    name: ClassVar[str] = "upload"
    queue: ClassVar[Queue] = Queue.UPLOADS
    priority: ClassVar[Priority] = Priority.NORMAL
    upload_id: UploadId


@dataclass(frozen=True, slots=True)
class RequestVerdict(_OneWord):
    """Request the detection service's verdict on a video."""

    name: ClassVar[str] = "verdict"
    queue: ClassVar[Queue] = Queue.VERDICTS
    priority: ClassVar[Priority] = Priority.NORMAL
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class MakeExport(Job):
    """Make what somebody takes with them, as it is at `asked_at` or later."""

    name: ClassVar[str] = "export"
    queue: ClassVar[Queue] = Queue.EXPORTS
    user_id: UserId
    room_id: RoomId
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class TendRoom(_OneWord):
    """Bring a room up to date: its state, its widget, its upgrade."""

    name: ClassVar[str] = "room"
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class UpdateStatus(_OneWord):
    """Bring what the bot says by a video's message up to date."""

    name: ClassVar[str] = "status"
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class UpdateQueuePosts(_OneWord):
    """Bring the posts of a video in the moderators' queue up to date."""

    name: ClassVar[str] = "queue_post"
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class SweepFiles(_OneWord):
    """Delete those files of a video that are not served: at once where none are, else once viewers have moved on."""

    name: ClassVar[str] = "sweep"
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class SweepStages(Job):
    """Delete these stages of a video, which something else took the place of, unless they are served by now.

    Another name than `sweep`: the release before would take it for one of all stages.
    """

    AFTER: ClassVar[timedelta] = timedelta(hours=3)
    """Viewers that play a stage move to the one that took its place within a reel's length; then its files may go."""

    name: ClassVar[str] = "sweep_stages"
    video_id: VideoId
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunCommands(_OneWord):
    """Run the pending commands of a room."""

    name: ClassVar[str] = "command"
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class RespondToSignIn(Job):
    """Respond to the message that signs browsers in or out."""

    name: ClassVar[str] = "answer"
    room_id: RoomId
    event_id: EventId
    thread: EventId
    user_id: UserId
    outcome: SignInOutcome
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OnceGone:
    """A condition: the video was taken away, and has had this version since."""

    id: VideoId
    version: int


@dataclass(frozen=True, slots=True)
class Notify(Job):
    """Notify somebody by a text of the catalogue; in a thread of that room, if any. `once` identifies repetitions."""

    name: ClassVar[str] = "tell"
    room_id: RoomId
    user_id: UserId
    thread: EventId | None
    message: str
    arguments: Mapping[str, Any]
    once: str
    once_gone: OnceGone | None = None


@dataclass(frozen=True, slots=True)
class NotifyRoom(Job):
    """Notify a room of its opt-in, by a text of the catalogue: `user_id` did it `at` (ms since the epoch)."""

    name: ClassVar[str] = "opt_in"
    room_id: RoomId
    message: str
    user_id: UserId
    at: int
    once: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class NotifyNewcomers(_OneWord):
    """Notify those who joined an encrypted room of who had opted it in before."""

    name: ClassVar[str] = "newcomers"
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class NotifyAdmins(Job):
    """Notify admins of the latest of `count` alerts of one subject."""

    name: ClassVar[str] = "alarm"
    subject: str
    details: Mapping[str, Any]
    count: int
    once: str


@dataclass(frozen=True, slots=True)
class DecideByReaction(Job):
    """Apply a moderator's decision by a reaction to a post of the bot's."""

    name: ClassVar[str] = "reaction"
    video_id: VideoId
    user_id: UserId
    approves: bool


@dataclass(frozen=True, slots=True)
class DeleteMessage(Job):
    """Redact a message, if `redact`, and delete its file `mxc`, if any, from the homeserver, where we may.

    `sender`: who sent the message; None in a job of an early release. `said`: the bot sent it on behalf of
    somebody, and it is redacted unless it is still somebody's. `tried`: how often in vain.
    """

    name: ClassVar[str] = "forget"
    room_id: RoomId
    event_id: EventId
    redact: bool
    mxc: str = ""
    sender: UserId | None = None
    said: bool = False
    tried: int = 0


@dataclass(frozen=True, slots=True)
class DeleteUnsent(Job):
    """Delete the file `unsent` from the homeserver if no message brought it."""

    name: ClassVar[str] = "forget"
    unsent: str


@dataclass(frozen=True, slots=True)
class Backfill(Job):
    """Backfill what a timeline has and we missed, or `history` messages of before us."""

    name: ClassVar[str] = "timeline"
    priority: ClassVar[Priority] = Priority.BACKGROUND
    room_id: RoomId
    history: int | None = None


@dataclass(frozen=True, slots=True)
class ReadAgain(Job):
    """Read a message again, one of whose edits was redacted."""

    name: ClassVar[str] = "timeline"
    room_id: RoomId
    event_id: EventId


@dataclass(frozen=True, slots=True)
class ReadPolicyList(_OneWord):
    """Read a policy list, or leave it when it is followed no more."""

    name: ClassVar[str] = "policy"
    room_id: RoomId


@dataclass(frozen=True, slots=True)
class EnforcePolicies(Job):
    """Enforce the rules of all policy lists."""

    name: ClassVar[str] = "policy"

    def payload(self) -> str:
        """Return the empty text: there is nothing to say."""
        return ""

    @classmethod
    def read(cls, payload: str) -> Self:
        """Return the job."""
        return cls()


AnyJob = (
    TranscodeVideo | ConvertUpload | RequestVerdict | MakeExport | TendRoom | UpdateStatus | UpdateQueuePosts
    | SweepFiles | SweepStages | RunCommands | RespondToSignIn | Notify | NotifyRoom | NotifyNewcomers | NotifyAdmins
    | DecideByReaction | DeleteMessage | DeleteUnsent | Backfill | ReadAgain | ReadPolicyList | EnforcePolicies
)  # fmt: skip
_KINDS: Mapping[str, type[AnyJob]] = {kind.name: kind for kind in get_args(AnyJob)}


def names_in(queue: Queue) -> list[str]:
    """Return the names of the jobs that wait in a queue."""
    return [name for name, kind in _KINDS.items() if kind.queue is queue]


def read_job(name: str, payload: str) -> AnyJob:
    """Return the job that was stored by this name. Raises ValueError when there is none such."""
    match name:
        case DeleteMessage.name:
            return DeleteUnsent.read(payload) if "unsent" in json.loads(payload) else DeleteMessage.read(payload)
        case Backfill.name:
            return ReadAgain.read(payload) if "event_id" in json.loads(payload) else Backfill.read(payload)
        case ReadPolicyList.name:
            return ReadPolicyList.read(payload) if payload else EnforcePolicies()
        case _ if name in _KINDS:
            return _KINDS[name].read(payload)
        case _:
            raise ValueError(f"There are no jobs called {name}.")
