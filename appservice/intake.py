"""From an event to what it changes, or to nothing. Pure.

Rule: everything in an event is hostile until checked here. An event of no interest is None; one
of interest but of the wrong form is a MalformedEventError, which the caller logs and skips.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from appservice.errors import MalformedEventError
from appservice.model import EncryptedFile, EventId, Membership, RoomId, UserId
from appservice.permissions import Level, may_use
from appservice.tokens import decode_unpadded

MAX_TITLE = 200
_MAX_ID = 255
# No part begins with a dot: `..` would climb out of the download path.
_MXC = re.compile(r"mxc://(?!\.)[A-Za-z0-9.:\[\]-]{1,255}/(?!\.)[A-Za-z0-9_=.-]{1,255}", re.ASCII)
_USER_ID = re.compile(r"@[^:\x00]{0,254}:[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
_VIDEO_SUFFIXES = frozenset(
    {"mp4", "m4v", "mov", "webm", "mkv", "avi", "3gp", "3g2", "ts", "mts", "m2ts", "mpg", "mpeg", "flv", "ogv", "wmv"}
)
_UNTOLD_TYPES = frozenset({"", "application/octet-stream", "application/x-matroska"})


@dataclass(frozen=True, slots=True)
class NewVideo:
    """A message that carries a video, or a file that may turn out to be one (`certain` is false)."""

    event_id: EventId
    room_id: RoomId
    sender: UserId
    title: str
    mxc: str
    encrypted_file: EncryptedFile | None
    claimed_size: int | None
    certain: bool
    sent_at: int


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody other than the bot is now a member, or no longer one."""

    room_id: RoomId
    user_id: UserId
    membership: Membership
    display_name: str | None
    avatar_mxc: str | None


@dataclass(frozen=True, slots=True)
class BotMembershipChanged:
    """The bot was invited, has joined, or was sent away; `sender` did it."""

    room_id: RoomId
    membership: Membership
    sender: UserId


