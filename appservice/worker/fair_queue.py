"""The queue's adapter for videos: the same table and jobs, taken by fair shares instead of first come, first served."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from pgqueuer.models import Job
from pgqueuer.queries import EntrypointExecutionParameter
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from appservice.core.rules.fairness import LOWER_RUNGS, RUNGS_PATIENCE, Candidate, Load, Party, pick_order
from appservice.store.sql import query
from appservice.worker.taken_jobs import OwnQueries

_PAUSE_S = 0.2
"""Seconds without another look after all that waited was of senders who have their share: every change wakes us."""


@dataclass
class FairQueries(OwnQueries):
    """What a queue manager queries from the table, of which the choice of the next video is ours.

    The take-over from dead workers stays pgqueuer's: a job is the same row all the time. A process that has fewer jobs
    than it works on at a time, `at_work`, takes what others offer, too.
    """

    at_work: int = 1
    _refused_at: float = float("-inf")

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Dequeue the next video's job that this process may have, if there is one."""
        self.owner = queue_manager_id
        ours = Load(global_concurrency_limit or batch_size)
        for row in await self.driver.fetch(*query("videos_taken", queue_manager_id=queue_manager_id)):
            ours.add(_party(row), int(str(row["jobs"])))
        if ours.total >= ours.slots or monotonic() - self._refused_at < _PAUSE_S:
            return []
        rows = await self.driver.fetch(*query(
            "videos_to_take", heartbeat_timeout=heartbeat_timeout, patience=RUNGS_PATIENCE,
            idle=ours.total < self.at_work, queue_manager_id=queue_manager_id,
        ))  # fmt: skip
        for each in pick_order([_candidate(row) for row in rows], ours):
            # Another process may have been faster.
            taken = await self.driver.fetch(*query(
                "take_video", id=each.job_id, offered=each.offered, queue_manager_id=queue_manager_id,
                heartbeat_timeout=heartbeat_timeout,
            ))  # fmt: skip
            if taken:
                return [Job.model_validate(row) for row in taken]
        if rows:
            self._refused_at = monotonic()
        return []


def _candidate(row: dict[str, object]) -> Candidate:
    return Candidate(
        int(str(row["id"])), int(str(row["priority"])), _party(row), int(str(row["load"])), bool(row["late"]),
        bool(row["offered"]),
    )  # fmt: skip


def _party(row: dict[str, object]) -> Party:
    party = next((party for party in LOWER_RUNGS if party.sender == row["lower_rungs"]), None)
    return party or Party(str(row["sender"]), str(row["room_id"]))
