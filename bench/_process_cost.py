"""Measure the time, CPU time and memory of some work and all its child processes, in a fresh process each time."""

import ctypes
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

_EVERY_S = 0.1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of some work: seconds of wall time or CPU time, and MB.

    `ladder` is what followed the temporary first rendition, if there was one, else everything. `memory` is the highest
    sampled sum of the processes' resident sets (shared pages count for each), or the largest single one where that is
    more. The interpreter of this bench is not counted: the service has one anyway.
    """

    playable: float
    ready: float
    cpu: float
    ladder: float
    ladder_cpu: float
    memory: float
    output: float


class Marks:
    """Record when some work reaches its stages."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self.playable = self.ready = 0.0
        self.first = self.first_cpu = 0.0

    def is_playable(self) -> None:
        """Record that the first segment is playable."""
        self.playable = self._now()

    def first_is_whole(self) -> None:
        """Record that the first rendition is complete; the ladder remains."""
        self.first, self.first_cpu = self._now(), _cpu()

    def is_ready(self) -> None:
        """Record the end of all work."""
        self.ready = self._now()
        self.playable = self.playable or self.ready

    def _now(self) -> float:
        return time.perf_counter() - self._begin


Work = Callable[[Path, Marks], None]
"""Writes its output into a folder."""


def timed(work: Work, folder: Path) -> Marks:
    """Run work that writes into `folder`, which must not exist."""
    folder.mkdir()
    marks = Marks()
    work(folder, marks)
    marks.is_ready()
    return marks


def measure(work: Work, folder: Path) -> Cost:
    """Run work that writes into `folder`, which must not exist. `output` counts what is below `folder`/ready."""
    context = multiprocessing.get_context("fork")  # with all modules imported, as in a running service
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(work, folder, sender))
    child.start()
    sender.close()
    peak = 0
    process = psutil.Process(child.pid)
    while not receiver.poll(_EVERY_S):
        peak = max(peak, _resident(process))
    marks, cpu, largest = receiver.recv()
    child.join()
    output = sum(file.stat().st_size for file in (folder / "ready").rglob("*") if file.is_file())
    return Cost(
        playable=marks.playable,
        ready=marks.ready,
        cpu=cpu,
        ladder=marks.ready - marks.first,
        ladder_cpu=cpu - marks.first_cpu,
        memory=max(peak, largest) / 1e6,
        output=output / 1e6,
    )


def _work(work: Work, folder: Path, sender: Connection) -> None:
    # Adopt the orphans of bubblewrap, so that getrusage() counts them. See prctl(2).
    assert ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    marks = timed(work, folder)
    sender.send((marks, _cpu(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children, which must have exited."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    every = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in every)


def _resident(parent: psutil.Process) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total
