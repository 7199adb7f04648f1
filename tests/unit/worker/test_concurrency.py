"""Who waits for whom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from time import monotonic

import pytest

from appservice.core.model import VideoId
from appservice.core.rules.fairness import RUNGS_PATIENCE, Party
from appservice.worker.concurrency import PreemptedError, ProcessorSlots

ALICE, BOB, CAROL = (Party(name, "room") for name in ("alice", "bob", "carol"))


class Work:
    """A video whose two stages take as long as the test says."""

    def __init__(self, slots: ProcessorSlots, party: Party = ALICE, cost: float = 0.0) -> None:
        self.stage, self.party, self.cost = "waits", party, cost
        self.first, self.last = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run(slots))

    async def _run(self, slots: ProcessorSlots) -> None:
        async with slots.beginning(self.party) as ladder:
            self.stage = "begins"
            await self.first.wait()
            self.stage = "plays"
            async with ladder(self.cost):
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


@pytest.mark.parametrize("concurrency", range(1, 9))
async def test_one_sender_alone_begins_one_more_than_ladders_are_made(concurrency: int) -> None:
    slots = ProcessorSlots(concurrency)
    works = [Work(slots) for _ in range(concurrency + 3)]
    assert (await _stages(works)).count("begins") == concurrency + 1
    others = [Work(slots, Party("dave", "elsewhere"))]
    assert await _stages(others) == ["begins"]
    for work in works + others:
        work.task.cancel()
        with suppress(asyncio.CancelledError):
            await work.task


async def test_a_room_full_of_senders_leaves_a_place_to_another_room() -> None:
    slots = ProcessorSlots(1)
    works = [Work(slots, Party(f"sender{number}", "room")) for number in range(6)]
    assert (await _stages(works)).count("begins") == 3
    other = Work(slots, Party("dave", "elsewhere"))
    assert await _stages([other]) == ["begins"]
    for work in [*works, other]:
        work.task.cancel()
        with suppress(asyncio.CancelledError):
            await work.task


async def test_a_first_stage_waits_for_no_ladder() -> None:
    slots = ProcessorSlots(1)
    works = [Work(slots) for _ in range(5)]
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
    slots = ProcessorSlots(1)
    works = [Work(slots) for _ in range(3)]
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
    slots = ProcessorSlots(1)
    works = [Work(slots) for _ in range(4)]
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


async def test_others_begin_beside_all_that_one_sender_has() -> None:
    slots = ProcessorSlots(1)
    works = [Work(slots) for _ in range(9)]
    for work in works[:2]:
        work.first.set()
    assert (await _stages(works))[:4] == ["ladder", "plays", "begins", "begins"]
    others = [Work(slots, BOB), Work(slots, Party("carol", "den"))]
    assert await _stages(others) == ["begins", "begins"]
    # What one sender has done lately counts: of those who wait for their ladder, another is next.
    for other in others:
        other.first.set()
    assert await _stages(others) == ["plays", "plays"]
    works[0].last.set()
    assert (await _stages([works[1]]), sorted(await _stages(others))) == (["plays"], ["ladder", "plays"])
    for other in others:
        other.last.set()
    assert await _stages([works[1], *others]) == ["ladder", "done", "done"]
    for work in works:
        work.first.set()
        work.last.set()
    await asyncio.gather(*(work.task for work in [*works, *others]))


async def test_who_is_cancelled_when_just_let_in_gives_the_place_back() -> None:
    slots = ProcessorSlots(1)
    works = [Work(slots) for _ in range(3)]
    await _settle()
    works[0].task.cancel()
    # In the same turn of the loop in which the first one leaves, the third is let in, and cancelled as well.
    await asyncio.sleep(0)
    works[2].task.cancel()
    await asyncio.gather(works[0].task, works[2].task, return_exceptions=True)
    after = [Work(slots), Work(slots, BOB)]
    assert await _stages(after) == ["begins", "begins"]
    for work in (works[1], *after):
        work.first.set()
        work.last.set()
    await asyncio.gather(works[1].task, *(work.task for work in after))


class LowerRungs:
    """The making of lower rungs, which takes as long as the test says."""

    def __init__(self, slots: ProcessorSlots, *, spare: bool, name: str = "1") -> None:
        self.stage, self.end, self.video_id = "waits", asyncio.Event(), VideoId(name)
        self.task = asyncio.create_task(self._run(slots, spare=spare))

    async def _run(self, slots: ProcessorSlots, *, spare: bool) -> None:
        try:
            async with slots.lower_rungs(self.video_id, spare=spare):
                self.stage = "ladder"
                await self.end.wait()
            self.stage = "done"
        except PreemptedError:
            self.stage = "preempted"


async def test_lower_rungs_wait_until_no_other_ladder_does() -> None:
    slots = ProcessorSlots(1)
    running, rungs, next_one = Work(slots), LowerRungs(slots, spare=False), Work(slots, BOB)
    running.first.set()
    assert [running.stage, rungs.stage, next_one.stage] == ["waits", "waits", "waits"]
    await _settle()
    next_one.first.set()
    assert await _stages([running, next_one]) == ["ladder", "plays"]
    running.last.set()
    assert await _stages([running, next_one]) == ["done", "ladder"]
    assert rungs.stage == "waits"
    next_one.last.set()
    await _settle()
    assert rungs.stage == "ladder"
    # A viewer waits for them: what comes now does not end them.
    late = Work(slots)
    late.first.set()
    assert await _stages([late]) == ["plays"]
    assert rungs.stage == "ladder"
    rungs.end.set()
    late.last.set()
    assert await _stages([late]) == ["done"]
    assert rungs.stage == "done"


async def test_lower_rungs_in_spare_time_end_when_there_is_something_to_do() -> None:
    slots = ProcessorSlots(1)
    rungs = LowerRungs(slots, spare=True)
    work = Work(slots)
    await _stages([work])
    assert rungs.stage == "ladder", "nobody knows yet whether that job has anything to do"
    slots.preempt()
    await _settle()
    assert rungs.stage == "preempted"
    rungs = LowerRungs(slots, spare=True)
    await _settle()
    assert rungs.stage == "ladder"
    work.first.set()
    assert await _stages([work]) == ["ladder"]
    assert rungs.stage == "preempted"
    work.last.set()
    assert await _stages([work]) == ["done"]


async def test_what_a_viewer_wants_ends_what_is_made_in_spare_time() -> None:
    slots = ProcessorSlots(1)
    spare = LowerRungs(slots, spare=True)
    await _settle()
    # In the order in which they are to go, however they came.
    later, wanted = LowerRungs(slots, spare=True, name="2"), LowerRungs(slots, spare=False, name="3")
    await _settle()
    assert [each.stage for each in (spare, later, wanted)] == ["preempted", "waits", "ladder"]
    wanted.end.set()
    await _settle()
    assert later.stage == "ladder"


async def test_what_a_viewer_wants_by_now_goes_on() -> None:
    slots = ProcessorSlots(1)
    rungs = LowerRungs(slots, spare=True)
    await _settle()
    slots.keep(rungs.video_id)
    slots.preempt()
    await _settle()
    assert rungs.stage == "ladder"


async def test_lower_rungs_leave_a_ladder_to_others() -> None:
    slots = ProcessorSlots(2)
    rungs = [LowerRungs(slots, spare=False, name=str(number)) for number in range(2)]
    await _settle()
    assert [each.stage for each in rungs] == ["ladder", "waits"]
    work = Work(slots)
    work.first.set()
    assert await _stages([work]) == ["ladder"]
    rungs[0].end.set()
    await _settle()
    assert rungs[1].stage == "ladder"


async def test_lower_rungs_that_have_waited_long_go_as_any_other_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = ProcessorSlots(1)
    running, rungs = Work(slots), LowerRungs(slots, spare=False)
    running.first.set()
    await _stages([running])
    late = monotonic() + RUNGS_PATIENCE.total_seconds()
    monkeypatch.setattr("appservice.worker.concurrency.monotonic", lambda: late)
    next_one = Work(slots)
    next_one.first.set()
    assert await _stages([next_one]) == ["plays"]
    running.last.set()
    await _settle()
    assert rungs.stage == "ladder"


async def test_an_error_of_the_work_itself_is_no_preemption() -> None:
    slots = ProcessorSlots(1)
    with pytest.raises(TimeoutError):
        async with slots.lower_rungs(VideoId("1"), spare=True):
            raise TimeoutError
    async with slots.lower_rungs(VideoId("1"), spare=True):
        pass


class TakenAwayError(Exception):
    """What ends a wait."""


async def test_only_who_has_to_wait_is_offered_and_whoever_is_taken_leaves_the_slot() -> None:
    slots, offered = ProcessorSlots(1), list[str]()
    taken = set[str]()

    def waiting(name: str) -> Callable[[], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def wait() -> AsyncIterator[None]:
            offered.append(name)
            yield
            if name in taken:
                raise TakenAwayError

        return wait

    done = asyncio.Event()

    async def run(name: str) -> str:
        async with slots.beginning(ALICE, waiting(name)) as ladder, ladder(0.0):
            await done.wait()
        return name

    tasks = [asyncio.create_task(run(name)) for name in ("first", "second", "third")]
    await _settle()
    assert offered == ["second", "third"], "the first had a slot at once"
    taken.add("second")
    done.set()
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, type(second), third) == ("first", TakenAwayError, "third")


async def test_a_small_ladder_is_made_before_a_large_one() -> None:
    slots = ProcessorSlots(1)
    works = [Work(slots, cost=cost) for cost in (600.0, 600.0, 3.0)]
    for work in works:
        work.first.set()
    assert await _stages(works) == ["ladder", "plays", "plays"]
    works[0].last.set()
    assert await _stages(works) == ["done", "plays", "ladder"]
    for work in works:
        work.last.set()
    assert await _stages(works) == ["done"] * 3
