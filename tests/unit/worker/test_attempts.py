"""Attempts: what ends each, whether another one follows, and what is left when the worker is stopped."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import FilteringBoundLogger

from appservice.core.errors import HomeserverError, MediaError, UnavailableError
from appservice.core.rules.retries import BACK_OFF, SOON, SOONEST
from appservice.worker.attempts import RetryLaterError, SupersededError, run_attempts, while_wanted
from transcode import TranscodeError
from transcode.errors import BrokenFile, DiskFull, Failed

MOST = 3

Outcome = Callable[[], Awaitable[None]]


@dataclass
class Subject:
    """A video or an upload in memory: what each attempt comes to, and all that was done, in order."""

    outcomes: Iterator[Outcome]
    tries: int = 0
    done: list[str] = field(default_factory=list)
    is_over: bool = False
    is_away: bool = False
    """Whether nothing of the end of an attempt can be stored."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["InMemoryAttempt | None"]:
        self.done.append("turn")
        try:
            if self.is_over:
                yield None
                return
            self.tries += 1
            yield InMemoryAttempt(self)
        finally:
            self.done.append("turn over")

    async def work(self) -> None:
        await run_attempts("upload", self.begin, most=MOST)


@dataclass(frozen=True)
class InMemoryAttempt:
    subject: Subject

    @property
    def tries(self) -> int:
        return self.subject.tries

    @property
    def log(self) -> FilteringBoundLogger:
        bound: FilteringBoundLogger = structlog.get_logger().bind(attempt=self.tries)
        return bound

    async def run(self) -> None:
        self.subject.done.append("run")
        await next(self.subject.outcomes)()
        self.subject.is_over = True

    async def pause(self) -> None:
        await self._end("pause")

    async def give_back(self) -> None:
        await self._end("give back")
        self.subject.tries -= 1

    async def fail(self, error: MediaError | TranscodeError) -> None:
        await self._end(f"fail {error.code}")
        self.subject.is_over = True

    async def _end(self, how: str) -> None:
        await asyncio.sleep(0)  # as a database does, it lets others run
        if self.subject.is_away:
            raise UnavailableError("The database is away.")
        self.subject.done.append(how)


def raises(error: Exception) -> Outcome:
    async def outcome() -> None:
        raise error

    return outcome


async def succeeds() -> None:
    pass


def subject(*outcomes: Outcome, tries: int = 0) -> Subject:
    return Subject(iter(outcomes), tries)


def attempt(*done: str) -> list[str]:
    return ["turn", *done, "turn over"]


async def test_a_success() -> None:
    upload = subject(succeeds)
    with capture_logs() as logged:
        await upload.work()
    assert upload.done == attempt("run")
    assert [(entry["event"], entry["log_level"], entry["attempt"]) for entry in logged] == [("upload_ready", "info", 1)]


async def test_nothing_is_left_to_do() -> None:
    upload = subject()
    upload.is_over = True
    await upload.work()
    assert (upload.done, upload.tries) == (attempt(), 0)


async def test_superseded() -> None:
    upload = subject(raises(SupersededError()))
    with capture_logs() as logged:
        await upload.work()
    assert upload.done == attempt("run"), "whoever took over says how it ends"
    assert [entry["event"] for entry in logged] == ["upload_superseded"]


@pytest.mark.parametrize("error", [BrokenFile(), MediaError("media-too-large", "It is too large.", final=True)])
async def test_what_the_file_causes_is_final(error: Exception) -> None:
    upload = subject(raises(error))
    with capture_logs() as logged:
        await upload.work()
    assert upload.done == attempt("run", f"fail {logged[0]['code']}")
    assert [(entry["event"], entry["log_level"], entry["cause"]) for entry in logged] == [
        ("upload_failed", "warning", "permanent")
    ]


@pytest.mark.parametrize(
    ("error", "delay"),
    [
        (DiskFull(), BACK_OFF[0]),
        (OSError(errno.ENOSPC, "No space left on device"), BACK_OFF[0]),
        (MediaError("media-gone", "It is not there.", final=False), SOON[0]),
    ],
)
async def test_what_may_pass_comes_again_later(error: Exception, delay: timedelta) -> None:
    upload = subject(raises(error), succeeds)
    with pytest.raises(RetryLaterError) as later:
        await upload.work()
    assert later.value.delay == delay
    assert str(error) in str(later.value.__cause__), "the queue logs why"
    assert upload.done == attempt("run", "pause")
    await upload.work()
    assert upload.done == [*attempt("run", "pause"), *attempt("run")]


async def test_the_last_try_fails() -> None:
    upload = subject(raises(DiskFull()), tries=MOST - 1)
    await upload.work()
    assert upload.done == attempt("run", "fail disk-full")


