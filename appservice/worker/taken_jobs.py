"""The jobs that a process has taken from the queue: it ends what is still its own, and offers what it has not begun.

pgqueuer ends a job by its number alone: a worker that was silent for too long would end what another has taken since.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from pgqueuer.models import JOB_STATUS, Job, TracebackRecord
from pgqueuer.queries import EntrypointExecutionParameter, Queries
from pgqueuer.types import JobId, QueueEntrypoint, QueueManagerId

from appservice.core.errors import TakenError, UnavailableError
from appservice.store.pool import Database
from appservice.store.sql import query

in_progress: ContextVar[Job] = ContextVar("in_progress")
"""The job that a task does."""


@dataclass
class OwnQueries(Queries):
    """What a queue manager queries from the table; what it writes is of jobs that no other one has taken since."""

    owner: QueueManagerId | None = None

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take jobs, as pgqueuer does."""
        self.owner = queue_manager_id
        return await super().dequeue(
            batch_size, entrypoints, queue_manager_id, global_concurrency_limit, heartbeat_timeout
        )

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """End jobs, however they did."""
        await self.driver.execute(*query(
            "end_jobs",
            job_ids=[job.id for job, _, _ in job_status],
            queue_manager_ids=[job.queue_manager_id for job, _, _ in job_status],
            statuses=[status for _, status, _ in job_status],
            tracebacks=[traceback.model_dump_json() if traceback else None for _, _, traceback in job_status],
        ))  # fmt: skip

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Give a job back to the queue."""
        await self.driver.execute(*query(
            "retry_job", id=job.id, queue_manager_id=job.queue_manager_id, delay=delay,
            traceback=traceback_record.model_dump_json() if traceback_record else None,
        ))  # fmt: skip

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        """Say that jobs are still worked on."""
        await self.driver.execute(*query("keep_jobs", job_ids=list(set(job_ids)), queue_manager_id=self.owner))


class Offers(Database):
    """Offers to idle processes what waits for a slot in this one."""

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Offer the job in progress for as long as it waits.

        Raises TakenError at the end when another process has taken it, and UnavailableError when the database is away.
        """
        job = in_progress.get()
        await self._fetch("offer_job", id=job.id, queue_manager_id=job.queue_manager_id)
        try:
            yield
        except BaseException:
            # It waits no more, and goes on in another way, or ends.
            with suppress(UnavailableError):
                await asyncio.shield(self._withdraw(job))
            raise
        if not await self._withdraw(job):
            raise TakenError

    async def _withdraw(self, job: Job) -> bool:
        row = await self._fetchrow("withdraw_offer", id=job.id, queue_manager_id=job.queue_manager_id)
        return row is not None
