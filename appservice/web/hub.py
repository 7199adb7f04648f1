"""Passes changes of rooms and progress, heard from the database, on to the widgets that listen in this process."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from appservice import metrics
from appservice.changes import CHANNEL, PROGRESS_CHANNEL
from appservice.database import listen
from appservice.errors import UnavailableError
from appservice.model import RoomId

log = structlog.get_logger()

_RECONNECT_S = 1.0


class Listener:
    """What one widget has not been told yet. Many changes are one, and of a video's progress the latest counts."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._changed = False
        self._progress: dict[str, str] = {}

    def tell_changed(self) -> None:
        """Take note that the room changed."""
        self._changed = True
        self._news.set()

    def tell_progress(self, video_id: str, data: str) -> None:
        """Take note of how far a video is, as the JSON of a `ProgressEvent`."""
        self._progress[video_id] = data
        self._news.set()

    async def wait(self) -> None:
        """Return when there is something to tell."""
        await self._news.wait()

    def take(self) -> tuple[bool, list[str]]:
        """Return whether the room changed, and the progress of its videos; from now on they count as told."""
        taken = self._changed, list(self._progress.values())
        self._changed, self._progress = False, {}
        self._news.clear()
        return taken


class Hub:
    """Listeners by room."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)

    @contextmanager
    def listening(self, room_id: RoomId) -> Iterator[Listener]:
        """Yield a listener to what happens in a room."""
        listener = Listener()
        self._listeners[room_id].add(listener)
        metrics.VIEWERS.inc()
        try:
            yield listener
        finally:
            metrics.VIEWERS.dec()
            self._listeners[room_id].discard(listener)
            if not self._listeners[room_id]:
                del self._listeners[room_id]

    def _wake(self, room_id: str) -> None:
        for listener in self._listeners.get(room_id, ()):
            listener.tell_changed()

    def _pass_on(self, data: str) -> None:
        progress = json.loads(data)
        for listener in self._listeners.get(progress["room_id"], ()):
            listener.tell_progress(progress["video_id"], data)

    def _wake_all(self) -> None:
        for room_id in list(self._listeners):
            self._wake(room_id)

    async def run(self) -> None:
        """Listen to the database for ever; after an outage every widget looks again, for changes were missed."""
        while True:
            try:
                channels = {CHANNEL: self._wake, PROGRESS_CHANNEL: self._pass_on}
                await listen(self._dsn, channels, on_ready=self._wake_all)
            except UnavailableError as error:
                log.warning("announcements_interrupted", reason=str(error))
            await asyncio.sleep(_RECONNECT_S)
