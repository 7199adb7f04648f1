"""From an event to what it changes, or to nothing. Pure.

Rule: everything in an event is hostile until checked here. An event of no interest is None; one
of interest but of the wrong form is a MalformedEventError, which the caller logs and skips.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from appservice.core.errors import MalformedEventError
from appservice.core.events.behalf import NONCE, NONCE_PATTERN, SentKind, without_name
from appservice.core.events.media_kinds import Choice, Sort, name_without_suffix, sort_of_message, sort_of_sticker
from appservice.core.events.policy_rules import EVENT_TYPES, Rule, read_rule
from appservice.core.model import EncryptedFile, EventId, History, Kind, Membership, RoomId, UserId
from appservice.core.rules.permissions import Level, may_use
from appservice.core.sign_in_codes import PREFIX, is_sign_out, sign_in_code
from appservice.core.text.clean import clean_json, clean_text
from appservice.core.tokens import decode_unpadded

_MAX_ID = 255
_MAX_COMMAND = 2000
# No part begins with a dot: `..` would climb out of the download path.
_MXC = re.compile(r"mxc://(?!\.)[A-Za-z0-9.:\[\]-]{1,255}/(?!\.)[A-Za-z0-9_=.-]{1,255}", re.ASCII)
_USER_ID = re.compile(r"@[^:\x00]{0,254}:[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
APPROVE, REJECT = "✅", "❌"
"""The reactions that decide."""

_FILES = ("m.video", "m.file", "m.image", "m.audio")
_GALLERIES = ("m.gallery", "dm.filament.gallery")  # MSC4274, and its unstable name
_MESSAGES = (*_FILES, *_GALLERIES, "m.text")
MOST_ITEMS = 100
"""Items of a gallery that are looked at: an honest event has room for some sixty."""
_NONCE = re.compile(NONCE_PATTERN, re.ASCII)
_SPOILERS = ("m.spoiler", "page.codeberg.everypizza.msc4193.spoiler")
_DECISIONS = {APPROVE: True, REJECT: False}


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What is known of a message that was found by looking back: it came out of its turn.

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
    """Its place in the gallery that brought it (MSC4274)."""
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
    """An event of the bot's own that may be on behalf of somebody: who that is, only our rows tell, by its nonce.

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
    """The bot was invited, has joined, or was sent away; `sender` did it.

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
    """The room turned on encryption, which cannot be turned off."""

    room_id: RoomId


@dataclass(frozen=True, slots=True)
class RoomReplaced:
    """The room was upgraded (`m.room.tombstone`)."""

    room_id: RoomId
    replaced_by: RoomId
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class RetentionChanged:
    """How long the room keeps messages (`max_lifetime` of `m.room.retention`, in ms); None: for ever."""

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
    """Somebody sent the code that a browser shows (`code` as it may be); answers go to the `thread`."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    code: str
    thread: EventId


@dataclass(frozen=True, slots=True)
class SignOutSent:
    """Somebody wants all browsers signed out that are signed in as them; answers go to the `thread`."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    thread: EventId


@dataclass(frozen=True, slots=True)
class CommandSent:
    """A message that is for the bot: `addressed` by its prefix, or else only where nobody else is in the room.

    `body` is without the prefix. Answers go to the `thread`; `replied_to` is what the message answers.
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
    """Somebody said yes or no to the event `target` by a reaction; of interest only where the bot asked."""

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
"""What a later event overwrites; `event_id` is None where no event of the stream told it."""
MessageChange = (
    NewVideo | NewGallery | SentByBot | VideoEdited | Redacted | SignInSent | SignOutSent | CommandSent | Reacted
)
"""What comes once, in the timeline, and not with a room's state."""
Change = MessageChange | MemberChanged | RoomChange | PolicyChanged


