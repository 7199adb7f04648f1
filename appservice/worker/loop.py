"""Runs the jobs of the queue until stopped, and starts over when the database was away."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.core import buffers
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import HealthCheckEvent, Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.qm import QueueManager

from appservice import metrics
from appservice.core.errors import HomeserverError, RequestError, TakenError, UnavailableError
from appservice.core.jobs import AnyJob, Queue, names_in, read_job
from appservice.store.outbox import Pool
from appservice.worker.attempts import RetryLaterError
from appservice.worker.fair_queue import FairQueries
from appservice.worker.taken_jobs import OwnQueries, in_progress

log = structlog.get_logger()

Do = Callable[[AnyJob], Coroutine[None, None, None]]

_VIDEO_JOBS = 18
"""Videos that a process takes from the queue for each ladder that it makes at a time: most of them already play.

One sender has at most a third of them (`fairness`). What waits for a slot of the processor, others that are idle may
take (`taken_jobs`).
"""

_LOOK_AGAIN = timedelta(seconds=0.5)

_AT_ONCE = {Queue.LIGHT: 8, Queue.UPLOADS: 2, Queue.EXPORTS: 2, Queue.VERDICTS: 4}
"""Jobs that a process takes from each of the other queues at a time."""
_OUTAGE_S = 1.0
_FLUSH_AGAIN_S = 1.0
_LOOK_AFTER = timedelta(seconds=30)
"""How long a queue waits that hears of no change, and knows of nothing that becomes due sooner.

Of retries, and of what dead workers leave, none is notified: `InstallationStore.wake_queues` looks for both.
"""
_LONGEST_RETRY_S = 600
_MOST_MISTAKES = 5


class _Buffer(buffers.TimedOverflowBuffer[Any]):
    """A buffer of one entry, which is written when it is added, and again where that failed.

    Theirs look for entries all the time, ten of them, and use half of what a service does that has nothing to do.
    """

    async def periodic_flush(self) -> None:
        """Do nothing: `add` flushes."""

    async def flush(self) -> None:
        """Write what there is, and try again later where it cannot be written."""
        await super().flush()
        if not self.events.empty() and not self.shutdown.is_set():
            asyncio.get_running_loop().call_later(_FLUSH_AGAIN_S, self._flush_again)

    def _flush_again(self) -> None:
        if not self.shutdown.is_set():  # at its end theirs writes what is left
            self.schedule_flush()


class _LogBuffer(_Buffer, buffers.JobStatusLogBuffer):
    pass


class _HeartbeatBuffer(_Buffer, buffers.HeartbeatBuffer):
    pass


# Managers of pgqueuer 1.6 build theirs themselves.
buffers.JobStatusLogBuffer = _LogBuffer  # type: ignore[misc]
buffers.HeartbeatBuffer = _HeartbeatBuffer  # type: ignore[misc]


class _Driver(AsyncpgPoolDriver):
    """A driver whose listener has a connection of another pool: what queries go through may be shared by others."""

    def __init__(self, pool: Pool, listeners: Pool) -> None:
        super().__init__(pool)
        self._listeners = listeners

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Hand over the payloads of a channel's notifications."""
        async with self._lock:
            if self._listener_connection is None:
                self._listener_connection = await self._listeners.acquire()
        await super().add_listener(channel, callback)

    async def __aexit__(self, *_: object) -> None:
        """Return the listener's connection once nobody needs it any more."""
        self._entered -= 1
        if self._entered > 0:
            return
        async with self._lock:
            connection, self._listener_connection = self._listener_connection, None
            if connection is not None:
                try:
                    await connection.reset()
                finally:
                    await self._listeners.release(connection)


class _PatientManager(QueueManager):
    """A manager that checks twice whether it hears the database.

    Its first question may be on the way before it listens (pgqueuer 1.x): that one is lost, and every part of the work
    would begin anew ten seconds later.
    """

    async def listener_healthy(self, timeout: timedelta = timedelta(seconds=10)) -> HealthCheckEvent:  # noqa: ASYNC109 - theirs
        try:
            return await super().listener_healthy(timeout)
        except FailingListenerError:
            return await super().listener_healthy(timeout)


@dataclass(frozen=True, slots=True)
class Chore:
    """What is done again and again by each worker.

    `act` returns in how many seconds it is due again, where that is sooner than after `every` so many.
    """

    name: str
    act: Callable[[], Coroutine[None, None, float | None]]
    every: float


