"""Passes changes of rooms, heard from the database, on to the widgets that listen in this process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from appservice import metrics
from appservice.changes import CHANNEL
from appservice.database import listen
from appservice.errors import UnavailableError
from appservice.model import RoomId

log = structlog.get_logger()

_RECONNECT_S = 1.0


class Hub:
    """Listeners by room. A change only sets an event: many changes at once wake a listener once."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listening(self, room_id: RoomId) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change of the room; who waits clears it."""
        event = asyncio.Event()
        self._listeners[room_id].add(event)
        metrics.VIEWERS.inc()
        try:
            yield event
        finally:
            metrics.VIEWERS.dec()
            self._listeners[room_id].discard(event)
            if not self._listeners[room_id]:
                del self._listeners[room_id]

    def _wake(self, room_id: str) -> None:
        for event in self._listeners.get(room_id, ()):
            event.set()

    def _wake_all(self) -> None:
        for room_id in list(self._listeners):
            self._wake(room_id)

    async def run(self) -> None:
        """Listen to the database for ever; after an outage every widget looks again, for changes were missed."""
        while True:
            try:
                await listen(self._dsn, CHANNEL, on_ready=self._wake_all, on_message=self._wake)
            except UnavailableError as error:
                log.warning("announcements_interrupted", reason=str(error))
            await asyncio.sleep(_RECONNECT_S)
