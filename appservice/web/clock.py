"""The database's clock, which all processes share, without a query for each look at it."""

import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from appservice.core.errors import UnavailableError

_MEASURE_EVERY_S = 30.0
_SAMPLES = 3
_APART = 1e-4  # seconds by which two clocks run apart in one, at most


class SharedClock:
    """Estimates the time of the database; by our own steady clock between two comparisons, and through an outage."""

    def __init__(
        self, query_time: Callable[[], Awaitable[datetime]], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._query_time = query_time
        self._steady = steady
        # Bounds of how much the database's clock is ahead, and when they were those, on our own.
        self._least, self._most, self._bounded_at = -math.inf, math.inf, 0.0
        self._due = 0.0

    async def now(self) -> float:
        """Return ms since the epoch. Raises UnavailableError while the database never responded."""
        if self._steady() >= self._due:
            await self._compare()
        if not self._known:
            raise UnavailableError("The time is not known yet. Try again in a moment.")
        return (self._steady() + (self._least + self._most) / 2) * 1000

    @property
    def _known(self) -> bool:
        return math.isfinite(self._most)

    async def _compare(self) -> None:
        # Others need not wait, or query as well: what is known is good enough.
        self._due = self._steady() + _MEASURE_EVERY_S if self._known else 0.0
        try:
            for _ in range(_SAMPLES):
                await self._sample()
        except UnavailableError:
            return
        self._due = self._steady() + _MEASURE_EVERY_S

    async def _sample(self) -> None:
        sent = self._steady()
        theirs = (await self._query_time()).timestamp()
        received = self._steady()
        # What was known before still bounds it: by the last response alone, viewers would see it jump by milliseconds.
        aged = _APART * (received - self._bounded_at)
        least, most = max(self._least - aged, theirs - received), min(self._most + aged, theirs - sent)
        if least > most:  # one of the two clocks was set
            least, most = theirs - received, theirs - sent
        self._least, self._most, self._bounded_at = least, most, received
