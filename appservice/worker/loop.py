"""Runs the jobs of the queue until told to stop, and starts over when the database was away."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import HealthCheckEvent, Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from appservice.core.errors import HomeserverError, RequestError, UnavailableError
from appservice.core.model import RoomId, UploadId, VideoId
from appservice.store.outbox import (
    ALARM_JOB,
    ANSWER_JOB,
    COMMAND_JOB,
    EXPORT_JOB,
    FORGET_JOB,
    POLICY_JOB,
    QUEUE_POST_JOB,
    REACTION_JOB,
    ROOM_JOB,
    STATUS_JOB,
    SWEEP_JOB,
    TELL_JOB,
    TIMELINE_JOB,
    UPLOAD_JOB,
    VERDICT_JOB,
    VIDEO_JOB,
    Pool,
)
from appservice.worker.fair_queue import FairQueries
from appservice.worker.videos import RetryLaterError

log = structlog.get_logger()

Handler = Callable[[str], Coroutine[None, None, None]]

_VIDEO_JOBS = 18
"""Videos that a process takes from the queue for each ladder that it makes at a time: most of them already play.

One sender has at most a third of them (`fairness`). Not more, for what one process has taken, others that are idle do
not see.
"""

_LOOK_AGAIN = timedelta(seconds=0.5)

_VIDEOS = "videos"
_LIGHT_JOBS = 8
_UPLOADS = 2
_EXPORTS = 2
_VERDICTS = 4
_OUTAGE_S = 1.0
_RECOVER_S = 60.0
_PURGE_S = 0.5
_WATCH_S = 5.0
_KEEP_S = 15.0
_LONGEST_RETRY_S = 600
_MOST_MISTAKES = 5


class _PatientManager(QueueManager):
    """A manager that asks twice whether it hears the database.

    Its first question may be on the way before it listens (pgqueuer 1.x): that one is lost, and every part of the work
    would begin anew ten seconds later.
    """

    async def listener_healthy(self, timeout: timedelta = timedelta(seconds=10)) -> HealthCheckEvent:  # noqa: ASYNC109 - theirs
        try:
            return await super().listener_healthy(timeout)
        except FailingListenerError:
            return await super().listener_healthy(timeout)


@dataclass(frozen=True)
class Handlers:
    """What to do for each kind of job."""

    video: Callable[[VideoId], Coroutine[None, None, None]]
    sweep: Callable[[VideoId], Coroutine[None, None, None]]
    status: Callable[[VideoId], Coroutine[None, None, None]]
    room: Callable[[RoomId], Coroutine[None, None, None]]
    upload: Callable[[UploadId], Coroutine[None, None, None]]
    answer: Handler
    command: Callable[[RoomId], Coroutine[None, None, None]]
    forget: Handler
    recover: Callable[[], Coroutine[None, None, None]]
    purge: Callable[[], Coroutine[None, None, None]]
    timeline: Handler
    keep: Callable[[], Coroutine[None, None, None]]
    tell: Handler
    policy: Handler
    queue_post: Callable[[VideoId], Coroutine[None, None, None]]
    reaction: Handler
    alarm: Handler
    watch: Callable[[], Coroutine[None, None, None]]
    export: Handler
    verdict: Callable[[VideoId], Coroutine[None, None, None]]


class Worker:
    """Five queues on one table: videos, by fair shares (`fair_queue` says which is taken, `concurrency` which is worked
    on); what members are about to send, while they wait for it; what they take with them; what another service is asked
    about; and everything light, which never waits behind those.
    """

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
        self._videos = _VIDEO_JOBS * concurrency
        self._stopping = asyncio.Event()
        self._managers: list[QueueManager] = []

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_running(_VIDEOS, self._video_queue, self._videos))
            group.create_task(self._keep_running("light", self._light_queue, _LIGHT_JOBS))
            group.create_task(self._keep_running("uploads", self._upload_queue, _UPLOADS))
            group.create_task(self._keep_running("exports", self._export_queue, _EXPORTS))
            group.create_task(self._keep_running("verdicts", self._verdict_queue, _VERDICTS))
            # A job is lost only when the database goes away just as its end is noted; nobody must wait for ever for it.
            group.create_task(self._keep_doing("recovery", self._handlers.recover, _RECOVER_S))
            # A queue looks for what becomes due too seldom for what is to be gone in time.
            group.create_task(self._keep_doing("purge", self._handlers.purge, _PURGE_S))
            group.create_task(self._keep_doing("watch", self._handlers.watch, _WATCH_S))
            group.create_task(self._keep_doing("looking back", self._handlers.keep, _KEEP_S))

    async def _keep_doing(self, name: str, act: Callable[[], Coroutine[None, None, None]], seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                await act()
            except UnavailableError as error:
                log.warning("postponed", work=name, reason=str(error))
            except Exception:
                # A mistake of ours must not end all other work: it may depend on the moment.
                log.exception("work_broken", work=name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those under way are done."""
        self._stopping.set()
        for manager in self._managers:
            manager.shutdown.set()

    def _video_queue(self, manager: QueueManager) -> None:
        self._register(manager, VIDEO_JOB, lambda payload: self._handlers.video(VideoId(payload)))

    def _upload_queue(self, manager: QueueManager) -> None:
        self._register(manager, UPLOAD_JOB, lambda payload: self._handlers.upload(UploadId(payload)))

    def _export_queue(self, manager: QueueManager) -> None:
        self._register(manager, EXPORT_JOB, self._handlers.export)

    def _verdict_queue(self, manager: QueueManager) -> None:
        self._register(manager, VERDICT_JOB, lambda payload: self._handlers.verdict(VideoId(payload)))

    def _light_queue(self, manager: QueueManager) -> None:
        self._register(manager, ROOM_JOB, lambda payload: self._handlers.room(RoomId(payload)))
        self._register(manager, STATUS_JOB, lambda payload: self._handlers.status(VideoId(payload)))
        self._register(manager, SWEEP_JOB, lambda payload: self._handlers.sweep(VideoId(payload)))
        self._register(manager, ANSWER_JOB, self._handlers.answer)
        self._register(manager, FORGET_JOB, self._handlers.forget)
        self._register(manager, COMMAND_JOB, lambda payload: self._handlers.command(RoomId(payload)))
        self._register(manager, TELL_JOB, self._handlers.tell)
        self._register(manager, POLICY_JOB, self._handlers.policy)
        self._register(manager, QUEUE_POST_JOB, lambda payload: self._handlers.queue_post(VideoId(payload)))
        self._register(manager, REACTION_JOB, self._handlers.reaction)
        self._register(manager, ALARM_JOB, self._handlers.alarm)
        self._register(manager, TIMELINE_JOB, self._handlers.timeline)

    async def _keep_running(self, name: str, register: Callable[[QueueManager], None], tasks: int) -> None:
        while not self._stopping.is_set():
            manager = self._manager(name)
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

    def _manager(self, name: str) -> QueueManager:
        if name != _VIDEOS:
            return _PatientManager(Queries.from_asyncpg_pool(self._pool))
        manager = _PatientManager(FairQueries.from_asyncpg_pool(self._pool))
        # Whoever has their share leaves jobs in the queue, which is no reason to look for them all the time.
        manager.min_dequeue_poll_interval = _LOOK_AGAIN
        return manager

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
