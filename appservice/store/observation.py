"""What operators observe: queues, storage, work in progress, what failed of late. Nothing here is of a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from appservice.core.jobs import Queue, names_in
from appservice.core.model import State, VideoId
from appservice.store.pool import Database

_MOST_WORKS = 50


@dataclass(slots=True)
class QueueDepth:
    """Jobs of a queue; `oldest`: seconds for which the one that waits longest has been due."""

    due: int = 0
    later: int = 0
    taken: int = 0
    oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """A video that a worker has taken: percent done and seconds left, None where it is not known, or not begun."""

    video_id: VideoId
    state: State
    percent: int | None
    remaining: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How many jobs of a kind ended, and how many of them failed."""

    kind: str
    jobs: int
    failed: int


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

    async def works(self, heartbeat_timeout: float) -> list[Work]:
        """Return what workers are at that are alive, what is furthest known first."""
        return [
            Work(VideoId(str(row["id"])), State(row["state"]), row["percent"], row["remaining"], row["attempts"])
            for row in await self._fetch("stages_under_way", heartbeat_timeout=heartbeat_timeout, most=_MOST_WORKS)
        ]

    async def failures(self, minutes: int) -> list[tuple[str, int]]:
        """Return how many videos failed of late, by code, the most frequent first."""
        return [(row["code"], row["videos"]) for row in await self._fetch("recent_failures", minutes=minutes)]

    async def ended(self, minutes: int) -> Sequence[Ended]:
        """Return how many jobs ended of late, by kind, the most frequent first."""
        return [
            Ended(row["kind"], row["jobs"], row["failed"]) for row in await self._fetch("recent_jobs", minutes=minutes)
        ]
