"""Brings changes of a room to event streams that follow it by number: made once for all with the same rights."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from appservice import metrics
from appservice.core.errors import NotFoundError, RequestError
from appservice.core.model import RoomId, UserId, VideoId
from appservice.core.tokens import Session
from appservice.core.web.room_pages import lost_strict, new_strict, personal, restarts
from appservice.core.web.room_state import Change, Rights
from appservice.core.web.schedule_view import schedule_view
from appservice.core.web.views import ScheduleView
from appservice.store import Stores
from appservice.web.clock import SharedClock
from appservice.web.room_cache import RoomCache, RoomEntry

log = structlog.get_logger()


_MOST_PENDING = 256 * 1024
# Who may not see more than so many videos gets no deltas, which would be theirs alone, but begins anew now and then.
_MOST_WITHHELD = 500
_RESETS_EVERY_S = 10.0
# Where all begin anew because what they may do has changed, so many do in a second.
_RESETS_PER_S = 250
_AT_ONCE = 50


@dataclass(slots=True, eq=False)
class Follower:
    """A stream that follows a room: what it was sent, and what it is to be sent next.

    `revision` is that of the state which its viewer has. `rights` are those by which it gets deltas; None: not known
    yet. `on_news` is called when something is to be sent, or the stream is to end. `told` is the revision of the last
    delta; `is_limited`: there are none, for its viewer may not see too much. `revised_at`: when what is delivered was
    announced, by the steady clock.
    """

    session: Session
    revision: int
    on_news: Callable[[], None] = lambda: None
    rights: Rights | None = None
    is_revoked: bool = False
    has_ended: bool = False
    is_limited: bool = False
    revised_at: float | None = None
    told: int = field(init=False)
    _resets_at: float = 0.0
    brings_delta: bool = False
    _later: asyncio.TimerHandle | None = None
    _pending: list[bytes] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        self.told = self.revision

    def add(self, event: bytes, reset: bytes) -> None:
        """Let an event be sent; a reader who is too slow begins anew instead."""
        if self._size + len(event) > _MOST_PENDING:
            self._pending, self._size, event = [], 0, reset
        self._pending.append(event)
        self._size += len(event)
        self.on_news()

    @property
    def is_to_begin_anew(self) -> bool:
        """Whether a reset is still to come, so that nothing before it is of use."""
        return self._later is not None

    def begin_anew_later(self, reset: bytes) -> None:
        """Let a reset be sent, not too soon after the last one."""
        loop = asyncio.get_running_loop()
        if self._later is None:
            self._resets_at = max(loop.time(), self._resets_at + _RESETS_EVERY_S)
            self._later = loop.call_at(self._resets_at, self._begin_anew, reset)

    def begin_anew_in(self, seconds: float, reset: bytes) -> None:
        """Let a reset be sent in `seconds`; with 0, at once."""
        if seconds <= 0:
            self.add(reset, reset)
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self._begin_anew, reset)

    def _begin_anew(self, reset: bytes) -> None:
        self._later = None
        self.add(reset, reset)

    def confirm(self) -> bytes:
        """Return what says that the stream goes on, with the present revision if the client does not know it yet."""
        if self.told == self.revision or self._later:
            return b": keep-alive\n\n"
        self.told = self.revision
        return b'id: %d\nevent: delta\ndata: {"revision":%d}\n\n' % (self.told, self.told)

    def end(self, *, is_revoked: bool = False) -> None:
        """Let the stream end: its client connects again, if it may."""
        self.has_ended, self.is_revoked = True, is_revoked
        self.leave()
        self._pending, self._size = [], 0
        self.on_news()

    def leave(self) -> None:
        """Let nothing happen later: nobody reads the stream any more."""
        if self._later:
            self._later.cancel()
            self._later = None

    def sent(self) -> None:
        """Measure how long the delta took that was sent just now, if there was one."""
        if self.brings_delta and self.revised_at is not None:
            metrics.STREAM_LAG.observe(time.monotonic() - self.revised_at)
        self.brings_delta, self.revised_at = False, None

    def take(self) -> bytes:
        """Return what is to be sent, which is pending no longer."""
        taken = b"".join(self._pending)
        self._pending, self._size = [], 0
        return taken


@dataclass(frozen=True, slots=True)
class _Step:
    """What leads from a revision to the present one; None: it is not known.

    `personal`: whose `mine` may be another, and if something was shown or `hides`, all moderators'.
    """

    changes: list[Change] | None
    restarting: frozenset[UserId] | None
    personal: frozenset[UserId]
    hides: bool


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
        self._steps: dict[int, _Step] = {}
        about = json.dumps({"room_id": entry.state.room.room_id}).encode()
        self._resets = 0
        self._reset = b"event: reset\ndata: " + about + b"\n\n"
        self._mine = b"event: mine\ndata: " + about + b"\n\n"

    async def bring(self, follower: Follower) -> None:
        """Bring a follower to the present revision."""
        user_id, is_new = follower.session.user_id, follower.revision != self._state.revision
        if not is_new and follower.rights is not None:
            return
        if follower.is_limited:
            follower.begin_anew_later(self._reset)
            follower.revision = self._state.revision
            return
        if follower.is_to_begin_anew:
            # By the number of a delta it would seem to have what only the reset brings.
            follower.rights, follower.revision = None, self._state.revision
            return
        step = self._since(follower.revision)
        anew = step.restarting is None or user_id in step.restarting
        if anew or follower.rights is None:
            anew = anew or (is_new and lost_strict(step.changes or (), self._state))
            rights = await self._cache.rights(self._entry, user_id)
        else:
            anew = anew or lost_strict(step.changes or (), self._state, came=True)
            rights = follower.rights.without(await self._newly_withheld(follower))
        follower.is_limited = follower.is_limited or len(rights.withheld) > _MOST_WITHHELD
        if follower.is_limited:
            if is_new:
                follower.begin_anew_later(self._reset)
            rights = Rights(rights.moderates)
        elif anew:
            # Only so many fetch all again in the same moment.
            follower.begin_anew_in(self._resets // _AT_ONCE * _AT_ONCE / _RESETS_PER_S, self._reset)
            self._resets += 1
        elif is_new:
            await self._add(follower, rights, step)
        # One that is the same as another's is not kept twice.
        follower.rights = self._entry.shared_rights(rights.among(self._state.strict))
        follower.revision = self._state.revision

    async def _add(self, follower: Follower, rights: Rights, step: _Step) -> None:
        if delta := await self._delta(follower.revision, rights):
            follower.brings_delta = True
            follower.add(delta, self._reset)
            follower.told = self._state.revision
        # Which moderator hid a video before is not logged.
        if follower.session.user_id in step.personal or (rights.moderates and step.hides):
            follower.add(self._mine, self._reset)

    def begin_anew(self, follower: Follower) -> None:
        """Let a follower fetch all again, whatever it has."""
        follower.rights, follower.revision = None, self._state.revision
        follower.add(self._reset, self._reset)

    async def _newly_withheld(self, follower: Follower) -> frozenset[VideoId]:
        since = follower.revision
        if since not in self._withheld:
            ids = new_strict(self._since(since).changes or (), self._state)
            self._withheld[since] = await self._stores.room_states.withheld(ids, self._users) if ids else {}
        return self._withheld[since].get(follower.session.user_id, frozenset())

    def _since(self, revision: int) -> _Step:
        if revision not in self._steps:
            changes = self._entry.since(revision)
            restarting = restarts(changes, self._state) if changes is not None else None
            hides = any("visibility" in change.fields for change in changes or ())
            self._steps[revision] = _Step(changes, restarting, frozenset(personal(changes or (), self._state)), hides)
        return self._steps[revision]

    async def _delta(self, since: int, rights: Rights) -> bytes:
        if (since, rights) not in self._deltas:
            self._deltas[since, rights] = await self._made(self._since(since).changes or [], since, rights)
            await asyncio.sleep(0)  # others have their turn
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
        users = {follower.session.user_id for follower in followers}
        try:
            entry = await self._cache.now(room_id)
            permitted = await self._stores.room_states.permitted(room_id, users)
            keys = {follower.session.sign_in for follower in followers if follower.session.sign_in}
            signed_in = await self._stores.sign_ins.signed_in(room_id, keys)
        except NotFoundError:
            for follower in followers:
                follower.end(is_revoked=True)
            return
        # Those who are to see nothing more do not wait for what the others get.
        now = time.time() * 1000
        for follower in followers:
            session = follower.session
            if session.user_id not in permitted:
                follower.end(is_revoked=True)
            elif session.expires_at <= now or (session.sign_in and signed_in.get(session.sign_in) != session.user_id):
                follower.end()
        delivery = Delivery(self._stores, self._cache, self._clock, entry, followers)
        for number, follower in enumerate(followers):
            if not follower.has_ended:
                await self._bring(delivery, follower)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    @staticmethod
    async def _bring(delivery: Delivery, follower: Follower) -> None:
        try:
            await delivery.bring(follower)
        except RequestError as error:
            # It connects again, by the number that it has.
            log.warning("changes_not_delivered", reason=str(error))
            follower.end()
        except Exception:
            # The same would be wrong the next time, and for nobody else.
            log.exception("changes_not_delivered")
            delivery.begin_anew(follower)
