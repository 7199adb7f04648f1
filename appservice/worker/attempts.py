"""Runs the attempts at one video or upload, and decides what follows when one of them fails."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from time import monotonic
from typing import Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from appservice.core.errors import HomeserverError, MediaError, TakenError, UnavailableError
from appservice.core.rules.retries import SECOND_TRY, Cause, cause_of, failure_of, retry_delay
from transcode import TranscodeError

Result = TypeVar("Result")

_LOOK_S = 1.0


class RetryLaterError(Exception):
    """The attempt failed for a reason that may pass; `delay` says when to try again."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"again in {delay}")
        self.delay = delay


class SupersededError(Exception):
    """Nobody waits for the result of an attempt (any more), or a newer attempt has taken over."""


class Attempt(Protocol):
    """One attempt, which counts since it began. It ends with one of its methods, at most."""

    @property
    def tries(self) -> int:
        """Return how many attempts count, this one included."""

    @property
    def log(self) -> FilteringBoundLogger:
        """Return a logger that names what the attempt is at."""

    async def run(self) -> None:
        """Do the work, and store its result.

        Raises MediaError or TranscodeError when it fails, SupersededError when it was in vain, and RetryLaterError
        when it has ended the attempt itself, and another one is due later.
        """

    async def pause(self) -> None:
        """End it, for another attempt follows."""

    async def give_back(self) -> None:
        """End it so that it does not count."""

    async def fail(self, error: MediaError | TranscodeError) -> None:
        """End it, and all work, with a reason."""


async def while_wanted(work: Coroutine[None, None, Result], is_wanted: Callable[[], Awaitable[bool]]) -> Result:
    """Run some work, and cancel it once nobody waits for it: what was deleted is not to lie about half-made.

    Raises SupersededError then.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_S))[0]:
            with contextlib.suppress(UnavailableError):
                if not await is_wanted():
                    raise SupersededError
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


Begin = Callable[[], AbstractAsyncContextManager[Attempt | None]]
"""Begins an attempt, for which it may have to wait; None when there is nothing left to do."""


async def run_attempts(subject: str, begin: Begin, *, most: int) -> None:
    """Make an attempt, and another one at once where nobody knows why it failed; `most` are made in all.

    `subject` begins the names of what is logged, such as `video_failed`. Raises RetryLaterError when another attempt is
    due later, TakenError when another process makes it, and what stopped it from outside, when that is so:
    HomeserverError, UnavailableError, CancelledError.
    """
    if await _run(subject, begin, most, repeated=False):
        await asyncio.sleep(SECOND_TRY.total_seconds())
        await _run(subject, begin, most, repeated=True)


async def _run(subject: str, begin: Begin, most: int, *, repeated: bool) -> bool:
    """Make one attempt; return whether another one is to follow at once."""
    async with begin() as attempt:
        if attempt is None:
            return False
        log = attempt.log
        if attempt.tries > most:
            # Workers died on it without a word; it must not take down more of them.
            log.error(_event(subject, "given_up"))
            await attempt.fail(MediaError("internal", f"Workers died in {most} attempts.", final=False))
            return False
        started = monotonic()
        failure: MediaError | TranscodeError
        try:
            await attempt.run()
        except (RetryLaterError, TakenError):
            raise
        except SupersededError:
            log.info(_event(subject, "superseded"))
            return False
        except (asyncio.CancelledError, HomeserverError, UnavailableError):
            # The worker is being stopped, or a service is away: neither is the file's fault.
            with contextlib.suppress(UnavailableError):
                await asyncio.shield(attempt.give_back())
            raise
        except (MediaError, TranscodeError) as error:
            failure = error
            log.warning(_event(subject, "failed"), code=error.code, cause=cause_of(error), reason=str(error))
        except Exception as error:
            failure = failure_of(error)
            log.exception(_event(subject, "failed"), code=failure.code, cause=cause_of(failure))
        else:
            log.info(_event(subject, "ready"), seconds=round(monotonic() - started, 2))
            return False
        return await _fail_or_retry(attempt, failure, most, repeated=repeated)


async def _fail_or_retry(attempt: Attempt, error: MediaError | TranscodeError, most: int, *, repeated: bool) -> bool:
    delay = retry_delay(error, repeated=repeated, tries=attempt.tries, most=most)
    if delay is None:
        await attempt.fail(error)
        return False
    await attempt.pause()
    if cause_of(error) is Cause.UNKNOWN:
        return True
    raise RetryLaterError(delay) from error


def _event(subject: str, outcome: str) -> str:
    return f"{subject}_{outcome}"
