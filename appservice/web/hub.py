"""Dispatches the database's notifications of changes and progress to the widgets that listen in this process."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from appservice import metrics
from appservice.core.errors import UnavailableError
from appservice.core.model import RoomId, UserId
from appservice.database.opening import listen
from appservice.store.outbox import (
    CHANNEL,
    PROGRESS_CHANNEL,
    REVISIONS_CHANNEL,
    SEGMENTS_CHANNEL,
    TALK_CHANNEL,
    WATCHING_CHANNEL,
)
from appservice.web.followers import Follower

log = structlog.get_logger()

_RECONNECT_S = 1.0
# Who watches is sent once for all who come and go meanwhile; later in full rooms, where it goes to many.
_GATHER_S, _GATHER_EACH_S, _GATHER_LONGEST_S = 0.3, 0.01, 5.0

_KEEP_ALIVE_S = 15.0
# Changes of a room that come so close together are brought as one.
_SETTLE_S = 0.1

# A slow reader gets one event for all of these and more.
_MOST_TALKS = 50

T = TypeVar("T")
WatchingOf = Callable[[RoomId], Awaitable[Sequence[UserId]]]
Deliver = Callable[[RoomId, list[Follower]], Awaitable[None]]
"""Lets followers of a room be sent what is new to each (`Followers.deliver`)."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """What a widget is to be notified of: `progress` and `watching` as JSON, `talks` as event ids (None: any).

    `is_idle`: nothing else was to be sent for a while.
    """

    changed: bool
    progress: list[str]
    watching: str | None
    talks: list[str | None]
    is_idle: bool = False


class Listener:
    """The pending notifications of one widget. Many changes are one, and of a video's progress the latest counts.

    `follower` is there where it follows the room by number: then it is not notified of changes, but gets them.
    """

    __slots__ = (
        "_changed", "_heard", "_idle", "_pending", "_progress", "_talks", "_watching", "follower", "has_ended",
    )  # fmt: skip

    def __init__(self, follower: Follower | None = None) -> None:
        self._pending = asyncio.Event()
        self._changed = False
        self._progress: dict[str, str] = {}
        self._watching: str | None = None
        self._talks: dict[str | None, None] = {}
        self._heard = self._idle = False
        self.follower = follower
        if follower:
            follower.on_news = self._pending.set
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

    def keep_alive(self) -> None:
        """Note that time has passed: who had nothing since the last time is to say that it is still there."""
        self._idle, self._heard = not self._heard, False
        if self._idle:
            self._pending.set()

    async def wait(self) -> None:
        """Return when there is a notification."""
        await self._pending.wait()

    def take(self) -> Notifications:
        """Return all pending notifications, which are pending no longer."""
        taken = Notifications(
            self._changed, list(self._progress.values()), self._watching, list(self._talks), self._idle
        )
        self._changed, self._progress, self._watching, self._talks = False, {}, None, {}
        # To say that it is still there is no news: the next time it is to say so again.
        self._heard, self._idle = not self._idle, False
        self._pending.clear()
        return taken


class Hub:
    """Listeners by room."""

    def __init__(self, dsn: str, watching_of: WatchingOf, on_change: Callable[[], None], deliver: Deliver) -> None:
        self._dsn = dsn
        self._deliver = deliver
        # Whom a delivery that is soon to begin is for; None: all who follow the room.
        self._delivering: dict[str, set[Follower] | None] = {}
        # When the first change was announced that the next delivery brings.
        self._revised_at: dict[str, float] = {}
        self._on_change = on_change
        self._watching_of = watching_of
        self._gathering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._awaiting_segments: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.has_ended = False

    @contextmanager
    def listening(self, room_id: RoomId, follower: Follower | None = None) -> Iterator[Listener]:
        """Yield a listener to what happens in a room."""
        with _among(self._listeners, room_id, Listener(follower)) as listener, metrics.VIEWERS.track_inprogress():
            yield listener

    @contextmanager
    def more_segments(self, room_id: RoomId) -> Iterator[asyncio.Event]:
        """Yield an event that is set when there are more segments of a room's videos."""
        with _among(self._awaiting_segments, room_id, asyncio.Event()) as event:
            yield event

    def end(self) -> None:
        """End all streams, and all that waits for segments: their clients come again, to another process."""
        self.has_ended = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()
        for room_id in self._awaiting_segments:
            self.notify_segments(room_id)

    def wake(self, room_id: str) -> None:
        """Notify all of a room that it changed."""
        self._on_change()
        self.notify_segments(room_id)
        for listener in self._listeners.get(room_id, ()):
            if listener.follower is None:
                listener.notify_changed()
        # Also where nothing is new: somebody may have been signed out, or be banned by a policy list.
        self.bring(room_id)

    def _revised(self, data: str) -> None:
        room_id = data.partition(" ")[2]
        if room_id in self._listeners:
            self._revised_at.setdefault(room_id, time.monotonic())
        self.bring(room_id)

    def bring(self, room_id: str, newcomer: Follower | None = None) -> None:
        """Let those who follow a room, or a newcomer alone, get what is new, soon and together."""
        is_starting = room_id in self._delivering
        if newcomer:
            whom = self._delivering.setdefault(room_id, set())
            if whom is not None:
                whom.add(newcomer)
        elif any(listener.follower for listener in self._listeners.get(room_id, ())):
            self._delivering[room_id] = None
        if not is_starting and room_id in self._delivering:
            self._start(self._bring(RoomId(room_id)))

    async def _bring(self, room_id: RoomId) -> None:
        await asyncio.sleep(_SETTLE_S)
        whom = self._delivering.pop(room_id)  # what comes from here on is brought the next time
        # Two deliveries at a time would bring things twice, or in another order.
        async with self._turns[room_id]:
            all_here = [each.follower for each in self._listeners.get(room_id, ()) if each.follower]
            followers = [each for each in all_here if whom is None or each in whom]
            revised_at = self._revised_at.pop(room_id, None)
            for follower in followers:
                follower.revised_at = revised_at
            try:
                await self._deliver(room_id, followers)
            except Exception as error:
                if isinstance(error, UnavailableError):
                    log.warning("changes_not_delivered", reason=str(error))
                else:
                    log.exception("changes_not_delivered")
                for follower in followers:
                    follower.end()  # they connect again, by the number that they have
        if room_id not in self._listeners:
            self._turns.pop(room_id, None)

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
            self._start(self._notify_watching(RoomId(room_id)))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
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

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_ALIVE_S)
            for listeners in list(self._listeners.values()):
                for listener in listeners:
                    listener.keep_alive()

    async def run(self) -> None:
        """Listen to the database for ever; after an outage every widget looks again, for changes were missed."""
        ticking = asyncio.create_task(self._keep_alive())
        try:
            await self._listen()
        finally:
            ticking.cancel()

    async def _listen(self) -> None:
        while True:
            try:
                channels = {
                    CHANNEL: self.wake, PROGRESS_CHANNEL: self._dispatch_progress, WATCHING_CHANNEL: self._others_watch,
                    SEGMENTS_CHANNEL: self.notify_segments, TALK_CHANNEL: self._talk, REVISIONS_CHANNEL: self._revised,
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