class Worker:
    """Does the jobs of all queues, and chores beside them.

    Of the videos `fair_queue` says which is taken, and `concurrency` which is worked on.
    """

    def __init__(
        self, pool: Pool, listeners: Pool, do: Do, chores: Sequence[Chore], *, concurrency: int,
        heartbeat_timeout: float,
    ) -> None:  # fmt: skip
        self._pool, self._listeners = pool, listeners
        self._do = do
        self._chores = chores
        self._heartbeat = timedelta(seconds=heartbeat_timeout)
        self._concurrency = concurrency
        self._at_once = {**_AT_ONCE, Queue.VIDEOS: _VIDEO_JOBS * concurrency}
        self._stopping = asyncio.Event()
        self._managers: list[QueueManager] = []

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as group:
            for queue in Queue:
                group.create_task(self._keep_running(queue))
            for chore in self._chores:
                group.create_task(self._keep_doing(chore))

    async def _keep_doing(self, chore: Chore) -> None:
        while not self._stopping.is_set():
            due = None
            try:
                due = await chore.act()
            except UnavailableError as error:
                log.warning("postponed", work=chore.name, reason=str(error))
            except Exception:
                # A mistake of ours must not end all other work: it may be a race.
                log.exception("work_broken", work=chore.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), chore.every if due is None else min(due, chore.every))

    def stop(self) -> None:
        """Stop taking jobs; `run` returns when those in progress are done."""
        self._stopping.set()
        for manager in self._managers:
            manager.shutdown.set()

    async def _keep_running(self, queue: Queue) -> None:
        while not self._stopping.is_set():
            manager = self._manager(queue)
            for name in names_in(queue):
                self._register(manager, name)
            self._managers.append(manager)
            try:
                await manager.run(
                    batch_size=1,
                    max_concurrent_tasks=self._at_once[queue],
                    heartbeat_timeout=self._heartbeat,
                    dequeue_timeout=_LOOK_AFTER,
                    shutdown_on_listener_failure=True,
                )
            except Exception:
                # Whatever broke it (mostly the database going away), work must go on when it is back.
                log.exception("queue_interrupted", queue=queue)
            finally:
                self._managers.remove(manager)
            if not self._stopping.is_set():
                await asyncio.sleep(_OUTAGE_S)

    def _manager(self, queue: Queue) -> QueueManager:
        driver = _Driver(self._pool, self._listeners)
        if queue is not Queue.VIDEOS:
            return _PatientManager(OwnQueries(driver))
        manager = _PatientManager(FairQueries(driver, at_work=self._concurrency))
        # Whoever has their share leaves jobs in the queue, which is no reason to look for them all the time.
        manager.min_dequeue_poll_interval = _LOOK_AGAIN
        return manager

    def _register(self, manager: QueueManager, name: str) -> None:
        @manager.entrypoint(name, accepts_context=False)
        async def run(job: Job) -> None:
            in_progress.set(job)
            with structlog.contextvars.bound_contextvars(job=name, job_id=int(job.id), job_attempt=job.attempts):
                await self._run(name, job)

    async def _run(self, name: str, job: Job) -> None:
        payload, outcome = (job.payload or b"").decode(), "stopped"
        # An id, but nothing longer: notifications hold links and what people wrote.
        subject = None if payload.startswith("{") else payload
        with metrics.JOB_SECONDS.labels(name).time():
            try:
                await self._until_stopped(self._do(read_job(name, payload)))
                outcome = "done"
            except RetryRequested:
                raise  # stopped in the middle
            except TakenError as error:
                outcome = "taken"
                # Of what is another's by now, nothing is changed.
                raise RetryRequested(timedelta(0), "another worker took it") from error
            except RetryLaterError as error:
                outcome = "postponed"
                raise RetryRequested(error.delay, str(error.__cause__)) from error
            except (HomeserverError, UnavailableError) as error:
                outcome = "postponed"
                delay = min(2 ** min(job.attempts, 10), _LONGEST_RETRY_S)
                log.warning("job_postponed", subject=subject, seconds=delay, reason=str(error))
                raise RetryRequested(timedelta(seconds=delay), str(error)) from error
            except RequestError as error:
                outcome = "refused"
                log.warning("job_refused", subject=subject, reason=str(error))
            except Exception as error:
                # A mistake of ours: it may be a race, so the job comes again a few times.
                outcome = "broken"
                log.exception("job_broken", subject=subject)
                if job.attempts < _MOST_MISTAKES:
                    raise RetryRequested(timedelta(seconds=2 ** (job.attempts + 1)), str(error)) from error
            finally:
                metrics.JOBS.labels(name, outcome).inc()

    async def _until_stopped(self, work: Coroutine[None, None, None]) -> None:
        """Run a job, or give it back to the queue when we are being stopped."""
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
