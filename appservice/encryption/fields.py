"""Reads fields of hostile JSON, as strings that PostgreSQL and a homeserver take. Raises MalformedEventError."""

from collections.abc import Mapping
from typing import Any

from mautrix.types import IdentityKey, RoomID, SessionID, ToDeviceEvent

from appservice.core.errors import MalformedEventError

_ID_BYTES = 255
_KEY_CHARACTERS = 43  # 32 bytes in base64 without padding


def content_of(event: ToDeviceEvent) -> dict[str, Any]:
    """Return an event's content as JSON."""
    try:
        content = event.content.serialize()
    except (TypeError, ValueError, AttributeError) as error:  # a field `serialize` stands for the method
        raise MalformedEventError("content cannot be read") from error
    if not isinstance(content, dict):
        raise MalformedEventError("content is no object")
    return content


def text_of(content: Mapping[str, Any], name: str, most: int = _ID_BYTES) -> str:
    """Read a string of at most `most` bytes, without control characters."""
    value = content.get(name)
    if not isinstance(value, str) or not value or any(ord(letter) < ord(" ") for letter in value):
        raise MalformedEventError(f"{name} is no text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise MalformedEventError(f"{name} has half a character") from error
    if size > most:
        raise MalformedEventError(f"{name} has more than {most} bytes")
    return value


def key_of(content: Mapping[str, Any], name: str) -> IdentityKey:
    """Read a Curve25519 or Ed25519 key in base64 without padding."""
    value = text_of(content, name)
    if len(value) != _KEY_CHARACTERS or not value.isascii():
        raise MalformedEventError(f"{name} is no key")
    return IdentityKey(value)


def session_of(content: Mapping[str, Any]) -> SessionID:
    """Read the id of a Megolm session, which is a key."""
    return SessionID(key_of(content, "session_id"))


def room_of(content: Mapping[str, Any]) -> RoomID:
    """Read a room's id."""
    value = text_of(content, "room_id")
    if not value.startswith("!"):
        raise MalformedEventError("room_id is no id of a room")
    return RoomID(value)
