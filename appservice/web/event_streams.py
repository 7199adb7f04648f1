"""Limits on event streams of a session and of a user in this process: beyond, the oldest one ends."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from appservice.core.tokens import Session
from appservice.web.hub import Listener

MOST_PER_SESSION = 4
MOST_PER_USER = 32
"""A widget holds one; a user has as many as there are pages with it open, on all of their devices."""


class EventStreams:
    """The open event streams by session and by user, the oldest first."""

    def __init__(self) -> None:
        self._open: dict[Hashable, dict[Listener, None]] = {}

    @contextmanager
    def holding(self, session: Session, listener: Listener) -> Iterator[None]:
        """Count a stream until it ends, and end the oldest one of too many."""
        bounds: list[tuple[Hashable, int]] = [(session, MOST_PER_SESSION), (session.user_id, MOST_PER_USER)]
        for owner, most in bounds:
            held = self._open.setdefault(owner, {})
            held[listener] = None
            if len(held) > most:
                oldest = next(iter(held))
                del held[oldest]
                oldest.end()
        try:
            yield
        finally:
            for owner, _ in bounds:
                if held := self._open.get(owner, {}):
                    held.pop(listener, None)
                    if not held:
                        del self._open[owner]
