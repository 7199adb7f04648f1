"""What `roomreel admin top` shows: queues, work in progress, failures and throughput, as plain text. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appservice.core.jobs import Queue
from appservice.core.model import State, VideoId

FAILURE_MINUTES = 60
THROUGHPUT_MINUTES = 10


@dataclass(slots=True)
class QueueDepth:
    """Jobs of a queue; `oldest`: seconds for which the one that waits longest has been due."""

    due: int = 0
    later: int = 0
    taken: int = 0
    oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class VideoWork:
    """A video that a worker has taken: percent done and seconds left, None where it is not known, or not begun."""

    video_id: VideoId
    state: State
    percent: int | None = None
    remaining: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How many jobs of a kind ended, and how many of them failed."""

    kind: str
    jobs: int
    failed: int


@dataclass(frozen=True, slots=True)
class Overview:
    """An installation at an instant; `failures`: videos by code, of the last hour."""

    at: datetime
    queues: Mapping[Queue, QueueDepth]
    works: Sequence[VideoWork]
    failures: Sequence[tuple[str, int]]
    ended: Sequence[Ended]


def overview_text(overview: Overview) -> str:
    """Return the text, in tables whose first line names their columns."""
    queues = [
        (queue, depth.due, depth.later, depth.taken, _duration(depth.oldest))
        for queue, depth in overview.queues.items()
    ]
    works = [
        (work.video_id, work.state, _percent(work.percent), _duration(work.remaining), work.attempts)
        for work in overview.works
    ]
    ended = [(each.kind, each.jobs, each.failed, f"{each.jobs / THROUGHPUT_MINUTES:.1f}") for each in overview.ended]
    parts = [
        f"{overview.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        _table(("QUEUE", "DUE", "LATER", "TAKEN", "OLDEST"), queues),
        _table(("VIDEO IN PROGRESS", "STATE", "DONE", "LEFT", "ATTEMPT"), works),
        _table((f"FAILED IN {FAILURE_MINUTES} MIN", "VIDEOS"), overview.failures),
        _table((f"ENDED IN {THROUGHPUT_MINUTES} MIN", "JOBS", "FAILED", "PER MIN"), ended),
    ]
    return "\n\n".join(parts)


def _percent(percent: int | None) -> str:
    return "-" if percent is None else f"{percent}%"


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return aligned columns: the first to the left, the others to the right."""
    lines = [head, *([str(cell) for cell in row] for row in rows)]
    first, *widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])
        for name, *cells in lines
    )
