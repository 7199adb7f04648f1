"""Backfills rooms' timelines: what was missed while transactions were lost, and videos of before.

What is found goes through the same intake as what a transaction brings, oldest first.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic, time
from typing import Any, get_args

import structlog

from appservice.config import Config
from appservice.core.errors import ForbiddenError, HomeserverError, MalformedEventError, RefusedByHomeserverError
from appservice.core.events.backfill import as_backfilled, as_of_before
from appservice.core.events.changes import (
    Backfilled,
    BotMembershipChanged,
    EncryptedSent,
    HistoryChanged,
    MemberChanged,
    MessageChange,
    NewGallery,
    NewVideo,
    SentByBot,
    VideoEdited,
)
from appservice.core.events.intake import read_event
from appservice.core.events.room_state import history_of
from appservice.core.jobs import Backfill, ReadAgain
from appservice.core.model import EventId, History, RoomId, UserId
from appservice.core.room import Membership, Room
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores

log = structlog.get_logger()

MOST_EVENTS = 1000
MOST_DAYS = 7
_EVERY_S = 3600.0
# Between two messages there may be any number of reactions, and of people who come and go.
_EVENTS_OF_HISTORY = 5000
_PAGE = 100
# What may bring a video.
_BRINGING = NewVideo | NewGallery | SentByBot | VideoEdited | EncryptedSent

Event = dict[str, Any]


@dataclass
class _Found:
    """What lies behind a room's newest event, newest first; `end` is the event that was looked for."""

    changes: list[MessageChange] = field(default_factory=list)
    histories: set[History] = field(default_factory=set)
    """The history visibilities that the room had in the meantime."""
    moved: list[tuple[UserId, EventId]] = field(default_factory=list)
    """Who came or went in the meantime."""
    looked_at: int = 0
    newest: EventId | None = None
    end: EventId | None = None

    def note_state(self, event: Event) -> None:
        """Note what an event says of who could read what was sent around it."""
        if "state_key" not in event:
            return
        try:
            change = read_event(event, bot=UserId(""), permissions={})
        except MalformedEventError:
            return
        before = _content_before(event)
        if isinstance(change, HistoryChanged):
            self.histories |= {change.history, history_of(before.get("history_visibility"))}
            unsigned = event.get("unsigned")
            if not before and isinstance(unsigned, dict) and "replaces_state" in unsigned:
                self.histories.add(History.JOINED)  # the homeserver does not say what it replaced
        elif isinstance(change, MemberChanged) and change.event_id and change.membership != before.get("membership"):
            self.moved.append((change.user_id, change.event_id))

    def backfilled(self, sent_after: datetime | None) -> list[MessageChange]:
        """Return what was found, oldest first, as sent at any time after one that is known (or not)."""
        strictest = max(self.histories, key=list(History).index, default=History.SHARED)
        return [as_backfilled(change, Backfilled(sent_after, strictest)) for change in self.changes[::-1]]


@contextmanager
def _unless_left(room_id: RoomId) -> Iterator[None]:
    """Ignore the homeserver's refusal: the bot left the room meanwhile."""
    try:
        yield
    except ForbiddenError:
        log.info("room_left_meanwhile", room_id=room_id)


