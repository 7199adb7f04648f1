"""Slots of the processor: videos that get their first frame, and beside them those whose ladder is made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from appservice.core.rules.fairness import LOWER_RUNGS, Load, Party, Usage, next_in_turn

Ladder = Callable[[], AbstractAsyncContextManager[None]]


class PreemptedError(Exception):
    """Somebody's video has come, for which the work in spare time makes way."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    party: Party
    admitted: asyncio.Future[None]


class _Slots:
    """A semaphore that lets in whose turn it is, not who came first."""

    def __init__(self, slots: int, usage: Usage, *, sharing: bool) -> None:
        self._load = Load(slots)
        self._usage = usage
        self._sharing = sharing
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def slot(self, party: Party) -> AsyncIterator[None]:
        waiting = _Waiting(party, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._admit()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
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
            # Lower rungs wait until nobody else does.
            waiting = [each for each in self._waiting if each.party != LOWER_RUNGS] or self._waiting
            number = next_in_turn(
                [each.party for each in waiting],
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


class ProcessorSlots:
    """Two kinds of slots: nobody's first frame waits for another video's ladder, nor for another sender's videos.

    Of the slots of those that begin nobody has more than half of what is left: one sender has as many as `concurrency`
    and one, and others begin beside. Ladders are made of whoever had the least of the processor lately; lower rungs of
    what plays already, while no other ladder waits.
    """

    def __init__(self, concurrency: int) -> None:
        usage = Usage()
        self._beginnings = _Slots(3 * (concurrency + 1) - 2, usage, sharing=True)
        self._ladders = _Slots(concurrency, usage, sharing=False)
        self._spare: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def beginning(self, party: Party) -> AsyncIterator[Ladder]:
        """Wait for a slot among those that begin; what is yielded frees it, and waits for one for the ladder."""
        self._preempt()
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(self._beginnings.slot(party))

            @asynccontextmanager
            async def ladder() -> AsyncIterator[None]:
                await slot.aclose()
                self._preempt()
                async with self._ladders.slot(party):
                    yield

            yield ladder

    @asynccontextmanager
    async def lower_rungs(self, *, spare: bool) -> AsyncIterator[None]:
        """Wait for a ladder's slot for lower rungs.

        In `spare` time, raises PreemptedError in the middle once a video begins, or its ladder.
        """
        async with self._ladders.slot(LOWER_RUNGS):
            if not spare:
                yield
                return
            end = asyncio.timeout(None)
            try:
                async with end:
                    self._spare.add(end)
                    try:
                        yield
                    finally:
                        self._spare.discard(end)
            except TimeoutError as error:
                if end.expired():
                    raise PreemptedError from error
                raise

    def _preempt(self) -> None:
        while self._spare:
            self._spare.pop().reschedule(0)
