"""Slots of the processor: videos that get their first frame, and beside them those whose ladder is made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from appservice.core.rules.fairness import Load, Party, Usage, next_in_turn

Ladder = Callable[[], AbstractAsyncContextManager[None]]


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
        while (
            number := next_in_turn(
                [each.party for each in self._waiting],
                self._load,
                used=lambda party: self._usage.of(party, now),
                sharing=self._sharing,
            )
        ) is not None:
            admitted = self._waiting.pop(number)
            self._load.add(admitted.party)
            if not admitted.admitted.done():
                admitted.admitted.set_result(None)


class ProcessorSlots:
    """Two kinds of slots: nobody's first frame waits for another video's ladder, nor for another sender's videos.

    Of the slots of those that begin nobody has more than half of what is left: one sender has as many as `concurrency`
    and one, and others begin beside. Ladders are made of whoever had the least of the processor lately.
    """

    def __init__(self, concurrency: int) -> None:
        usage = Usage()
        self._beginnings = _Slots(3 * (concurrency + 1) - 2, usage, sharing=True)
        self._ladders = _Slots(concurrency, usage, sharing=False)

    @asynccontextmanager
    async def beginning(self, party: Party) -> AsyncIterator[Ladder]:
        """Wait for a slot among those that begin; what is yielded frees it, and waits for one for the ladder."""
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(self._beginnings.slot(party))

            @asynccontextmanager
            async def ladder() -> AsyncIterator[None]:
                await slot.aclose()
                async with self._ladders.slot(party):
                    yield

            yield ladder
