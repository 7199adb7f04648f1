"""The database's clock, which all processes share, without a query for each look at it."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from appservice.core.errors import UnavailableError

_MEASURE_EVERY_S = 30.0
_SAMPLES = 3


class SharedClock:
    """Estimates the time of the database; by our own steady clock between two comparisons, and through an outage."""

    def __init__(
        self, query_time: Callable[[], Awaitable[datetime]], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._query_time = query_time
        self._steady = steady
        self._ahead: float | None = None
        self._due = 0.0

    async def now(self) -> float:
        """Return ms since the epoch. Raises UnavailableError while the database never responded."""
        if self._steady() >= self._due:
            await self._compare()
        if self._ahead is None:
            raise UnavailableError("The time is not known yet. Try again in a moment.")
        return (self._steady() + self._ahead) * 1000

    async def _compare(self) -> None:
        # Others need not wait, or query as well: what is known is good enough.
        self._due = self._steady() + _MEASURE_EVERY_S if self._ahead is not None else 0.0
        try:
            samples = [await self._sample() for _ in range(_SAMPLES)]
        except UnavailableError:
            return
        # The quickest response bounds its own instant best.
        self._ahead = min(samples)[1]
        self._due = self._steady() + _MEASURE_EVERY_S

    async def _sample(self) -> tuple[float, float]:
        sent = self._steady()
        theirs = (await self._query_time()).timestamp()
        took = self._steady() - sent
        return took, theirs - (sent + took / 2)
