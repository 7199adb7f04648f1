"""Brings changes of a room to event streams that follow it by number: made once for all with the same rights."""

import json
from collections.abc import Sequence

import structlog

from appservice.core.errors import NotFoundError, RequestError
from appservice.core.model import RoomId, UserId, VideoId
from appservice.core.tokens import Session
from appservice.core.web.room_pages import new_strict, personal, restarts
from appservice.core.web.room_state import Change, Rights
from appservice.core.web.schedule_view import schedule_view
from appservice.core.web.views import ScheduleView
from appservice.store import Stores
from appservice.web.clock import SharedClock
from appservice.web.room_cache import RoomCache, RoomEntry

log = structlog.get_logger()


class Follower:
    """A stream that follows a room: what it was sent, and what it is to be sent next.

    `revision` is that of the state which its viewer has. `rights` are those by which it gets deltas; None: not known
    yet, or not any more.
    """

    __slots__ = ("has_ended", "is_revoked", "pending", "revision", "rights", "session")

    _MOST = 64

    def __init__(self, session: Session, revision: int) -> None:
        self.session = session
        self.revision = revision
        self.rights: Rights | None = None
        self.pending: list[bytes] = []
        self.is_revoked = False
        self.has_ended = False

    def add(self, event: bytes, reset: bytes) -> None:
        """Let an event be sent; a reader who is too slow begins anew instead."""
        self.pending.append(event)
        if len(self.pending) > self._MOST:
            self.pending = [reset]

    @property
    def has_news(self) -> bool:
        """Say whether something is to be sent, or the stream is to end."""
        return bool(self.pending) or self.has_ended

    def take(self) -> bytes:
        """Return what is to be sent, which is pending no longer."""
        taken, self.pending = b"".join(self.pending), []
        return taken


class Delivery:
    """One look at a room for its followers: what they get, by the revision that they have and by their rights."""

    def __init__(
        self, stores: Stores, cache: RoomCache, clock: SharedClock, entry: RoomEntry, followers: Sequence[Follower]
    ) -> None:
        self._stores, self._cache, self._clock, self._entry = stores, cache, clock, entry
        self._users = {follower.session.user_id for follower in followers}
        self._state = entry.state
        self._withheld: dict[int, dict[UserId, frozenset[VideoId]]] = {}
        self._deltas: dict[tuple[int, Rights], bytes] = {}
        self._changes: dict[int, list[Change] | None] = {}
        about = json.dumps({"room_id": entry.state.room.room_id}).encode()
        self._reset = b"event: reset\ndata: " + about + b"\n\n"
        self._mine = b"event: mine\ndata: " + about + b"\n\n"

    async def bring(self, follower: Follower) -> None:
        """Bring a follower to the present revision."""
        user_id = follower.session.user_id
        if follower.revision == self._state.revision and follower.rights is not None:
            return
        changes = self._since(follower.revision)
        restarting = restarts(changes, self._state) if changes is not None else None
        if restarting is None or user_id in restarting:
            follower.rights = await self._cache.rights(self._entry, user_id)
            follower.add(self._reset, self._reset)
        else:
            if follower.rights is None:
                follower.rights = await self._cache.rights(self._entry, user_id)
            else:
                follower.rights = follower.rights.without(await self._newly_withheld(follower))
            if delta := await self._delta(follower.revision, follower.rights):
                follower.add(delta, self._reset)
            if user_id in personal(changes or (), self._state):
                follower.add(self._mine, self._reset)
        follower.rights = follower.rights.among(self._state.strict)
        follower.revision = self._state.revision

    async def _newly_withheld(self, follower: Follower) -> frozenset[VideoId]:
        since = follower.revision
        if since not in self._withheld:
            ids = new_strict(self._since(since) or (), self._state)
            self._withheld[since] = await self._stores.room_states.withheld(ids, self._users) if ids else {}
        return self._withheld[since].get(follower.session.user_id, frozenset())

    def _since(self, revision: int) -> list[Change] | None:
        if revision not in self._changes:
            self._changes[revision] = self._entry.since(revision)
        return self._changes[revision]

    async def _delta(self, since: int, rights: Rights) -> bytes:
        if (since, rights) not in self._deltas:
            self._deltas[since, rights] = await self._made(self._since(since) or [], since, rights)
        return self._deltas[since, rights]

    async def _made(self, changes: list[Change], since: int, rights: Rights) -> bytes:
        if not changes:
            return b""
        ids: list[VideoId] = sorted({change.video_id for change in changes if change.video_id})
        videos = await self._cache.whole(self._entry, ids)
        shared = await self._cache.shared(self._entry, rights)
        program = await self._cache.program(self._entry)
        schedule: list[ScheduleView | None] = []
        if program.since > since:
            now = round(await self._clock.now())
            schedule = [schedule_view(program.schedule, now) if program.schedule else None]
        view = shared.delta(changes, videos, schedule)
        if view is None:
            return b""
        data = view.model_dump_json(exclude_unset=True)
        return f"id: {view.revision}\nevent: delta\ndata: {data}\n\n".encode()


class Followers:
    """Delivers the changes of rooms."""

    def __init__(self, stores: Stores, cache: RoomCache, clock: SharedClock) -> None:
        self._stores, self._cache, self._clock = stores, cache, clock

    async def deliver(self, room_id: RoomId, followers: list[Follower]) -> None:
        """Bring all up to date, and revoke those who have no right to the room any more."""
        try:
            entry = await self._cache.now(room_id)
            users = {follower.session.user_id for follower in followers}
            permitted = await self._stores.room_states.permitted(room_id, users)
        except NotFoundError:
            permitted, entry = set[UserId](), None
        for follower in followers:
            if follower.session.user_id not in permitted:
                follower.is_revoked = follower.has_ended = True
            elif follower.session.sign_in and not await self._is_signed_in(follower.session):
                follower.has_ended = True
        if entry is None:
            return
        delivery = Delivery(self._stores, self._cache, self._clock, entry, followers)
        for follower in followers:
            if not follower.has_ended:
                await self._bring(delivery, follower)

    async def _is_signed_in(self, session: Session) -> bool:
        return await self._stores.sign_ins.is_signed_in(session.sign_in, session.room_id, session.user_id)

    @staticmethod
    async def _bring(delivery: Delivery, follower: Follower) -> None:
        try:
            await delivery.bring(follower)
        except RequestError as error:
            # It connects again, by the number that it has.
            log.warning("changes_not_delivered", reason=str(error))
            follower.has_ended = True
