"""Reads the fields of events, which are hostile until they are checked: raises MalformedEventError. Pure."""

import re
from collections.abc import Mapping
from typing import TypeGuard

from appservice.core.errors import MalformedEventError
from appservice.core.events.behalf import NONCE, NONCE_PATTERN
from appservice.core.model import EventId, RoomId, UserId

MAX_ID = 255
"""How long an identifier of the Matrix specification can be."""
# No part begins with a dot: `..` would climb out of the download path.
_MXC = re.compile(r"mxc://(?!\.)[A-Za-z0-9.:\[\]-]{1,255}/(?!\.)[A-Za-z0-9_=.-]{1,255}", re.ASCII)
_USER_ID = re.compile(r"@[^:\x00]{0,254}:[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
_NONCE = re.compile(NONCE_PATTERN, re.ASCII)


def identifier(value: object, sigil: str, what: str) -> str:
    """Return an identifier of the Matrix specification that begins with its sigil; `what` names it."""
    if not isinstance(value, str) or not value.startswith(sigil) or len(value) > MAX_ID or not value.isprintable():
        raise MalformedEventError(f"{what} is not a Matrix identifier")
    return value


def room_id_of(event: Mapping[str, object]) -> RoomId:
    """Return the room of an event."""
    return RoomId(identifier(event.get("room_id"), "!", "room_id"))


def user_id_of(value: object, what: str) -> UserId:
    """Return a user id; `what` names it."""
    if not _USER_ID.fullmatch(user_id := identifier(value, "@", what)):
        raise MalformedEventError(f"{what} is not a Matrix user id")
    return UserId(user_id)


def state_event_id_of(event: Mapping[str, object]) -> EventId | None:
    """Return a state event's id; the state of a room may come without it."""
    # The state of a room may come without it.
    return EventId(identifier(event["event_id"], "$", "event_id")) if "event_id" in event else None


def content_of(event: Mapping[str, object]) -> Mapping[str, object]:
    """Return an event's content."""
    content = event.get("content")
    if not isinstance(content, Mapping):
        raise MalformedEventError("content is not an object")
    return content


def is_mxc(value: object) -> TypeGuard[str]:
    """Say whether a value is a content URI."""
    return isinstance(value, str) and _MXC.fullmatch(value) is not None


def mxc_of(value: object) -> str:
    """Return a content URI."""
    if not is_mxc(value):
        raise MalformedEventError("url is not a Matrix content URI")
    return value


def size_of(value: object) -> int | None:
    """Return a size in bytes, None where there is none that can be."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def time_of(value: object) -> int:
    """Return a time in ms since the epoch."""
    # 2**53: what canonical JSON allows. A time in the future is cut to now by the database.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise MalformedEventError("origin_server_ts is not a time")
    return value


def nonce_of(content: Mapping[str, object]) -> str | None:
    """Return the nonce of a message of ours, None for others."""
    nonce = content.get(NONCE)
    return nonce if isinstance(nonce, str) and _NONCE.fullmatch(nonce) else None
