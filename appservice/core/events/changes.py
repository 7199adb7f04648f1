"""The changes that events make, as types for the rest of the service. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from appservice.core.events.behalf import SentKind
from appservice.core.events.media_kinds import Choice
from appservice.core.events.policy_rules import Rule
from appservice.core.model import DEFAULT_ROTATION, EncryptedFile, EventId, History, KeyRotation, Kind, RoomId, UserId
from appservice.core.room import Membership


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What is known of a message that was found by backfill: it came out of its turn.

    `sent_after` is by the database's clock, None where nothing is known. `history` is the strictest visibility that the
    room may have had then.
    """

    sent_after: datetime | None
    history: History


@dataclass(frozen=True, slots=True)
class NewVideo:
    """A message that carries a video, or what is shown as one, or what may turn out to be one (`certain` is false).

    `choice` is what a room must have chosen for it.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    title: str
    mxc: str
    encrypted_file: EncryptedFile | None
    claimed_size: int | None
    certain: bool
    sent_at: int
    kind: Kind = Kind.VIDEO
    choice: Choice | None = None
    of_before: bool = False
    """It was sent before the bot came: nobody waits for it."""
    spoiler: bool = False
    """Its sender marked it so (MSC4193), maybe with a reason."""
    spoiler_reason: str | None = None
    item: int = 0
    """Its index in the gallery that brought it (MSC4274)."""
    sent_in: RoomId | None = None
    """The room of its event, where that is another one: an upgrade moved the videos of its message on."""
    backfilled: Backfilled | None = None
    nonce: str | None = None
    """What its client calls this one sending, however many messages came of it."""


@dataclass(frozen=True, slots=True)
class NewGallery:
    """A message that carries several files (MSC4274), with those of them that may be videos, at least one."""

    event_id: EventId
    room_id: RoomId
    sender: UserId
    videos: tuple[NewVideo, ...]


@dataclass(frozen=True, slots=True)
class SentByBot:
    """An event of the bot's own that may be on behalf of somebody: who that is, only our rows have, by its nonce.

    Its `video`, if it brings one, names the bot as its sender.
    """

    room_id: RoomId
    event_id: EventId
    nonce: str
    kind: SentKind
    video: NewVideo | None = None


@dataclass(frozen=True, slots=True)
class VideoEdited:
    """Somebody replaced the message `target` by one that carries `video`; to be believed only of its own sender.

    The `event_id` of `video` is that of the edit. `others` are more of a gallery.
    """

    room_id: RoomId
    target: EventId
    video: NewVideo
    others: tuple[NewVideo, ...] = ()

    @classmethod
    def to(cls, target: EventId, now: NewVideo | NewGallery) -> Self:
        """Return the change of the message `target` to what another message, `now`, says."""
        videos = now.videos if isinstance(now, NewGallery) else (now,)
        return cls(now.room_id, target, videos[0], videos[1:])

    @property
    def videos(self) -> tuple[NewVideo, ...]:
        """All that the message carries now."""
        return (self.video, *self.others)


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody other than the bot is now a member, or no longer one."""

    room_id: RoomId
    user_id: UserId
    membership: Membership
    display_name: str | None
    avatar_mxc: str | None
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class BotMembershipChanged:
    """The bot was invited, has joined, or was kicked or banned; `sender` did it.

    `direct`: the invitation is to a conversation with it alone. `requested_at`, where no event but a response of the
    homeserver says so: the database's clock before the request.
    """

    room_id: RoomId
    membership: Membership
    sender: UserId
    direct: bool = False
    event_id: EventId | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoomNamed:
    """The room has this name now."""

    room_id: RoomId
    name: str | None
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The room has this `m.room.power_levels` content now."""

    room_id: RoomId
    content: dict[str, object]
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class RoomEncrypted:
    """The room turned on encryption, which cannot be turned off, or replaces its keys after another time."""

    room_id: RoomId
    rotation: KeyRotation = DEFAULT_ROTATION


@dataclass(frozen=True, slots=True)
class EncryptedSent:
    """Something that has to be decrypted before anybody knows what it is (`m.room.encrypted`, Megolm).

    `event` is the whole event, `session_id` names the key that it needs. `of_before` as of a video.
    """

    room_id: RoomId
    event_id: EventId
    sender: UserId
    session_id: str
    event: Mapping[str, object]
    backfilled: Backfilled | None = None
    of_before: bool = False


@dataclass(frozen=True, slots=True)
class RoomReplaced:
    """The room was upgraded (`m.room.tombstone`)."""

    room_id: RoomId
    replaced_by: RoomId
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class RetentionChanged:
    """How long the room retains messages (`max_lifetime` of `m.room.retention`, in ms); None: for ever."""

    room_id: RoomId
    max_lifetime: int | None
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class HistoryChanged:
    """From now on newcomers see of what was sent before what this says (`m.room.history_visibility`)."""

    room_id: RoomId
    history: History
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """An event was redacted; if it brought a video, the video goes."""

    room_id: RoomId
    target: EventId
    sender: UserId


@dataclass(frozen=True, slots=True)
class SignInSent:
    """Somebody sent the code that a browser shows (`code` as it may be); responses go to the `thread`."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    code: str
    thread: EventId


@dataclass(frozen=True, slots=True)
class SignOutSent:
    """Somebody wants all browsers signed out that are signed in as them; responses go to the `thread`."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    thread: EventId


@dataclass(frozen=True, slots=True)
class CommandSent:
    """A message that is for the bot: `addressed` by its prefix, or else only where nobody else is in the room.

    `body` is without the prefix. Responses go to the `thread`; `replied_to` is what the message replies to.
    """

    room_id: RoomId
    event_id: EventId
    sender: UserId
    body: str
    addressed: bool
    thread: EventId
    replied_to: EventId | None


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody approved or rejected the event `target` by a reaction; of interest only on a post of the bot's queue."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    target: EventId
    approves: bool


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """A rule of a policy list, if the room is one that is followed; `rule` is None where it is gone."""

    room_id: RoomId
    event_type: str
    state_key: str
    rule: Rule | None
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """Something about the event `target` is new: a reply in its thread, a reaction, an edit, its redaction.

    `relates`: it is one of `target`'s relations as the homeserver lists them. Edits and redactions may be of any event.
    """

    room_id: RoomId
    target: EventId
    relates: bool


RoomChange = (
    BotMembershipChanged | RoomNamed | PowerChanged | RoomEncrypted | RoomReplaced | RetentionChanged | HistoryChanged
)
StateChange = (
    MemberChanged
    | BotMembershipChanged
    | RoomNamed
    | PowerChanged
    | RoomReplaced
    | RetentionChanged
    | HistoryChanged
    | PolicyChanged
)
"""What a later event overwrites; `event_id` is None where it came by no event of the stream."""
MessageChange = (
    NewVideo | NewGallery | SentByBot | VideoEdited | Redacted | SignInSent | SignOutSent | CommandSent | Reacted
    | EncryptedSent
)  # fmt: skip
"""What comes once, in the timeline, and not with a room's state."""
Change = MessageChange | MemberChanged | RoomChange | PolicyChanged
