"""Progress of the work on a video, and the time that it will still take: estimated, and stored."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from appservice.core.errors import UnavailableError
from appservice.core.model import Video
from appservice.store import AttemptStore

log = structlog.get_logger()

_EVERY_S = 1.0
# The first seconds (starting programs, filling buffers) say little about those to come.
_LEAST_S = 2.0
# The speed of about so long ago counts: scenes, and the stages of the work, differ.
_MEMORY_S = 15.0
_LONGEST_S = 24 * 3600


class Estimate:
    """Percent done and seconds left, from the share done (0 to 1) at instants of a clock (seconds). Pure."""

    def __init__(self, started: float) -> None:
        self._started = self._now = started
        self._share = 0.0
        self._gained = 0.0
        self._spent = 0.0

    def update(self, share: float, now: float) -> None:
        """Update the share that is done; one that is smaller than before is ignored."""
        passed = max(0.0, now - self._now)
        fading = math.exp(-passed / _MEMORY_S)
        self._gained = self._gained * fading + max(0.0, share - self._share)
        self._spent = self._spent * fading + passed
        self._share, self._now = max(self._share, min(1.0, share)), self._now + passed

    def rest(self, share: float, now: float) -> None:
        """Update the share that is done while nothing is worked on: this time does not count for the speed."""
        passed = max(0.0, now - self._now)
        self._share = max(self._share, min(1.0, share))
        self._started, self._now = self._started + passed, self._now + passed

    @property
    def percent(self) -> int:
        """Whole percents that are done."""
        return math.floor(self._share * 100)

    @property
    def remaining(self) -> int | None:
        """Seconds left at the speed of late; None while that is not known, or absurd."""
        if self._now - self._started < _LEAST_S or self._gained <= 0:
            return None
        seconds = (1 - self._share) * self._spent / self._gained
        return math.ceil(seconds) if seconds <= _LONGEST_S else None


class Reporter:
    """Takes how far the work on a video is."""

    def __init__(self) -> None:
        self.share = 0.0
        self.waits = False

    def advance(self, share: float) -> None:
        """Set the share that is done, from 0 to 1."""
        self.share = share

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Nothing is worked on meanwhile, and nobody knows for how long."""
        self.waits = True
        try:
            yield
        finally:
            self.waits = False


@asynccontextmanager
async def reported(store: AttemptStore, video: Video) -> AsyncIterator[Reporter]:
    """Yield what takes the share done; what follows from it is stored and announced once a second, when it is new."""
    reporter = Reporter()

    async def report() -> None:
        clock = asyncio.get_running_loop().time
        estimate = Estimate(clock())
        last: tuple[int, int | None] = (0, None)
        while True:
            await asyncio.sleep(_EVERY_S)
            (estimate.rest if reporter.waits else estimate.update)(reporter.share, clock())
            current = estimate.percent, None if reporter.waits else estimate.remaining
            if current == last:
                continue
            try:
                await store.progress(video, *current)
            except UnavailableError as error:
                log.debug("progress_not_told", video_id=video.id, reason=str(error))
            else:
                last = current

    task = asyncio.create_task(report())
    try:
        yield reporter
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
