"""The clock that all processes share: compared now and then, kept through an outage."""

from datetime import UTC, datetime

import pytest

from appservice.core.errors import UnavailableError
from appservice.web.clock import SharedClock

START = datetime(2026, 1, 1, tzinfo=UTC)


class Steady:
    """A steady clock, and a database that responds after some time."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.delays: list[float] = []
        self.queries = 0
        self.ahead = 0.0

    def now(self) -> float:
        return self.seconds

    async def query(self) -> datetime:
        self.queries += 1
        if not self.delays:
            raise UnavailableError("away")
        delay = self.delays.pop(0)
        # The worst case: all of the latency is on the way back.
        response = datetime.fromtimestamp(START.timestamp() + self.seconds + self.ahead, UTC)
        self.seconds += delay
        return response


async def test_the_quickest_response_counts() -> None:
    steady = Steady()
    steady.delays = [0.5, 0.002, 0.4]
    shared = SharedClock(steady.query, steady.now)
    assert await shared.now() == pytest.approx((START.timestamp() + steady.seconds) * 1000, abs=1.1)
    steady.seconds += 20
    assert await shared.now() == pytest.approx((START.timestamp() + steady.seconds) * 1000, abs=1.1)
    assert steady.queries == 3


async def test_a_slow_response_later_does_not_move_it() -> None:
    steady = Steady()
    steady.delays = [0.002] * 3
    shared = SharedClock(steady.query, steady.now)
    await shared.now()
    steady.seconds += 60
    steady.delays = [0.1, 0.2, 0.1]
    assert await shared.now() == pytest.approx((START.timestamp() + steady.seconds) * 1000, abs=5)
    assert steady.queries == 6


async def test_a_clock_that_was_set_is_followed() -> None:
    steady = Steady()
    steady.delays = [0.002] * 3
    shared = SharedClock(steady.query, steady.now)
    await shared.now()
    steady.seconds += 60
    steady.ahead = -7
    steady.delays = [0.004] * 3
    assert await shared.now() == pytest.approx((START.timestamp() + steady.seconds - 7) * 1000, abs=2.1)


async def test_without_a_response_it_is_unknown_and_later_goes_on_as_before() -> None:
    steady = Steady()
    shared = SharedClock(steady.query, steady.now)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await shared.now()
    assert steady.queries == 2, "it queries again at once"
    steady.delays = [0.0] * 3
    first = await shared.now()
    steady.seconds += 60
    assert await shared.now() == pytest.approx(first + 60_000)
    assert await shared.now() == pytest.approx(first + 60_000)
    assert steady.queries == 6, "once in a while"
