"""Errors of encryption: of the interface of python-olm, and of what is decrypted."""

from collections.abc import Iterator
from contextlib import contextmanager

from appservice.core.errors import RoomreelError


class OlmError(Exception):
    """Root of the errors of this interface."""


class KeyMissingError(RoomreelError):
    """The key of an event has not come (yet); `later`: one is there that decrypts what was sent after it."""

    def __init__(self, session_id: str, *, later: bool = False) -> None:
        super().__init__(f"The key {session_id} has not come.")
        self.later = later


class KeyWithheldError(RoomreelError):
    """The sender's device refused the key; `code` as in `m.room_key.withheld`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The sender's device refused the key: {code}.")
        self.code = code


class UnreadableError(RoomreelError):
    """An event that will never be read."""


class DevicesUnknownError(RoomreelError):
    """A user's homeserver does not say which devices they have; it may later."""

    def __init__(self, user_id: str) -> None:
        super().__init__(f"The homeserver of {user_id} does not say which devices they have.")


class CrossSigningError(RoomreelError):
    """The device cannot be cross-signed; the text says what to do."""


class DeviceLostError(RoomreelError):
    """The homeserver has not got the bot's device any more; the text says what to do."""


class NoDeviceError(RoomreelError):
    """The bot has no device yet."""

    def __init__(self) -> None:
        super().__init__("The bot has no device yet: the first start of `roomreel serve` makes it.")


@contextmanager
def raising(error: type[OlmError]) -> Iterator[None]:
    """Raise `error` for each error of vodozemac's: all of these are ValueErrors."""
    try:
        yield
    except ValueError as cause:
        raise error(str(cause)) from cause
