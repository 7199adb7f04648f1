"""Rooms in this process's memory: as they were at the newest revision that was requested, and responses made of that.

Bounded: a room that is too much is read again when somebody comes back to it.
"""

import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from pydantic import BaseModel

from appservice import __version__
from appservice.core.errors import NotFoundError
from appservice.core.model import RoomId, State, UserId, Video, VideoId
from appservice.core.rules.power_levels import is_moderator
from appservice.core.schedule import Schedule, showing
from appservice.core.web.bytes_cache import BytesCache
from appservice.core.web.lists import EVERYBODY, Lists, around, everything
from appservice.core.web.reels import CHANNEL_KEY, channel, for_all, revision_of
from appservice.core.web.room_pages import Shared
from appservice.core.web.room_state import KEPT, Change, Rights, RoomState, brief, ordinal, since
from appservice.store import RoomRead, Stores
from appservice.web.clock import SharedClock
from appservice.web.once import Latest, Once

SMALL = 100
"""A room of so many videos is sent whole."""

_MOST_VIDEOS = 40_000
_MOST_RIGHTS = 32
_MOST_KNOWN = 1000
_MOST_IDS = 500  # of videos that somebody may not see, to be kept
_RIGHTS_S = 3.0
_MOST_WHOLE = 500
_LISTS_KEPT = 8  # revisions: after that they are made anew, not of what was
_BODIES, _BODIES_PER_ROOM = 32 * 1024 * 1024, 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """A response's JSON, compressed by gzip; `etag` names what it is made of."""

    etag: str
    compressed: bytes

    @classmethod
    def of(cls, key: str, view: BaseModel) -> Self:
        """Return a view, which `key` names; of another release the same may be written otherwise."""
        etag = hashlib.sha256(f"{__version__}-{key}".encode()).hexdigest()[:24]
        return cls(f'"{etag}"', gzip.compress(view.model_dump_json().encode(), compresslevel=6, mtime=0))

    def json(self) -> bytes:
        """Return it as it was before."""
        return gzip.decompress(self.compressed)


@dataclass(frozen=True, slots=True)
class Program:
    """What the channel plays since a revision: its address, and its schedule."""

    since: int
    channel: str | None
    schedule: Schedule | None


class RoomEntry:
    """A room at a revision, with the latest changes that led there.

    `whole` has videos of the last pages with all that is to be said of them.
    """

    def __init__(
        self, state: RoomState, changes: Sequence[Change], whole: Mapping[VideoId, Video] | None = None
    ) -> None:
        self.state = state
        self.changes = tuple(changes)
        self.whole = dict(whole or {})
        self.program: Program | None = None
        self._lists: OrderedDict[Rights, Lists] = OrderedDict()
        self._rights: dict[Rights, Rights] = {}
        self.rights_of: dict[UserId, tuple[float, Rights]] = {}

    def advanced(self, read: RoomRead) -> "RoomEntry":
        """Return the room at a newer revision, by all changes in between."""
        oldest = ordinal(read.state.revision) - KEPT
        changes = [change for change in (*self.changes, *read.changes) if ordinal(change.revision) >= oldest]
        after = RoomEntry(read.state, changes, self.whole)
        for change in read.changes:
            if change.video_id:
                after.whole.pop(change.video_id, None)
        after.keep(read.videos)
        after.program, after._rights = self.program, self._rights
        for rights, lists in self._lists.items():
            if ordinal(lists.state.revision) > ordinal(read.state.revision) - _LISTS_KEPT:
                after._lists[rights] = lists
        return after

    def keep(self, videos: Mapping[VideoId, Video]) -> None:
        """Keep whole videos for who comes next; of one at work more changes than is logged."""
        if len(self.whole) > _MOST_WHOLE:
            self.whole.clear()
        self.whole |= {key: _without_segments(video) for key, video in videos.items() if video.state is State.READY}

    def since(self, revision: int) -> list[Change] | None:
        """Return the changes after a revision, None where they are not known (any more)."""
        return [] if revision == self.state.revision else since(revision, self.changes)

    @property
    def weight(self) -> int:
        """About how much memory it takes or soon may, in listed videos."""
        return len(self.state.videos) * 2 + len(self.state.members) // 3 + 10

    def shared_rights(self, rights: Rights) -> Rights:
        """Return the one object that stands for equal rights."""
        if len(rights.withheld) > _MOST_IDS:
            return rights
        if len(self._rights) > _MOST_KNOWN:
            self._rights.clear()
        return self._rights.setdefault(rights, rights)

    def lists(self, rights: Rights, bot: UserId) -> Lists:
        """Return the room's lists for viewers with these rights."""
        known = self._lists.get(rights)
        if known is None or known.state is not self.state:
            if rights.withheld:
                known = Lists(self.state, rights, bot, whole=self.lists(Rights(rights.moderates), bot))
            else:
                known = Lists(self.state, rights, bot, known)
            self._lists[rights] = known
            if len(self._lists) > _MOST_RIGHTS:
                self._lists.popitem(last=False)
        self._lists.move_to_end(rights)
        return known


def _without_segments(video: Video) -> Video:
    return replace(video, media=replace(video.media, renditions=brief(video.media.renditions)))


