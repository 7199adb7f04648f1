"""Passes changes of rooms, heard from the database, on to the widgets that listen in this process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog

from appservice import metrics
from appservice.model import RoomId
from appservice.store import CHANNEL

log = structlog.get_logger()

_RECONNECT_S = 1.0
_CHECK_S = 10.0


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

    def _on_notify(self, _connection: object, _pid: int, _channel: str, room_id: object) -> None:
        for event in self._listeners.get(str(room_id), ()):
            event.set()

    async def run(self) -> None:
        """Listen to the database for ever; after an outage every widget looks again, for changes were missed."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("announcements_interrupted", reason=str(error) or type(error).__name__)
            await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=10)
        try:
            await connection.add_listener(CHANNEL, self._on_notify)
            for events in self._listeners.values():
                for event in events:
                    event.set()
            while True:
                await asyncio.sleep(_CHECK_S)
                await connection.execute("SELECT 1", timeout=_CHECK_S)
        finally:
            await connection.close(timeout=1)
