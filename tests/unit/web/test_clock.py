"""The clock that all processes share: compared now and then, kept through an outage."""

from datetime import UTC, datetime

import pytest

from appservice.core.errors import UnavailableError
from appservice.web.clock import SharedClock

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Steady:
    """A steady clock, and a database that answers after some time."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.delays: list[float] = []
        self.asked = 0

    def now(self) -> float:
        return self.seconds

    async def ask(self) -> datetime:
        self.asked += 1
        if not self.delays:
            raise UnavailableError("away")
        delay = self.delays.pop(0)
        # All of the delay is on the way back: the worst that can happen.
        answer = datetime.fromtimestamp(MOMENT.timestamp() + self.seconds, UTC)
        self.seconds += delay
        return answer


async def test_the_quickest_answer_counts() -> None:
    steady = Steady()
    steady.delays = [0.5, 0.002, 0.4]
    shared = SharedClock(steady.ask, steady.now)
    assert await shared.now() == pytest.approx((MOMENT.timestamp() + steady.seconds) * 1000, abs=1.01)
    steady.seconds += 20
    assert await shared.now() == pytest.approx((MOMENT.timestamp() + steady.seconds) * 1000, abs=1.01)
    assert steady.asked == 3


async def test_without_an_answer_it_is_unknown_and_later_goes_on_as_before() -> None:
    steady = Steady()
    shared = SharedClock(steady.ask, steady.now)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await shared.now()
    assert steady.asked == 2, "it asks again at once"
    steady.delays = [0.0] * 3
    first = await shared.now()
    steady.seconds += 60
    assert await shared.now() == pytest.approx(first + 60_000)
    assert await shared.now() == pytest.approx(first + 60_000)
    assert steady.asked == 6, "once in a while"
