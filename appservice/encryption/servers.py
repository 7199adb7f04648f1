"""Homeservers that did not respond: for a while nobody waits for them again."""

import time
from collections.abc import Callable

_DOWN_S = 15.0
_MOST = 1000


class Servers:
    """The servers that did not respond lately; in memory for so many at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._down: dict[str, float] = {}

    def failed(self, server: str) -> None:
        """Note that a server did not respond."""
        if len(self._down) >= _MOST:
            self._down.clear()
        self._down[server] = self._clock() + _DOWN_S

    def is_down(self, server: str) -> bool:
        """Say whether a server did not respond a moment ago."""
        until = self._down.get(server)
        if until is not None and until <= self._clock():
            del self._down[server]
            until = None
        return until is not None


def server_of(user_id: str) -> str:
    """Return the name of a user's homeserver."""
    return user_id.partition(":")[2]
