"""Who waits for whom."""

import asyncio
from contextlib import suppress

import pytest

from appservice.worker.lanes import Lanes


class Work:
    """A video whose two stages take as long as the test says."""

    def __init__(self, lanes: Lanes) -> None:
        self.stage = "waits"
        self.first, self.last = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run(lanes))

    async def _run(self, lanes: Lanes) -> None:
        async with lanes.beginning() as ladder:
            self.stage = "begins"
            await self.first.wait()
            self.stage = "plays"
            async with ladder():
                self.stage = "ladder"
                await self.last.wait()
            self.stage = "learns"
            await asyncio.sleep(0)
        self.stage = "done"


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _stages(works: list[Work]) -> list[str]:
    await _settle()
    return [work.stage for work in works]


async def test_a_first_picture_waits_for_no_ladder() -> None:
    lanes = Lanes(1)
    works = [Work(lanes) for _ in range(5)]
    assert await _stages(works) == ["begins", "begins", "waits", "waits", "waits"]
    works[1].first.set()
    assert await _stages(works) == ["begins", "ladder", "begins", "waits", "waits"]
    for work in works:
        work.first.set()
    assert await _stages(works) == ["plays", "ladder", "plays", "plays", "plays"]
    works[1].last.set()
    assert (await _stages(works)).count("ladder") == 1
    assert works[1].stage == "done"
    for work in works:
        work.last.set()
    assert await _stages(works) == ["done"] * 5


async def test_ladders_are_made_in_the_order_in_which_videos_play() -> None:
    lanes = Lanes(1)
    works = [Work(lanes) for _ in range(3)]
    for work in works:
        work.first.set()
        await _settle()
    assert await _stages(works) == ["ladder", "plays", "plays"]
    works[0].last.set()
    assert await _stages(works) == ["done", "ladder", "plays"]
    works[1].last.set()
    works[2].last.set()
    assert await _stages(works) == ["done"] * 3


@pytest.mark.parametrize("plays", [False, True])
async def test_who_leaves_makes_room(plays: bool) -> None:
    lanes = Lanes(1)
    works = [Work(lanes) for _ in range(4)]
    if plays:
        for work in works:
            work.first.set()
            await _settle()
    for work in works[:3]:
        work.task.cancel()
        with suppress(asyncio.CancelledError):
            await work.task
    works[3].first.set()
    assert (await _stages(works))[3] == "ladder"
    works[3].last.set()
    await works[3].task