@dataclass
class TimelineWork:
    """Backfills; one instance for a process."""

    config: Config
    stores: Stores
    homeserver: HomeserverClient
    clock: Callable[[], float] = monotonic
    _away: bool = False
    _due: float = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.clock() + _EVERY_S

    async def backfill_all(self) -> None:
        """Queue a look at every room once an hour, and when the homeserver is back after it was away."""
        try:
            await self.homeserver.whoami()
            if not self._away and self.clock() < self._due:
                return
            await look_after_all(self.stores, self.homeserver)
        except (HomeserverError, ForbiddenError) as error:
            if not self._away:
                log.warning("homeserver_away", reason=str(error))
            self._away = True
            return
        if self._away:
            with suppress(HomeserverError, ForbiddenError):
                await self.homeserver.ping()  # it delivers at once what it holds back
        self._away, self._due = False, self.clock() + _EVERY_S

    async def backfill(self, job: Backfill) -> None:
        """Backfill one room. May be repeated at any time."""
        async with self.stores.rooms.tending(job.room_id):
            requested_at = await self.stores.installation.now()
            room = await self._joined(job.room_id)
            if room:
                with _unless_left(job.room_id):
                    await self._look(room, job.history, requested_at)

    async def read_again(self, job: ReadAgain) -> None:
        """Read a message again, one of whose edits was redacted. May be repeated at any time."""
        async with self.stores.rooms.tending(job.room_id):
            if await self._joined(job.room_id):
                with _unless_left(job.room_id):
                    await self._read_again(job.room_id, job.event_id)

    async def _joined(self, room_id: RoomId) -> Room | None:
        room = await self.stores.rooms.room(room_id)
        return room if room and room.bot_membership is Membership.JOIN else None

    async def _look(self, room: Room, history: int | None, requested_at: datetime) -> None:
        if room.last_event is None:
            await self._look_first(room, requested_at)
        elif history is None:
            await self._close_gap(room, room.last_event, requested_at)
        if history:
            await self._look_at_history(room, history, requested_at)

    async def _read_again(self, room_id: RoomId, event_id: EventId) -> None:
        """Read a message again, one of whose edits was redacted: it is now an earlier edit, or what was sent."""
        try:
            event = await self.homeserver.event(room_id, event_id)
        except RefusedByHomeserverError as error:
            log.info("message_gone", room_id=room_id, event_id=event_id, reason=str(error))
            return
        now = self._read(_newest_edit(event) or event, room_id)
        if isinstance(now, NewVideo | NewGallery):
            now = VideoEdited.to(event_id, now)
        if isinstance(now, VideoEdited) and now.target == event_id:
            await self.stores.timeline.take_anew(now)

    async def _close_gap(self, room: Room, mark: EventId, requested_at: datetime) -> None:
        found = await self._until(room.room_id, lambda event: event.get("event_id") == mark)
        if not found.looked_at:
            return
        changes = found.backfilled(room.last_event_at)
        missed = await self.stores.timeline.take(
            room.room_id, changes, newest=found.newest, requested_at=requested_at, moved=found.moved
        )
        if missed:
            log.warning("gap_closed", room_id=room.room_id, missed=missed, looked_at=found.looked_at)

    async def _look_first(self, room: Room, requested_at: datetime) -> None:
        """Store the videos since the bot came, as far as a backfill goes, and of before what the room wants."""
        found = await self._until(room.room_id, self._is_our_coming)
        if found.end:
            await self.stores.timeline.store_joined_event(room.room_id, found.end, requested_at)
        wanted = room.settings.history
        if history := self.config.rooms.history if wanted is None else wanted:
            await self._look_at_history(room, history, requested_at)
        videos = [c for c in found.backfilled(None) if isinstance(c, _BRINGING)]
        await self.stores.timeline.take(
            room.room_id, videos, newest=found.newest, requested_at=requested_at, moved=found.moved
        )

    async def _look_at_history(self, room: Room, messages: int, requested_at: datetime) -> None:
        """Store the videos of those who are here among so many messages of before the bot came."""
        members = {member.user_id for member in await self.stores.members.joined_members(room.room_id)}
        found = _Found()
        looked = seen = 0
        async with aclosing(self._backwards(room.room_id, await self._start_of_history(room.room_id))) as pages:
            async for event in pages:
                looked += 1
                seen += event.get("type") in {"m.room.message", "m.room.encrypted"}
                if seen > messages or looked > _EVENTS_OF_HISTORY:
                    break
                found.note_state(event)
                change = self._read(event, room.room_id)
                if isinstance(change, NewVideo | NewGallery | EncryptedSent) and change.sender in members:
                    found.changes.append(as_of_before(change))
                elif isinstance(change, VideoEdited):
                    found.changes.append(change)
        changes = found.backfilled(None)
        taken = await self.stores.timeline.take(room.room_id, changes, newest=None, requested_at=requested_at)
        log.info("history_read", room_id=room.room_id, messages=min(seen, messages), taken=taken)

    async def _start_of_history(self, room_id: RoomId) -> str | None:
        joined = await self.stores.timeline.joined_event(room_id)
        try:
            return await self.homeserver.token_before(room_id, joined) if joined else None
        except RefusedByHomeserverError:
            return None  # purged meanwhile: from now on back, then

    async def _until(self, room_id: RoomId, is_end: Callable[[Event], bool]) -> "_Found":
        """Read back to the event that is the end, or as far as our bounds allow."""
        oldest = (time() - MOST_DAYS * 86_400) * 1000
        found = _Found()
        async with aclosing(self._backwards(room_id, None)) as pages:
            async for event in pages:
                found.newest = found.newest or _id(event)
                if is_end(event):
                    found.end = _id(event)
                    break
                sent_at = event.get("origin_server_ts")
                if found.looked_at == MOST_EVENTS or not isinstance(sent_at, int) or sent_at < oldest:
                    break
                found.looked_at += 1
                found.note_state(event)
                # Events may be large: only what they change is held.
                if change := self._read(event, room_id):
                    found.changes.append(change)
        return found

    async def _backwards(self, room_id: RoomId, start: str | None) -> AsyncGenerator[Event]:
        """Yield a room's events, newest first, from a pagination token on."""
        while True:
            page, start = await self.homeserver.messages(room_id, start, _PAGE)
            for event in page:
                yield event
            if start is None:
                return

    def _is_our_coming(self, event: Event) -> bool:
        if event.get("type") != "m.room.member" or event.get("state_key") != self.homeserver.bot:
            return False
        return bool(_content(event).get("membership") == "join" and _content_before(event).get("membership") != "join")

    def _read(self, event: Event, room_id: RoomId) -> MessageChange | None:
        try:
            change = read_event({**event, "room_id": room_id}, bot=self.config.bot, permissions=self.config.permissions)
        except MalformedEventError:
            return None  # a transaction that brings it says so
        return change if isinstance(change, get_args(MessageChange)) else None


