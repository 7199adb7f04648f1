"""Comments on videos and reactions to them, fetched from the homeserver once for all concurrent requests."""

import asyncio
from contextlib import suppress
from weakref import WeakValueDictionary

from appservice.core.errors import ForbiddenError, RefusedByHomeserverError
from appservice.core.events.relations import Relation, attributed, read_relations
from appservice.core.model import EventId, Video, VideoId
from appservice.matrix.client import HomeserverClient
from appservice.store import SentForStore

_AT_ONCE = 4
"""Fetches in this process: each parses pages of events of up to 64 KiB, some with an edit as long."""
_EVERY_S = 1.0
_REPLIES, _REPLIES_PAGE = 500, 50
_REACTIONS, _REACTIONS_PAGE = 1000, 100
_PLAIN_REPLIES = 20
_MOST_TEXT = 2**20
"""Characters that are held of one video's comments, and of its reactions, or a page more."""
_SEARCHED = 100
"""Pages of reactions among which the bot's own is searched for."""


class RelationReader:
    """Reads comments and reactions; one instance for a process.

    Nothing of it is cached, so that every caller gets what is there now. Raises HomeserverError, or ForbiddenError,
    as the homeserver's client does.
    """

    def __init__(self, homeserver: HomeserverClient, sent_for: SentForStore) -> None:
        self._homeserver = homeserver
        self._sent_for = sent_for
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._next: dict[VideoId, asyncio.Task[list[Relation]]] = {}
        self._turns: WeakValueDictionary[VideoId, asyncio.Lock] = WeakValueDictionary()

    async def about(self, video: Video) -> list[Relation]:
        """Return a video's comments and reactions, for any caller: by a fetch that begins later than now.

        Those who call while one is in progress, or within a second of its beginning, share the next.
        """
        task = self._next.get(video.id)
        if task is None:
            task = self._next[video.id] = asyncio.create_task(self._fetch_in_turn(video))
            task.add_done_callback(_look_at_error)
        return await asyncio.shield(task)

    async def _fetch_in_turn(self, video: Video) -> list[Relation]:
        turn = self._turns.setdefault(video.id, asyncio.Lock())
        await turn.acquire()
        async with self._slots:
            del self._next[video.id]  # a call from here on is to have a later one
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                return await self._fetch(video)
            finally:
                loop.call_at(began + _EVERY_S, turn.release)

    async def _fetch(self, video: Video) -> list[Relation]:
        (replies, is_whole), (reactions, _) = await asyncio.gather(
            self._read(video, "m.thread", "m.room.message", _REPLIES_PAGE, _REPLIES),
            self._read(video, "m.annotation", "m.reaction", _REACTIONS_PAGE, _REACTIONS),
        )
        bot = self._homeserver.bot
        if is_whole and not any(each.sender == bot and each.nonce for each in replies):
            replies += await self._plain_replies(video)
        found = [*replies, *reactions]
        # Queried later than the homeserver: whose they are was stored before they were sent.
        own = {EventId(each.event_id): each.nonce for each in found if each.sender == bot}
        return attributed(found, await self._sent_for.about(video, own), bot)

    async def _read(self, video: Video, rel_type: str, kind: str, page: int, most: int) -> tuple[list[Relation], bool]:
        """Return the newest events that relate to a video's in one way, and whether these are all of them."""
        found: list[Relation] = []
        seen, length, start = 0, 0, None
        while True:
            events, start = await self._homeserver.relations(video.sent_in, video.event_id, rel_type, kind, start, page)
            read = [each for event in events for each in read_relations(event, kind, self._homeserver.bot)]
            found += read
            seen += len(events)
            length += sum(each.length for each in read)
            if start is None or seen >= most or length >= _MOST_TEXT:
                return found, start is None

    async def _plain_replies(self, video: Video) -> list[Relation]:
        """Return what no list of relations has: comments of the bot's on a video that is itself within a thread."""

        async def read(event_id: EventId) -> list[Relation]:
            with suppress(RefusedByHomeserverError, ForbiddenError):  # it is gone
                event = await self._homeserver.event(video.sent_in, event_id)
                return read_relations(event, "m.room.message", self._homeserver.bot)
            return []

        newest = await self._sent_for.newest_comments(video, _PLAIN_REPLIES)
        return [each for read_of_one in await asyncio.gather(*map(read, newest)) for each in read_of_one]

    async def own_reaction(self, video: Video, key: str) -> Relation | None:
        """Return the bot's own reaction to a video with exactly this key."""
        start = None
        for _ in range(_SEARCHED):
            events, start = await self._homeserver.relations(
                video.sent_in, video.event_id, "m.annotation", "m.reaction", start, _REACTIONS_PAGE
            )
            for event in events:
                for each in read_relations(event, "m.reaction", self._homeserver.bot):
                    if each.sender == self._homeserver.bot and each.key == key:
                        return each
            if start is None:
                break
        return None


def _look_at_error(task: asyncio.Task[list[Relation]]) -> None:
    """Retrieve a failure that nobody waits for any more, lest asyncio logs it as never retrieved."""
    if not task.cancelled():
        task.exception()
