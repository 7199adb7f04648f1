"""Slots of the processor: videos that get their first frame, and beside them those whose ladder is made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from time import monotonic

from appservice.core.model import VideoId
from appservice.core.rules.fairness import (
    LOWER_RUNGS,
    RUNGS_PATIENCE,
    SPARE_RUNGS,
    WANTED_RUNGS,
    Load,
    Party,
    Usage,
    Wish,
    next_in_turn,
    rank,
)

Ladder = Callable[[float], AbstractAsyncContextManager[None]]
"""Waits for a slot for a ladder that takes about so many seconds."""
Waiting = Callable[[], AbstractAsyncContextManager[None]]
"""Entered while something has to wait for a slot; what leaving it raises ends the wait in vain."""


class PreemptedError(Exception):
    """Somebody's video has come, for which the work in spare time makes way."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waits:
    party: Party
    since: float
    cost: float
    admitted: asyncio.Future[None]


class _Slots:
    """A semaphore that lets in whose turn it is, not who came first."""

    def __init__(self, slots: int, usage: Usage, *, sharing: bool) -> None:
        self._load = Load(slots)
        self._usage = usage
        self._sharing = sharing
        self._waiting: list[_Waits] = []

    @asynccontextmanager
    async def slot(self, party: Party, waiting: Waiting = nullcontext, cost: float = 0.0) -> AsyncIterator[None]:
        waits = _Waits(party, monotonic(), cost, asyncio.get_running_loop().create_future())
        self._waiting.append(waits)
        self._admit()
        try:
            if not waits.admitted.done():
                async with waiting():
                    await waits.admitted
        except BaseException:
            if waits in self._waiting:
                self._waiting.remove(waits)
            else:
                self._leave(party)  # admitted just then
            raise
        began = monotonic()
        try:
            yield
        finally:
            self._usage.add(party, monotonic() - began, monotonic())
            self._leave(party)

    def _leave(self, party: Party) -> None:
        self._load.add(party, -1)
        self._admit()

    def _admit(self) -> None:
        now = monotonic()
        while self._waiting:
            waiting = self._first(now)
            number = next_in_turn(
                [Wish(each.party, now - each.since, each.cost) for each in waiting],
                self._load,
                used=lambda party: self._usage.of(party, now),
                sharing=self._sharing,
            )
            if number is None:
                return
            admitted = waiting[number]
            self._waiting.remove(admitted)
            self._load.add(admitted.party)
            if not admitted.admitted.done():
                admitted.admitted.set_result(None)

    def _first(self, now: float) -> list[_Waits]:
        """Return who may be next: lower rungs wait until nobody else does, or too long, and leave somebody a slot."""
        full = sum(self._load.of_sender(party) for party in LOWER_RUNGS) >= max(1, self._load.slots - 1)
        ranks = {
            each: rank(
                each.party,
                late=each.party == WANTED_RUNGS and now - each.since >= RUNGS_PATIENCE.total_seconds(),
            )
            for each in self._waiting
            if not (full and each.party in LOWER_RUNGS)
        }
        return [each for each, its in ranks.items() if its == min(ranks.values())]


class ProcessorSlots:
    """Two kinds of slots: nobody's first frame waits for another video's ladder, nor for another sender's videos.

    Of the slots of those that begin nobody has more than half of what is left: one sender has as many as `concurrency`
    and one, and others begin beside. Ladders are made of whoever will have had the least of the processor lately, small
    ones first; lower rungs of what plays already, while no other ladder waits, or once they have waited long.
    """

    def __init__(self, concurrency: int) -> None:
        usage = Usage()
        self._beginnings = _Slots(3 * (concurrency + 1) - 2, usage, sharing=True)
        self._ladders = _Slots(concurrency, usage, sharing=False)
        self._spare: dict[VideoId, asyncio.Timeout] = {}

    @asynccontextmanager
    async def beginning(self, party: Party, waiting: Waiting = nullcontext) -> AsyncIterator[Ladder]:
        """Wait for a slot among those that begin; what is yielded frees it, and waits for one for the ladder."""
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(self._beginnings.slot(party, waiting))

            @asynccontextmanager
            async def ladder(cost: float) -> AsyncIterator[None]:
                await slot.aclose()
                self.preempt()
                async with self._ladders.slot(party, waiting, cost):
                    yield

            yield ladder

    @asynccontextmanager
    async def lower_rungs(self, video_id: VideoId, *, spare: bool) -> AsyncIterator[None]:
        """Wait for a ladder's slot for lower rungs.

        In `spare` time, raises PreemptedError in the middle once there is work that somebody waits for.
        """
        if not spare:
            self.preempt()
        async with self._ladders.slot(SPARE_RUNGS if spare else WANTED_RUNGS):
            if not spare:
                yield
                return
            end = asyncio.timeout(None)
            try:
                async with end:
                    self._spare[video_id] = end
                    try:
                        yield
                    finally:
                        self.keep(video_id)
            except TimeoutError as error:
                if end.expired():
                    raise PreemptedError from error
                raise

    def keep(self, video_id: VideoId) -> None:
        """Let the work on a video go on that began in spare time: by now somebody waits for it."""
        self._spare.pop(video_id, None)

    def preempt(self) -> None:
        """End what is made in spare time."""
        while self._spare:
            self._spare.popitem()[1].reschedule(0)
