"""The queue's adapter for videos: the same table and jobs, taken by fair shares instead of first come, first served."""

from datetime import timedelta
from time import monotonic

from pgqueuer.models import Job
from pgqueuer.queries import EntrypointExecutionParameter, Queries
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from appservice.core.rules.fairness import LOWER_RUNGS, RUNGS_PATIENCE, Candidate, Load, Party, pick_order
from appservice.store.sql import query

_PAUSE_S = 0.2
"""Seconds without another look after all that waited was of senders who have their share: every change wakes us."""


class FairQueries(Queries):
    """What a queue manager queries from the table, of which only the choice of the next video is ours.

    Heartbeats, retries and the take-over from dead workers stay pgqueuer's: a job is the same row all the time.
    """

    _refused_at = float("-inf")

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Dequeue the next video's job that this process may have, if there is one."""
        ours = Load(global_concurrency_limit or batch_size)
        for row in await self.driver.fetch(*query("videos_taken", queue_manager_id=queue_manager_id)):
            ours.add(_party(row), int(str(row["jobs"])))
        if ours.total >= ours.slots or monotonic() - self._refused_at < _PAUSE_S:
            return []
        rows = await self.driver.fetch(
            *query("videos_to_take", heartbeat_timeout=heartbeat_timeout, patience=RUNGS_PATIENCE)
        )
        candidates = [
            Candidate(
                int(str(row["id"])), int(str(row["priority"])), _party(row), int(str(row["load"])), bool(row["late"])
            )
            for row in rows
        ]
        for job_id in pick_order(candidates, ours):
            # Another process may have been faster.
            taken = await self.driver.fetch(
                *query("take_video", id=job_id, queue_manager_id=queue_manager_id, heartbeat_timeout=heartbeat_timeout)
            )
            if taken:
                return [Job.model_validate(row) for row in taken]
        if rows:
            self._refused_at = monotonic()
        return []


def _party(row: dict[str, object]) -> Party:
    party = next((party for party in LOWER_RUNGS if party.sender == row["lower_rungs"]), None)
    return party or Party(str(row["sender"]), str(row["room_id"]))
