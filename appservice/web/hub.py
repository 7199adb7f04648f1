"""Dispatches the database's notifications of changes and progress to the widgets that listen in this process."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from appservice import metrics
from appservice.core.errors import UnavailableError
from appservice.core.model import RoomId, UserId
from appservice.database.opening import listen
from appservice.store.outbox import CHANNEL, PROGRESS_CHANNEL, SEGMENTS_CHANNEL, TALK_CHANNEL, WATCHING_CHANNEL

log = structlog.get_logger()

_RECONNECT_S = 1.0
# Who watches is sent once for all who come and go meanwhile; later in full rooms, where it goes to many.
_GATHER_S, _GATHER_EACH_S, _GATHER_LONGEST_S = 0.3, 0.01, 5.0

# A slow reader gets one event for all of these and more.
_MOST_TALKS = 50

T = TypeVar("T")
WatchingOf = Callable[[RoomId], Awaitable[Sequence[UserId]]]


@dataclass(frozen=True, slots=True)
class Notifications:
    """What a widget is to be notified of: `progress` and `watching` as JSON, `talks` as event ids (None: any)."""

    changed: bool
    progress: list[str]
    watching: str | None
    talks: list[str | None]


class Listener:
    """The pending notifications of one widget. Many changes are one, and of a video's progress the latest counts."""

    def __init__(self) -> None:
        self._pending = asyncio.Event()
        self._changed = False
        self._progress: dict[str, str] = {}
        self._watching: str | None = None
        self._talks: dict[str | None, None] = {}
        self.has_ended = False

    def end(self) -> None:
        """End the listener's stream: it must make room for a newer one."""
        self.has_ended = True
        self._pending.set()

    def notify_changed(self) -> None:
        """Note that the room changed."""
        self._changed = True
        self._pending.set()

    def notify_progress(self, video_id: str, data: str) -> None:
        """Note how far a video is, as the JSON of a `ProgressEvent`."""
        self._progress[video_id] = data
        self._pending.set()

    def notify_watching(self, data: str) -> None:
        """Note who watches the channel, as the JSON of a `WatchingEvent`."""
        self._watching = data
        self._pending.set()

    def notify_talk(self, event_id: str | None) -> None:
        """Note something new about an event of the room; None: maybe about any of them."""
        self._talks[event_id] = None
        if None in self._talks or len(self._talks) > _MOST_TALKS:
            self._talks = {None: None}
        self._pending.set()

    async def wait(self) -> None:
        """Return when there is a notification."""
        await self._pending.wait()

    def take(self) -> Notifications:
        """Return all pending notifications, which are pending no longer."""
        taken = Notifications(self._changed, list(self._progress.values()), self._watching, list(self._talks))
        self._changed, self._progress, self._watching, self._talks = False, {}, None, {}
        self._pending.clear()
        return taken


class Hub:
    """Listeners by room."""

    def __init__(self, dsn: str, watching_of: WatchingOf, on_change: Callable[[], None]) -> None:
        self._dsn = dsn
        self._on_change = on_change
        self._watching_of = watching_of
        self._gathering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._awaiting_segments: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listening(self, room_id: RoomId) -> Iterator[Listener]:
        """Yield a listener to what happens in a room."""
        with _among(self._listeners, room_id, Listener()) as listener, metrics.VIEWERS.track_inprogress():
            yield listener

    @contextmanager
    def more_segments(self, room_id: RoomId) -> Iterator[asyncio.Event]:
        """Yield an event that is set when there are more segments of a room's videos."""
        with _among(self._awaiting_segments, room_id, asyncio.Event()) as event:
            yield event

    def wake(self, room_id: str) -> None:
        """Notify all of a room that it changed."""
        self._on_change()
        self.notify_segments(room_id)
        for listener in self._listeners.get(room_id, ()):
            listener.notify_changed()

    def notify_segments(self, room_id: str) -> None:
        """Notify those who wait for more segments of a room's videos."""
        for event in self._awaiting_segments.get(room_id, ()):
            event.set()

    def _dispatch_progress(self, data: str) -> None:
        progress = json.loads(data)
        for listener in self._listeners.get(progress["room_id"], ()):
            listener.notify_progress(progress["video_id"], data)

    def _talk(self, data: str) -> None:
        talk = json.loads(data)
        for listener in self._listeners.get(talk["room_id"], ()):
            listener.notify_talk(talk["event_id"])

    def _others_watch(self, room_id: str) -> None:
        if room_id in self._listeners and room_id not in self._gathering:
            self._gathering.add(room_id)
            task = asyncio.create_task(self._notify_watching(RoomId(room_id)))
            self._tasks.add(task)  # the loop alone would let go of it
            task.add_done_callback(self._tasks.discard)

    async def _notify_watching(self, room_id: RoomId) -> None:
        await asyncio.sleep(min(_GATHER_LONGEST_S, _GATHER_S + _GATHER_EACH_S * len(self._listeners.get(room_id, ()))))
        self._gathering.discard(room_id)  # who comes or goes from here on is counted the next time
        try:
            data = json.dumps({"room_id": room_id, "watching": await self._watching_of(room_id)})
        except UnavailableError:
            return  # after an outage every widget looks again
        for listener in self._listeners.get(room_id, ()):
            listener.notify_watching(data)

    def _wake_all(self) -> None:
        for room_id in {*self._listeners, *self._awaiting_segments}:
            self.wake(room_id)
            for listener in self._listeners.get(room_id, ()):
                listener.notify_talk(None)

    async def run(self) -> None:
        """Listen to the database for ever; after an outage every widget looks again, for changes were missed."""
        while True:
            try:
                channels = {
                    CHANNEL: self.wake, PROGRESS_CHANNEL: self._dispatch_progress, WATCHING_CHANNEL: self._others_watch,
                    SEGMENTS_CHANNEL: self.notify_segments, TALK_CHANNEL: self._talk,
                }  # fmt: skip
                await listen(self._dsn, channels, on_ready=self._wake_all)
            except UnavailableError as error:
                log.warning("announcements_interrupted", reason=str(error))
            await asyncio.sleep(_RECONNECT_S)


@contextmanager
def _among(rooms: defaultdict[str, set[T]], room_id: RoomId, one: T) -> Iterator[T]:
    """Hold one among those of a room; a room without any is dropped."""
    rooms[room_id].add(one)
    try:
        yield one
    finally:
        rooms[room_id].discard(one)
        if not rooms[room_id]:
            del rooms[room_id]