@pytest.mark.parametrize(
    ("error", "code", "level"), [(Failed(), "failed", "warning"), (OverflowError("too large"), "internal", "error")]
)
async def test_an_unknown_cause_has_one_repetition(error: Exception, code: str, level: str) -> None:
    upload = subject(raises(error), raises(error))
    with capture_logs() as logged:
        await upload.work()
    assert upload.done == [*attempt("run", "pause"), *attempt("run", f"fail {code}")], "others have a turn between them"
    assert [(entry["event"], entry["log_level"], entry["code"]) for entry in logged] == [
        ("upload_failed", level, code)
    ] * 2


async def test_the_repetition_may_succeed() -> None:
    upload = subject(raises(OverflowError("a race")), succeeds)
    await upload.work()
    assert upload.done == [*attempt("run", "pause"), *attempt("run")]


async def test_the_repetition_has_no_repetition_even_for_another_cause() -> None:
    upload = subject(raises(OverflowError("too large")), raises(Failed()))
    await upload.work()
    assert upload.done == [*attempt("run", "pause"), *attempt("run", "fail failed")]


async def test_the_repetition_may_meet_an_outage() -> None:
    upload = subject(raises(Failed()), raises(DiskFull()))
    with pytest.raises(RetryLaterError) as later:
        await upload.work()
    assert later.value.delay == BACK_OFF[1]
    assert upload.done == [*attempt("run", "pause"), *attempt("run", "pause")]


async def test_nothing_is_left_to_do_for_the_repetition() -> None:
    upload = subject()

    async def is_deleted() -> None:
        upload.is_over = True
        raise OverflowError("a race")

    upload.outcomes = iter([is_deleted])
    await upload.work()
    assert upload.done == [*attempt("run", "pause"), *attempt()]


async def test_an_attempt_that_ended_itself() -> None:
    upload = subject(raises(RetryLaterError(SOONEST)))
    with capture_logs() as logged, pytest.raises(RetryLaterError) as later:
        await upload.work()
    assert later.value.delay == SOONEST
    assert (upload.done, logged) == (attempt("run"), [])


async def test_workers_that_die_end_it() -> None:
    upload = subject(tries=MOST)
    with capture_logs() as logged:
        await upload.work()
    assert upload.done == attempt("fail internal"), "it takes down no further worker"
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [("upload_given_up", "error")]


@pytest.mark.parametrize("error", [HomeserverError("It is away."), UnavailableError("The database is away.")])
@pytest.mark.parametrize("is_away", [False, True])
async def test_an_outage_does_not_count(error: Exception, is_away: bool) -> None:
    upload = subject(raises(error))
    upload.is_away = is_away
    with capture_logs() as logged, pytest.raises(type(error)) as raised:
        await upload.work()
    assert raised.value is error, "not that it could not be given back"
    assert upload.done == attempt("run", *([] if is_away else ["give back"]))
    assert (upload.tries, logged) == (int(is_away), [])


async def test_an_end_that_cannot_be_stored_is_an_outage() -> None:
    upload = subject(raises(BrokenFile()))
    upload.is_away = True
    with pytest.raises(UnavailableError):
        await upload.work()
    assert upload.done == attempt("run")


async def test_an_attempt_that_is_stopped_is_given_back() -> None:
    begun = asyncio.Event()

    async def goes_on() -> None:
        begun.set()
        await asyncio.Event().wait()

    upload = subject(goes_on)
    task = asyncio.create_task(upload.work())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert (upload.done, upload.tries) == (attempt("run", "give back"), 0)


async def test_it_is_stopped_before_its_repetition() -> None:
    paused = asyncio.Event()

    @dataclass
    class Watched(Subject):
        @asynccontextmanager
        async def begin(self) -> AsyncIterator[InMemoryAttempt | None]:
            async with super().begin() as begun:
                yield begun
            paused.set()

    upload = Watched(iter([raises(Failed())]))
    task = asyncio.create_task(upload.work())
    await paused.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert upload.done == attempt("run", "pause"), "it ended before: nothing is given back"


async def test_work_that_nobody_waits_for_any_more_is_cancelled() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def is_wanted() -> bool:
        assert begun.is_set()
        return False

    with pytest.raises(SupersededError):
        await while_wanted(work(), is_wanted)
    assert cancelled.is_set()


async def test_work_that_somebody_waits_for_is_done_also_while_the_database_is_away() -> None:
    looked = asyncio.Event()

    async def work() -> int:
        await looked.wait()
        return 7

    async def is_wanted() -> bool:
        looked.set()
        raise UnavailableError("away")

    assert await while_wanted(work(), is_wanted) == 7