@dataclass(frozen=True, slots=True)
class RoomNamed:
    """The room has this name now."""

    room_id: RoomId
    name: str | None


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The room has this `m.room.power_levels` content now."""

    room_id: RoomId
    content: dict[str, object]


@dataclass(frozen=True, slots=True)
class RoomEncrypted:
    """The room turned on encryption, which cannot be turned off."""

    room_id: RoomId


@dataclass(frozen=True, slots=True)
class RoomReplaced:
    """The room was upgraded (`m.room.tombstone`)."""

    room_id: RoomId
    replaced_by: RoomId


@dataclass(frozen=True, slots=True)
class Redacted:
    """An event was redacted; if it brought a video, the video goes."""

    room_id: RoomId
    target: EventId


Change = (
    NewVideo | MemberChanged | BotMembershipChanged | RoomNamed | PowerChanged | RoomEncrypted | RoomReplaced | Redacted
)


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
            return _video(event, bot, permissions)
        case "m.room.redaction", _:
            return _redaction(event)
        case "m.room.member", True:
            return _member(event, bot)
        case str(kind), True if event["state_key"] == "":
            return _room_state(kind, event)
        case _:
            return None


def clean_text(value: object, limit: int = MAX_TITLE) -> str | None:
    """Return `value` as text that PostgreSQL and a terminal can hold, cut to `limit`; None when it is no text."""
    if not isinstance(value, str):
        return None
    # The two joiners are part of words in many scripts and of emoji; other invisible characters only deceive.
    printable = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in value[: limit * 4])
    return " ".join(printable.split())[:limit] or None


def clean_json(value: object) -> object:
    """Return `value` without what a jsonb column refuses: NUL characters and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(clean_json(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    return value


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


def _video(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> NewVideo | None:
    content = event.get("content")
    if not isinstance(content, Mapping) or content.get("msgtype") not in ("m.video", "m.file"):
        return None  # redacted, or another kind of message (not a set: it need not be hashable)
    sender = _user_id(event.get("sender"), "sender")
    if sender == bot or not may_use(sender, permissions) or _is_edit(content):
        return None
    info = content.get("info")
    info = info if isinstance(info, Mapping) else {}
    certain = content.get("msgtype") == "m.video" or str(info.get("mimetype", "")).startswith("video/")
    if not certain and not _may_be_video(content, info):
        return None
    encrypted_file = _encrypted_file(content["file"]) if "file" in content else None
    source = content["file"]["url"] if encrypted_file else content.get("url")
    return NewVideo(
        event_id=EventId(_identifier(event.get("event_id"), "$", "event_id")),
        room_id=_room_id(event),
        sender=sender,
        title=_title(content),
        mxc=_mxc(source),
        encrypted_file=encrypted_file,
        claimed_size=_size(info.get("size")),
        certain=certain,
        sent_at=_time(event.get("origin_server_ts")),
    )


def _is_edit(content: Mapping[str, object]) -> bool:
    relation = content.get("m.relates_to")
    return isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace"


def _file_name(content: Mapping[str, object]) -> str:
    return clean_text(content.get("filename")) or clean_text(content.get("body")) or ""


def _may_be_video(content: Mapping[str, object], info: Mapping[str, object]) -> bool:
    # Some clients send every attachment as m.file, with a type that says nothing.
    suffix = _file_name(content).rpartition(".")[2].lower()
    return suffix in _VIDEO_SUFFIXES or str(info.get("mimetype", "")) in _UNTOLD_TYPES


def _title(content: Mapping[str, object]) -> str:
    # With `filename` present, `body` is the caption (spec 1.10, "Media captions").
    body, name = clean_text(content.get("body")) or "", _file_name(content)
    if body and body != name:
        return body
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and suffix.lower() in _VIDEO_SUFFIXES else name


def _encrypted_file(file: object) -> EncryptedFile:
    try:
        if not isinstance(file, Mapping) or not isinstance(file["url"], str) or file["v"] != "v2":
            raise MalformedEventError("file is not an EncryptedFile of version v2")
        key = decode_unpadded(file["key"]["k"])
        iv, sha256 = decode_unpadded(file["iv"]), decode_unpadded(file["hashes"]["sha256"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedEventError("file lacks its key, iv or hash") from error
    if (len(key), len(iv), len(sha256)) != (32, 16, 32):
        raise MalformedEventError("file has a key, iv or hash of the wrong length")
    return EncryptedFile(key=key, iv=iv, sha256=sha256)


def _redaction(event: Mapping[str, object]) -> Redacted:
    # Room version 11 moved `redacts` into the content.
    target = _content(event).get("redacts", event.get("redacts"))
    return Redacted(_room_id(event), EventId(_identifier(target, "$", "redacts")))


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
        return BotMembershipChanged(room_id, membership, _user_id(event.get("sender"), "sender"))
    avatar = content.get("avatar_url")
    return MemberChanged(
        room_id=room_id,
        user_id=user_id,
        membership=membership,
        display_name=clean_text(content.get("displayname")),
        avatar_mxc=avatar if isinstance(avatar, str) and _MXC.fullmatch(avatar) else None,
    )


def _room_state(kind: str, event: Mapping[str, object]) -> Change | None:
    match kind:
        case "m.room.name":
            return RoomNamed(_room_id(event), clean_text(_content(event).get("name")))
        case "m.room.power_levels":
            return PowerChanged(
                _room_id(event), {str(clean_json(k)): clean_json(v) for k, v in _content(event).items()}
            )
        case "m.room.encryption":
            return RoomEncrypted(_room_id(event))
        case "m.room.tombstone":
            replaced_by = _identifier(_content(event).get("replacement_room"), "!", "replacement_room")
            return RoomReplaced(_room_id(event), RoomId(replaced_by))
        case _:
            return None
