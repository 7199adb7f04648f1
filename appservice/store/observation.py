"""What operators observe: queues, storage, work in progress, what failed of late. Nothing here is of a person."""

from appservice.core.jobs import Queue, names_in
from appservice.core.model import State, VideoId
from appservice.core.text.overview import FAILURE_MINUTES, THROUGHPUT_MINUTES, Ended, Overview, QueueDepth, VideoWork
from appservice.store.pool import Database

_MOST_WORKS = 50


class ObservationStore(Database):
    """What operators observe. Every method raises UnavailableError when the database is away."""

    async def queues(self, heartbeat_timeout: float) -> dict[Queue, QueueDepth]:
        """Return the depth of each queue; `heartbeat_timeout`: seconds after which a silent worker is dead."""
        depths = {queue: QueueDepth() for queue in Queue}
        queue_of = {name: queue for queue in Queue for name in names_in(queue)}
        for row in await self._fetch("queue_depths", heartbeat_timeout=heartbeat_timeout):
            if queue := queue_of.get(row["kind"]):  # else a later release's
                depth = depths[queue]
                depth.due += row["due"]
                depth.later += row["later"]
                depth.taken += row["taken"]
                depth.oldest = max(depth.oldest, row["oldest"])
        return depths

    async def stored_bytes(self) -> dict[str, int]:
        """Return the bytes of videos and of uploads."""
        return dict((await self._fetch("stored_bytes"))[0])

    async def applied_migrations(self) -> dict[int, str]:
        """Return the checksum of each migration that the database has, by its number."""
        return {row["version"]: row["checksum"] for row in await self._fetch("applied_migrations")}

    async def works(self, heartbeat_timeout: float) -> list[VideoWork]:
        """Return what workers are at that are alive, what is furthest known first."""
        return [
            VideoWork(VideoId(str(row["id"])), State(row["state"]), row["percent"], row["remaining"], row["attempts"])
            for row in await self._fetch("stages_under_way", heartbeat_timeout=heartbeat_timeout, most=_MOST_WORKS)
        ]

    async def failures(self, minutes: int) -> list[tuple[str, int]]:
        """Return how many videos failed of late, by code, the most frequent first."""
        return [(row["code"], row["videos"]) for row in await self._fetch("recent_failures", minutes=minutes)]

    async def ended(self, minutes: int) -> list[Ended]:
        """Return how many jobs ended of late, by kind, the most frequent first."""
        return [
            Ended(row["kind"], row["jobs"], row["failed"]) for row in await self._fetch("recent_jobs", minutes=minutes)
        ]

    async def overview(self, heartbeat_timeout: float) -> Overview:
        """Return all of it at a time, as `roomreel admin top` shows it."""
        return Overview(
            await self.now(),
            await self.queues(heartbeat_timeout),
            await self.works(heartbeat_timeout),
            await self.failures(FAILURE_MINUTES),
            await self.ended(THROUGHPUT_MINUTES),
        )
