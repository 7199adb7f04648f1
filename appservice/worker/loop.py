"""Runs the jobs of the queue until told to stop, and starts over when the database was away."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from appservice.changes import NOTICE_JOB, ROOM_JOB, SWEEP_JOB, VIDEO_JOB, Pool
from appservice.errors import HomeserverError, RequestError, UnavailableError
from appservice.model import RoomId, VideoId
from appservice.worker.videos import RetryLaterError

log = structlog.get_logger()

Handler = Callable[[str], Coroutine[None, None, None]]

_LIGHT_JOBS = 8
_OUTAGE_S = 1.0
_RECOVER_S = 60.0
_LONGEST_RETRY_S = 600
_MOST_MISTAKES = 5


@dataclass(frozen=True)
class Handlers:
    """What to do for each kind of job."""

    video: Callable[[VideoId], Coroutine[None, None, None]]
    sweep: Callable[[VideoId], Coroutine[None, None, None]]
    notice: Callable[[VideoId], Coroutine[None, None, None]]
    room: Callable[[RoomId], Coroutine[None, None, None]]
    recover: Callable[[], Coroutine[None, None, None]]


class Worker:
    """Two queues on one table: videos, few at a time; and everything light, which never waits behind a video."""

    def __init__(
        self,
        pool: Pool,
        handlers: Handlers,
        *,
        concurrency: int,
        heartbeat_timeout: float,
    ) -> None:
        self._pool = pool
        self._handlers = handlers
        self._heartbeat = timedelta(seconds=heartbeat_timeout)
        self._videos = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._stopping = asyncio.Event()
        self._managers: list[QueueManager] = []

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_running("videos", self._video_queue, 2 * self._concurrency))
            group.create_task(self._keep_running("light", self._light_queue, _LIGHT_JOBS))
            group.create_task(self._keep_recovering())

    async def _keep_recovering(self) -> None:
        # A job is lost only when the database goes away just as its end is noted; nobody must wait for ever for it.
        while not self._stopping.is_set():
            try:
                await self._handlers.recover()
            except UnavailableError as error:
                log.warning("recovery_postponed", reason=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _RECOVER_S)

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those under way are done."""
        self._stopping.set()
        for manager in self._managers:
            manager.shutdown.set()

    def _video_queue(self, manager: QueueManager) -> None:
        async def video(video_id: str) -> None:
            # PgQueuer's own limit counts at least two at a time.
            async with self._videos:
                await self._handlers.video(VideoId(video_id))

        self._register(manager, VIDEO_JOB, video)

    def _light_queue(self, manager: QueueManager) -> None:
        self._register(manager, ROOM_JOB, lambda payload: self._handlers.room(RoomId(payload)))
        self._register(manager, NOTICE_JOB, lambda payload: self._handlers.notice(VideoId(payload)))
        self._register(manager, SWEEP_JOB, lambda payload: self._handlers.sweep(VideoId(payload)))

    async def _keep_running(self, name: str, register: Callable[[QueueManager], None], tasks: int) -> None:
        while not self._stopping.is_set():
            manager = QueueManager(Queries.from_asyncpg_pool(self._pool))
            register(manager)
            self._managers.append(manager)
            try:
                await manager.run(
                    batch_size=1,
                    max_concurrent_tasks=tasks,
                    heartbeat_timeout=self._heartbeat,
                    dequeue_timeout=self._heartbeat / 2,
                    shutdown_on_listener_failure=True,
                )
            except Exception:
                # Whatever broke it (mostly the database going away), work must go on when it is back.
                log.exception("queue_interrupted", queue=name)
            finally:
                self._managers.remove(manager)
            if not self._stopping.is_set():
                await asyncio.sleep(_OUTAGE_S)

    def _register(self, manager: QueueManager, name: str, handle: Handler) -> None:
        @manager.entrypoint(name, accepts_context=False)
        async def run(job: Job) -> None:
            payload = (job.payload or b"").decode()
            try:
                await self._until_stopped(handle(payload))
            except RetryRequested:
                raise  # stopped in the middle
            except RetryLaterError as error:
                raise RetryRequested(error.delay, str(error.__cause__)) from error
            except (HomeserverError, UnavailableError) as error:
                delay = min(2 ** min(job.attempts, 10), _LONGEST_RETRY_S)
                log.warning("job_postponed", job=name, subject=payload, seconds=delay, reason=str(error))
                raise RetryRequested(timedelta(seconds=delay), str(error)) from error
            except RequestError as error:
                log.warning("job_refused", job=name, subject=payload, reason=str(error))
            except Exception as error:
                # A mistake of ours: it may depend on the moment, so the job comes again a few times.
                log.exception("job_broken", job=name, subject=payload, attempt=job.attempts)
                if job.attempts < _MOST_MISTAKES:
                    raise RetryRequested(timedelta(seconds=2 ** (job.attempts + 1)), str(error)) from error

    async def _until_stopped(self, work: Coroutine[None, None, None]) -> None:
        """Do the work of a job, or give the job back to the queue when we are told to stop."""
        task, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            raise RetryRequested(timedelta(0), "the worker stopped")
        task.result()