async def look_after_all(stores: Stores, homeserver: HomeserverClient) -> int:
    """Find the bot's invitations, joins and leaves that were missed, and queue jobs for each room's state and timeline.

    Returns how many rooms the bot is in.
    """
    requested_at = await stores.installation.now()
    known, joined = await stores.rooms.rooms_with_us(), set(await homeserver.joined_rooms())

    def learned(room_id: RoomId, membership: Membership) -> BotMembershipChanged:
        return BotMembershipChanged(room_id, membership, homeserver.bot, requested_at=requested_at)

    for room_id in sorted(joined - known):
        # Where it was before there was this database, all that was sent is history.
        unheard_of = await stores.rooms.room(room_id) is None
        await stores.timeline.take(
            room_id,
            [learned(room_id, Membership.JOIN)],
            newest=await _newest(homeserver, room_id) if unheard_of else None,
            requested_at=requested_at,
        )
    await stores.intake.apply([learned(room_id, Membership.LEAVE) for room_id in known - joined])
    await _take_invitations(stores, homeserver)
    rooms = await stores.rooms.tended_rooms()
    await stores.rooms.tend(rooms)
    await stores.rooms.backfill(rooms)
    return len(joined)


async def _take_invitations(stores: Stores, homeserver: HomeserverClient) -> None:
    """Store invitations that were lost with their transaction."""
    try:
        invitations = await homeserver.invitations(await stores.installation.now())
    except (ForbiddenError, HomeserverError) as error:
        # What else is looked at does not depend on it.
        log.warning("invitations_unread", reason=str(error))
        return
    for invitation in invitations:
        room = await stores.rooms.room(invitation.room_id)
        if room is None or room.bot_membership not in {Membership.INVITE, Membership.JOIN}:
            log.warning("invitation_found", room_id=invitation.room_id, inviter=invitation.sender)
            await stores.intake.apply([invitation])


async def _newest(homeserver: HomeserverClient, room_id: RoomId) -> EventId | None:
    try:
        page, _ = await homeserver.messages(room_id, None, 1)
    except (ForbiddenError, RefusedByHomeserverError) as error:
        log.warning("timeline_unread", room_id=room_id, reason=str(error))
        return None
    return _id(page[0]) if page else None


def _content(event: Event) -> Event:
    content = event.get("content")
    return content if isinstance(content, dict) else {}


def _content_before(event: Event) -> Event:
    """Return the content that a state event replaced, as far as the homeserver says."""
    unsigned = event.get("unsigned")
    before = unsigned.get("prev_content") if isinstance(unsigned, dict) else None
    return before if isinstance(before, dict) else {}


def _newest_edit(event: Event) -> Event | None:
    found: object = event
    for key in ("unsigned", "m.relations", "m.replace"):
        found = found.get(key) if isinstance(found, dict) else None
    # Some homeservers bundle only where the edit is, and not what it says.
    return found if isinstance(found, dict) and "content" in found else None


def _id(event: Event) -> EventId | None:
    event_id = event.get("event_id")
    return EventId(event_id) if isinstance(event_id, str) else None
