"""Ladders by runners: offered while no slot is free here, taken back when nothing comes of it, verified when it does.

The attempt stays that of its worker. A runner that dies, is revoked or lies delays the ladder, which is then made here.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass

import structlog

from appservice import metrics
from appservice.core.errors import UnavailableError
from appservice.core.runners import SOURCE, TaskView
from appservice.service.media_keys import MediaKeys
from appservice.store.runners import Offer, OfferState
from appservice.worker.runner_files import Job, Made, RunnerFiles, Wanted
from transcode import Result, Settings, Tools, TranscodeError, Transcoding, fingerprint
from transcode.errors import DiskFull, Failed, Overloaded
from transcode.fingerprint import shows_same
from transcode.hls.encryption import BLOCK

log = structlog.get_logger()

Enter = Callable[[], AbstractAsyncContextManager[None]]

_LOOK_S = 0.5
# For so long a runner that waits may be faster than a slot that is free.
_GRACE_S = 3.0
# A runner may have a job for so many seconds, and so many times the video's duration.
_LEAST_S, _TIMES = 900.0, 10.0


@dataclass(frozen=True)
class RunnerLadders:
    """Offers ladders to runners; one instance for a process."""

    files: RunnerFiles
    media_keys: MediaKeys
    tools: Tools
    settings: Settings

    async def slot_or_files(self, wanted: Wanted | None, slot: AsyncExitStack, enter: Enter) -> Made | None:
        """Wait until a slot is entered (None), or until a runner has made the ladder: then no slot is held.

        With nothing wanted of runners, or where there is none, just wait for the slot.
        """
        job = await self._offered(wanted) if wanted else None
        if job is None:
            await slot.enter_async_context(enter())
            return None
        try:
            made = await _Wait(self, job, slot, enter).run()
        except BaseException:
            await asyncio.shield(self.files.drop(job.id))
            raise
        if made is None:
            await self.files.drop(job.id)
        return made

    async def adopted(self, made: Made, wanted: Wanted, transcoding: Transcoding, key: bytes | None) -> Result | None:
        """Return the stage that a runner made, verified; None where it is none: then it is to be made here."""
        done = False
        try:
            await self._compare(made, wanted)
            result = await transcoding.ladder(key, made=made.folder)
            done = True
        except (DiskFull, Overloaded):
            raise
        except TranscodeError as error:
            self._log(wanted, made.job_id).warning("runner_refused", code=error.code, reason=str(error))
            metrics.RUNNER_JOBS.labels(outcome="refused").inc()
            await self.count(made.job_id, done=False)
            return None
        finally:
            if not done:
                await asyncio.shield(self.files.drop(made.job_id))
        metrics.RUNNER_JOBS.labels(outcome="done").inc()
        self._log(wanted, made.job_id).info("runner_ladder_made")
        await self.count(made.job_id, done=True)
        await self.files.drop(made.job_id)
        return result

    async def _offered(self, wanted: Wanted) -> Job | None:
        """Offer a job, where there is a runner for it."""
        try:
            waits = await self.files.store.is_awaited(encrypted=wanted.is_encrypted)
            look = await self._look(wanted) if waits is not None else None
            if look is None:
                return None  # or it could not be verified
            key = self.media_keys.new_for_runner(wanted.room)
            chosen, limits = self.settings, wanted.limits
            task = TaskView(
                rungs=chosen.rungs, preset=chosen.preset, copy_source=chosen.copy, every_rung=chosen.every_rung,
                max_duration=limits.max_duration, output_bytes=limits.output_bytes,
            )  # fmt: skip
            source = wanted.source
            files = {**wanted.files, SOURCE: (await asyncio.to_thread(source.stat)).st_size + BLOCK}
            if key:
                files = {name: most + BLOCK for name, most in files.items()}
            seconds = min(limits.wall_seconds, _LEAST_S + _TIMES * limits.max_duration)
            offer = Offer(wanted.video, wanted.is_encrypted, task, files, key.sealed if key else None, seconds)
            job_id = await self.files.store.offer(offer)
        except UnavailableError:
            return None
        metrics.RUNNER_JOBS.labels(outcome="offered").inc()
        grace = _GRACE_S if waits else 0.0
        return Job(job_id, wanted, key, look, asyncio.get_running_loop().time() + grace)

    async def _look(self, wanted: Wanted) -> bytes | None:
        """Return the fingerprint of a file; None where there is none, as of what is all black."""
        try:
            return await fingerprint(wanted.source, tools=self.tools, limits=wanted.limits)
        except (DiskFull, Overloaded):
            raise
        except TranscodeError:
            return None

    async def _compare(self, made: Made, wanted: Wanted) -> None:
        """Raise TranscodeError unless every rendition shows what the file shows."""
        for name in wanted.files:
            path = made.folder / name
            if not name.isdecimal() or not await asyncio.to_thread(path.exists):
                continue
            found = await fingerprint(path, tools=self.tools, limits=wanted.limits)
            if found is None or not shows_same(made.look, found):
                raise Failed(f"{name} shows something else than the file")

    async def count(self, job_id: str, *, done: bool) -> None:
        """Count for its runner that a job was done, or was not."""
        with suppress(UnavailableError):
            await self.files.store.count(job_id, done=done)

    @staticmethod
    def _log(wanted: Wanted, job_id: str) -> structlog.typing.FilteringBoundLogger:
        bound: structlog.typing.FilteringBoundLogger = log.bind(
            video_id=wanted.video.id, runner_job=job_id, attempt=wanted.video.work.attempts
        )
        return bound


class _Wait:
    """The wait for a slot of this process, or for a runner's files: whichever is there first."""

    def __init__(self, ladders: RunnerLadders, job: Job, slot: AsyncExitStack, enter: Enter) -> None:
        self._ladders, self._job, self._slot, self._enter = ladders, job, slot, enter
        self._entering: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._begun = job.wanted.progress.share

    async def run(self) -> Made | None:
        """Return what a runner made; None: the slot is entered."""
        self._entering = asyncio.create_task(self._slot.enter_async_context(self._enter()))
        try:
            while True:
                state, share = await self._look()
                if self._entering and self._entering.done():
                    self._entering.result()
                if state is OfferState.COMPLETE:
                    await self._leave()
                    return await self._ladders.files.fetch(self._job)
                if state in {OfferState.FAILED, OfferState.RETURNED}:
                    await self._lost(state)
                    return None
                if state is OfferState.LEASED:
                    await self._follow(share)
                elif await self._is_ours():
                    return None
                await self._pause()
        finally:
            for task in (self._entering, self._sending):
                if task and not task.done():
                    task.cancel()
                    await asyncio.wait({task})

    async def _look(self) -> tuple[OfferState, float]:
        if self._sending and self._sending.done() and (error := self._sending.exception()):
            log.warning("runner_input_not_sent", runner_job=self._job.id, reason=str(error))
            return OfferState.RETURNED, 0.0
        try:
            return await self._ladders.files.store.keep(self._job.id)
        except UnavailableError:
            # Nobody knows; a lease ends by itself.
            return OfferState.OFFERED, 0.0

    async def _is_ours(self) -> bool:
        """Say whether the slot is there, and no runner was faster."""
        free = self._entering is not None and self._entering.done()
        if not free or asyncio.get_running_loop().time() < self._job.grace_ends:
            return False
        try:
            return await self._ladders.files.store.withdraw(self._job.id)
        except UnavailableError:
            return False

    async def _follow(self, share: float) -> None:
        """Send the input, and report how far the runner is."""
        await self._leave()
        if self._sending is None:
            self._sending = asyncio.create_task(self._ladders.files.send(self._job))
        progress = self._job.wanted.progress
        progress.waits = False
        progress.advance(self._begun + (1 - self._begun) * share)

    async def _leave(self) -> None:
        """Give the slot up, or the wait for it: a runner makes the ladder."""
        if self._entering:
            self._entering.cancel()
            await asyncio.wait({self._entering})
            await self._slot.aclose()
            self._entering = None

    async def _lost(self, state: OfferState) -> None:
        """Go on here."""
        outcome = "returned" if state is OfferState.RETURNED else "lost"
        metrics.RUNNER_JOBS.labels(outcome=outcome).inc()
        log.warning("runner_gone", video_id=self._job.wanted.video.id, runner_job=self._job.id, outcome=outcome)
        if state is OfferState.FAILED:
            await self._ladders.count(self._job.id, done=False)
        self._job.wanted.progress.waits = True
        await (self._entering or self._slot.enter_async_context(self._enter()))

    async def _pause(self) -> None:
        if self._entering and not self._entering.done():
            await asyncio.wait({self._entering}, timeout=_LOOK_S)
        else:
            await asyncio.sleep(_LOOK_S)