class RoomCache:
    """The rooms that were requested lately."""

    def __init__(self, stores: Stores, clock: SharedClock, bot: UserId, *, encrypted_rooms: bool) -> None:
        self._stores, self._clock, self._bot = stores, clock, bot
        self._encrypted_rooms = encrypted_rooms
        self._rooms: OrderedDict[RoomId, RoomEntry] = OrderedDict()
        self._weights: dict[RoomId, int] = {}
        self._weight = 0
        self._reads = Latest[RoomId, RoomEntry]()
        self._programs = Once[tuple[RoomId, int], Program]()
        self._making = Once[tuple[RoomId, str], Body]()
        self._bodies: BytesCache[str, Body] = BytesCache(_BODIES, _BODIES_PER_ROOM)

    async def now(self, room_id: RoomId) -> RoomEntry:
        """Return a room as it is now. Raises NotFoundError for an unknown one."""
        return await self._reads.get(room_id, lambda: self._read(room_id))

    async def _read(self, room_id: RoomId) -> RoomEntry:
        entry = self._rooms.get(room_id)
        read = await self._stores.room_states.read(room_id, entry.state if entry else None)
        if read is None:
            self._drop(room_id)
            raise NotFoundError("There is no such room.")
        if entry is None or read.anew:
            entry = RoomEntry(read.state, read.changes)
        elif read.state is not entry.state:
            entry = entry.advanced(read)
        if self._rooms.get(room_id) is not entry:
            self._drop(room_id)
            self._rooms[room_id], self._weights[room_id] = entry, entry.weight
            self._weight += entry.weight
            while self._weight > _MOST_VIDEOS and len(self._rooms) > 1:
                self._drop(next(iter(self._rooms)))
        self._rooms.move_to_end(room_id)
        return entry

    def _drop(self, room_id: RoomId) -> None:
        if self._rooms.pop(room_id, None):
            self._weight -= self._weights.pop(room_id)

    async def rights(self, entry: RoomEntry, user_id: UserId) -> Rights:
        """Return what somebody may see of a room."""
        state = entry.state
        now = time.monotonic()
        read_at, known = entry.rights_of.get(user_id, (-_RIGHTS_S, None))
        if known is not None and now - read_at < _RIGHTS_S:
            return known
        moderates = is_moderator(state.room.power_levels, user_id, state.room.creators)
        withheld = (await self._stores.room_states.withheld(state.strict, [user_id]))[user_id]
        ids = frozenset(state.videos[each].id for each in withheld)  # no strings of their own
        if len(entry.rights_of) > _MOST_KNOWN:
            entry.rights_of.clear()
        rights = entry.shared_rights(Rights(moderates, ids))
        if len(ids) <= _MOST_IDS:
            entry.rights_of[user_id] = now, rights
        return rights

    async def program(self, entry: RoomEntry) -> Program:
        """Return what the room's channel plays; its schedule is brought up to date by the way."""
        state = entry.state
        if entry.program is None or entry.program.since != state.program:
            key = state.room.room_id, state.program
            entry.program = await self._programs.get(key, lambda: self._program(state))
        return entry.program

    async def _program(self, state: RoomState) -> Program:
        members = list(state.members.values())
        people = [member for member in members if member.user_id != self._bot]
        videos = [video for sent in state.sent.values() for video in sent]
        plays = channel(for_all(videos, people))
        schedule = await self._stores.channels.schedule(state.room.room_id, for_all(videos, members))
        address = f"reel/{CHANNEL_KEY}/{revision_of(plays)}/index.m3u8" if plays else None
        return Program(state.program, address, schedule)

    async def shared(self, entry: RoomEntry, rights: Rights) -> Shared:
        """Return what the pages of a room are made by."""
        program = await self.program(entry)
        return Shared(entry.lists(rights, self._bot), self._bot, program.channel, self._encrypted_rooms)

    async def overview(self, entry: RoomEntry, rights: Rights) -> Body:
        """Return the room with the page that its channel shows."""
        shared = await self.shared(entry, rights)
        program = await self.program(entry)
        lists = shared.lists
        if len(lists.everybody) <= SMALL:
            page = lists.page(EVERYBODY, everything)
        else:
            now = await self._clock.now()
            shows = showing(program.schedule, round(now)).turn.id if program.schedule else ""
            page = lists.page(EVERYBODY, around(shows))

        async def make() -> BaseModel:
            return shared.overview(page, await self.whole(entry, [video.id for video in page.videos]))

        return await self.body(lists, f"overview-{page.start}", make)

    async def whole(self, entry: RoomEntry, ids: Iterable[VideoId]) -> dict[VideoId, Video]:
        """Return videos with all that is to be said of them, as far as they are still there."""
        found = {each: entry.whole[each] for each in ids if each in entry.whole}
        missing = [each for each in ids if each not in found and each in entry.state.videos]
        if missing:
            read = await self._stores.room_states.videos(entry.state.room.room_id, missing)
            entry.keep(read)
            found |= read
        return found

    async def body(self, lists: Lists, name: str, make: Callable[[], Awaitable[BaseModel]]) -> Body:
        """Return what `make` makes of lists, once for each revision and all viewers with the same rights."""
        room_id, key = lists.state.room.room_id, f"{lists.state.revision}-{lists.rights.tag}-{name}"
        if found := self._bodies.get(room_id, key):
            return found

        async def made() -> Body:
            body = Body.of(f"{self._bot}-{self._encrypted_rooms}-{room_id}-{key}", await make())
            self._bodies.put(room_id, key, body, len(body.compressed))
            return body

        return await self._making.get((room_id, key), made)