def read_event(event: object, *, bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    """Return what `event` (one item of a transaction's `events`) changes. Raises MalformedEventError."""
    if not isinstance(event, Mapping):
        raise MalformedEventError("the event is not an object")
    try:
        return _read(event, bot, permissions)
    except RecursionError as error:
        raise MalformedEventError("the event is nested too deeply") from error


def _read(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    match event.get("type"), "state_key" in event:
        case "m.room.message", False:
            return _message(event, bot, permissions)
        case "m.sticker", False:
            return _sticker(event, bot, permissions)
        case "m.room.redaction", _:
            return _redaction(event)
        case "m.reaction", False:
            return _reaction(event, bot, permissions)
        case "m.room.member", True:
            return _member(event, bot)
        case str(kind), True if kind in EVENT_TYPES:
            return _policy(kind, event)
        case str(kind), True if event["state_key"] == "":
            return _room_state(kind, event)
        case _:
            return None


_TALK = ("m.room.message", "m.room.encrypted", "m.sticker", "m.reaction")
_RELATIONS = {"m.thread": True, "m.annotation": True, "m.replace": False}


def read_talk(event: object, *, bot: UserId) -> Talk | None:
    """Return which other event `event` is about; None for none, for what is malformed, and for what the bot says.

    What it may say on behalf of somebody counts, and what it takes away: that may be somebody's.
    """
    if not isinstance(event, Mapping):
        return None
    try:
        if event.get("type") == "m.room.redaction":
            return Talk(_room_id(event), _redacted_event(event), relates=False)
        is_bots = event.get("sender") == bot
        if event.get("type") not in _TALK or "state_key" in event or (is_bots and _nonce(_content(event)) is None):
            return None
        return _relation(event, replies=is_bots)
    except MalformedEventError:
        return None


def _relation(event: Mapping[str, object], *, replies: bool) -> Talk | None:
    """Return what an event relates to; or plainly `replies` to, as what is said about a video within a thread."""
    relation = _content(event).get("m.relates_to")
    kind = relation.get("rel_type") if isinstance(relation, Mapping) else None
    reply = relation.get("m.in_reply_to") if isinstance(relation, Mapping) and kind is None and replies else None
    if isinstance(reply, Mapping):
        return Talk(
            _room_id(event), EventId(_identifier(reply.get("event_id"), "$", "event_id of m.in_reply_to")), True
        )
    if not isinstance(relation, Mapping) or not isinstance(kind, str) or kind not in _RELATIONS:
        return None
    target = _identifier(relation.get("event_id"), "$", "event_id of m.relates_to")
    return Talk(_room_id(event), EventId(target), _RELATIONS[kind])


def _identifier(value: object, sigil: str, what: str) -> str:
    if not isinstance(value, str) or not value.startswith(sigil) or len(value) > _MAX_ID or not value.isprintable():
        raise MalformedEventError(f"{what} is not a Matrix identifier")
    return value


def _room_id(event: Mapping[str, object]) -> RoomId:
    return RoomId(_identifier(event.get("room_id"), "!", "room_id"))


def _user_id(value: object, what: str) -> UserId:
    if not _USER_ID.fullmatch(user_id := _identifier(value, "@", what)):
        raise MalformedEventError(f"{what} is not a Matrix user id")
    return UserId(user_id)


def _state_event_id(event: Mapping[str, object]) -> EventId | None:
    # The state of a room may be told without it.
    return EventId(_identifier(event["event_id"], "$", "event_id")) if "event_id" in event else None


def _content(event: Mapping[str, object]) -> Mapping[str, object]:
    content = event.get("content")
    if not isinstance(content, Mapping):
        raise MalformedEventError("content is not an object")
    return content


def _mxc(value: object) -> str:
    if not isinstance(value, str) or not _MXC.fullmatch(value):
        raise MalformedEventError("url is not a Matrix content URI")
    return value


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _time(value: object) -> int:
    # 2**53: what canonical JSON allows. A time in the future is cut to now by the database.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise MalformedEventError("origin_server_ts is not a time")
    return value


def _message(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    content = event.get("content")
    if not isinstance(content, Mapping) or content.get("msgtype") not in _MESSAGES:
        return None  # redacted, or another kind of message (not a set: it need not be hashable)
    sender = _user_id(event.get("sender"), "sender")
    if sender == bot:
        return _sent_by_bot(event, content)
    if not may_use(sender, permissions):
        return None
    if _is_edit(content):
        return _edit(event, content, bot, permissions)
    if content["msgtype"] == "m.text":
        return _command(event, content, sender)
    if content["msgtype"] in _GALLERIES:
        return _gallery(event, content, sender)
    sort = sort_of_message(content["msgtype"], _info(content), _file_name(content))
    return replace(_video(event, content, sender, sort), nonce=_nonce(content)) if sort else None


def _sent_by_bot(event: Mapping[str, object], content: Mapping[str, object]) -> SentByBot | None:
    nonce = _nonce(content)
    if nonce is None:
        return None
    room_id, event_id = _room_id(event), EventId(_identifier(event.get("event_id"), "$", "event_id"))
    if event.get("type") == "m.reaction" or content.get("msgtype") != "m.video":
        kind = SentKind.REACTION if event.get("type") == "m.reaction" else SentKind.COMMENT
        return SentByBot(room_id, event_id, nonce, kind)
    own = without_name(content)
    sort = sort_of_message("m.video", _info(own), _file_name(own))
    video = _video(event, own, _user_id(event.get("sender"), "sender"), sort) if sort else None
    return SentByBot(room_id, event_id, nonce, SentKind.VIDEO, video and replace(video, nonce=nonce))


def _nonce(content: Mapping[str, object]) -> str | None:
    nonce = content.get(NONCE)
    return nonce if isinstance(nonce, str) and _NONCE.fullmatch(nonce) else None


def _gallery(event: Mapping[str, object], content: Mapping[str, object], sender: UserId) -> NewGallery | None:
    items = content.get("itemtypes")
    if not isinstance(items, list):
        raise MalformedEventError("itemtypes is not a list")
    event_id, room_id = EventId(_identifier(event.get("event_id"), "$", "event_id")), _room_id(event)
    _time(event.get("origin_server_ts"))
    videos: list[NewVideo] = []
    broken: MalformedEventError | None = None
    for place, item in enumerate(items[:MOST_ITEMS]):
        try:
            video = _gallery_item(event, content, item, sender)
        except MalformedEventError as error:
            broken = error  # and the others are none the worse for it
        else:
            videos += [replace(video, item=place)] if video else []
    if broken and not videos:
        raise broken
    return NewGallery(event_id, room_id, sender, tuple(videos)) if videos else None


def _gallery_item(
    event: Mapping[str, object], gallery: Mapping[str, object], item: object, sender: UserId
) -> NewVideo | None:
    if not isinstance(item, Mapping) or item.get("itemtype") not in _FILES:
        return None
    sort = sort_of_message(item["itemtype"], _info(item), _file_name(item))
    if sort is None:
        return None
    video = _video(event, item, sender, sort)
    spoiler, reason = _spoiler(gallery)
    return replace(
        video,
        title=video.title or clean_text(gallery.get("body")) or "",
        # Of a gallery that is one, everything is.
        spoiler=video.spoiler or spoiler,
        spoiler_reason=video.spoiler_reason or reason,
    )


def _sticker(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> NewVideo | None:
    content = event.get("content")
    if not isinstance(content, Mapping) or (content.get("url") is None and content.get("file") is None):
        return None  # redacted
    sender = _user_id(event.get("sender"), "sender")
    if sender == bot or not may_use(sender, permissions):
        return None
    return _video(event, content, sender, sort_of_sticker(_info(content)))


def _command(event: Mapping[str, object], content: Mapping[str, object], sender: UserId) -> Change | None:
    body = content.get("body")
    if not isinstance(body, str):
        return None
    room_id, event_id = _room_id(event), EventId(_identifier(event.get("event_id"), "$", "event_id"))
    thread = _thread(content) or event_id
    if (code := sign_in_code(body)) is not None:
        return SignInSent(room_id, event_id, sender, code, thread)
    if is_sign_out(body):
        return SignOutSent(room_id, event_id, sender, thread)
    replied_to = _replied_to(content)
    if replied_to:
        body = _without_fallback(body)
    first, _, rest = body.strip().partition(" ")
    addressed = first.lower() == PREFIX
    said = clean_text(rest if addressed else body, _MAX_COMMAND) or ""
    return CommandSent(room_id, event_id, sender, said, addressed, thread, replied_to)


def _replied_to(content: Mapping[str, object]) -> EventId | None:
    """Return what a message answers; in a thread without a reply of its own, what the thread is about."""
    relation = content.get("m.relates_to")
    if not isinstance(relation, Mapping):
        return None
    reply = relation.get("m.in_reply_to")
    if isinstance(reply, Mapping) and relation.get("is_falling_back") is not True:
        return _optional_event(reply.get("event_id"))
    return _thread(content)


def _without_fallback(body: str) -> str:
    """Return a reply's text without the quotation that clients put before it until Matrix 1.13."""
    lines = body.split("\n")
    quoted = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:])


def _thread(content: Mapping[str, object]) -> EventId | None:
    relation = content.get("m.relates_to")
    if not isinstance(relation, Mapping) or relation.get("rel_type") != "m.thread":
        return None
    return _optional_event(relation.get("event_id"))


def _optional_event(value: object) -> EventId | None:
    try:
        return EventId(_identifier(value, "$", "an event_id"))
    except MalformedEventError:
        return None  # what a message answers only adds to it


def _info(content: Mapping[str, object]) -> Mapping[str, object]:
    info = content.get("info")
    return info if isinstance(info, Mapping) else {}


def _video(event: Mapping[str, object], content: Mapping[str, object], sender: UserId, sort: Sort) -> NewVideo:
    # Some clients write what is not there as null; and what is no object has nothing to decrypt with.
    file = content.get("file")
    file = file if isinstance(file, Mapping) and file else None
    encrypted_file = _encrypted_file(file) if file else None
    source = file.get("url") if file else content.get("url")
    spoiler, reason = _spoiler(content)
    return NewVideo(
        event_id=EventId(_identifier(event.get("event_id"), "$", "event_id")),
        room_id=_room_id(event),
        sender=sender,
        title=_title(content, sort.kind),
        mxc=_mxc(source),
        encrypted_file=encrypted_file,
        claimed_size=_size(_info(content).get("size")),
        certain=sort.certain,
        sent_at=_time(event.get("origin_server_ts")),
        kind=sort.kind,
        choice=sort.choice,
        spoiler=spoiler,
        spoiler_reason=reason,
    )


def _spoiler(content: Mapping[str, object]) -> tuple[bool, str | None]:
    """Return whether a message's file is marked as a spoiler (MSC4193), and why."""
    marked = [name for name in _SPOILERS if content.get(name) is True]
    reasons = (clean_text(content.get(f"{name}.reason")) for name in marked)
    return bool(marked), next((reason for reason in reasons if reason), None)


def _is_edit(content: Mapping[str, object]) -> bool:
    relation = content.get("m.relates_to")
    return isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace"


def _edit(
    event: Mapping[str, object], content: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]
) -> VideoEdited | None:
    # An edit's own relation says what it replaces; one in what it brings says nothing (spec, "Event replacements").
    new = content.get("m.new_content")
    said = {key: value for key, value in new.items() if key != "m.relates_to"} if isinstance(new, Mapping) else {}
    now = _message({**event, "content": said}, bot, permissions)
    relation = content["m.relates_to"]
    if not isinstance(now, NewVideo | NewGallery) or not isinstance(relation, Mapping):
        return None
    target = EventId(_identifier(relation.get("event_id"), "$", "event_id of m.relates_to"))
    return VideoEdited.to(target, now)


def _file_name(content: Mapping[str, object]) -> str:
    return clean_text(content.get("filename")) or clean_text(content.get("body")) or ""


def _title(content: Mapping[str, object], kind: Kind) -> str:
    # With `filename` present, `body` is the caption (spec 1.10, "Media captions").
    body, name = clean_text(content.get("body")) or "", _file_name(content)
    return body if body and body != name else name_without_suffix(name, kind)


def _encrypted_file(file: Mapping[str, Any]) -> EncryptedFile:
    try:
        if not isinstance(file["url"], str) or file["v"] != "v2":
            raise MalformedEventError("file is not an EncryptedFile of version v2")
        key = decode_unpadded(file["key"]["k"])
        iv, sha256 = decode_unpadded(file["iv"]), decode_unpadded(file["hashes"]["sha256"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedEventError("file lacks its key, iv or hash") from error
    if (len(key), len(iv), len(sha256)) != (32, 16, 32):
        raise MalformedEventError("file has a key, iv or hash of the wrong length")
    return EncryptedFile(key=key, iv=iv, sha256=sha256)


def _redacted_event(event: Mapping[str, object]) -> EventId:
    # Room version 11 moved `redacts` into the content.
    target = _content(event).get("redacts", event.get("redacts"))
    return EventId(_identifier(target, "$", "redacts"))


def _redaction(event: Mapping[str, object]) -> Redacted:
    return Redacted(_room_id(event), _redacted_event(event), _user_id(event.get("sender"), "sender"))


def _reaction(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Reacted | SentByBot | None:
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(relation, Mapping):
        return None  # redacted
    if relation.get("rel_type") != "m.annotation":
        return None  # none of the spec's
    if event.get("sender") == bot:
        return _sent_by_bot(event, content)
    key = relation.get("key")
    # Some clients add the selector that asks for the coloured form.
    decision = _DECISIONS.get(key.rstrip("\ufe0f")) if isinstance(key, str) else None
    if decision is None:
        return None
    sender = _user_id(event.get("sender"), "sender")
    if not may_use(sender, permissions):
        return None
    target = EventId(_identifier(relation.get("event_id"), "$", "event_id of m.relates_to"))
    event_id = EventId(_identifier(event.get("event_id"), "$", "event_id"))
    return Reacted(_room_id(event), event_id, sender, target, decision)


def _membership(value: object) -> Membership:
    try:
        return Membership(str(value))
    except ValueError as error:
        raise MalformedEventError("membership is none of the spec's") from error


def _member(event: Mapping[str, object], bot: UserId) -> Change:
    content = _content(event)
    room_id, membership = _room_id(event), _membership(content.get("membership"))
    user_id = _user_id(event["state_key"], "state_key")
    if user_id == bot:
        sender = _user_id(event.get("sender"), "sender")
        direct = content.get("is_direct") is True
        return BotMembershipChanged(room_id, membership, sender, direct, _state_event_id(event))
    avatar = content.get("avatar_url")
    return MemberChanged(
        room_id=room_id,
        user_id=user_id,
        membership=membership,
        display_name=clean_text(content.get("displayname")),
        avatar_mxc=avatar if isinstance(avatar, str) and _MXC.fullmatch(avatar) else None,
        event_id=_state_event_id(event),
    )


def _policy(kind: str, event: Mapping[str, object]) -> PolicyChanged:
    state_key = event["state_key"]
    if not isinstance(state_key, str) or len(state_key) > _MAX_ID or "\x00" in state_key:
        raise MalformedEventError("state_key is not a short text")
    rule = read_rule(kind, state_key, event.get("content"))
    return PolicyChanged(_room_id(event), kind, state_key, rule, _state_event_id(event))


def _lifetime(value: object) -> int | None:
    # What is no time at all must not take everything away.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def history_of(value: object) -> History:
    """Return what a `history_visibility` means for members."""
    # `world_readable` tells members no more than `shared` does, which is what holds where nothing valid is said.
    return History(value) if value in ("invited", "joined") else History.SHARED


def _room_state(kind: str, event: Mapping[str, object]) -> Change | None:
    match kind:
        case "m.room.name":
            return RoomNamed(_room_id(event), clean_text(_content(event).get("name")), _state_event_id(event))
        case "m.room.power_levels":
            levels = {str(clean_json(k)): clean_json(v) for k, v in _content(event).items()}
            return PowerChanged(_room_id(event), levels, _state_event_id(event))
        case "m.room.encryption":
            return RoomEncrypted(_room_id(event))
        case "m.room.tombstone":
            replaced_by = _identifier(_content(event).get("replacement_room"), "!", "replacement_room")
            return RoomReplaced(_room_id(event), RoomId(replaced_by), _state_event_id(event))
        case "m.room.history_visibility":
            history = history_of(_content(event).get("history_visibility"))
            return HistoryChanged(_room_id(event), history, _state_event_id(event))
        case "m.room.retention":
            lifetime = _lifetime(_content(event).get("max_lifetime"))
            return RetentionChanged(_room_id(event), lifetime, _state_event_id(event))
        case _:
            return None
