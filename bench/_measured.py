"""Measures what work costs, processor and memory of every process included: each time in a fresh process of its own."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

_EVERY_S = 0.1

Done = Callable[[], None]
Work = Callable[[Path, Done], None]
"""Fills a folder, and calls back as soon as what is in it can be watched."""


class EnoughError(Exception):
    """Ends work whose rest is not measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work took: seconds until it could be watched, seconds in all, seconds of processor time, MB.

    Memory is the highest sum seen of what its processes had resident at the same time (shared pages count for each), or
    the largest single one where that is more. The interpreter of this bench is not counted: the service has one anyway.
    """

    playable: float
    ready: float
    cpu: float
    memory: float
    output: float


def measure(work: Work, folder: Path) -> Cost:
    """Let work fill `folder`, which must not exist. `output` counts what is below `folder`/ready."""
    context = multiprocessing.get_context("fork")  # what we imported is there at once, as in a service that runs
    answer, question = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(work, folder, question))
    child.start()
    question.close()
    peak = 0
    process = psutil.Process(child.pid)
    while not answer.poll(_EVERY_S):
        peak = max(peak, _resident(process))
    playable, ready, cpu, largest = answer.recv()
    child.join()
    output = sum(file.stat().st_size for file in (folder / "ready").rglob("*") if file.is_file())
    return Cost(playable, ready, cpu, max(peak, largest) / 1e6, output / 1e6)


def timed(work: Work, folder: Path) -> tuple[float, float]:
    """Let work fill `folder`, which must not exist, and give the seconds until it could be watched, and in all."""
    playable = 0.0

    def done() -> None:
        nonlocal playable
        playable = playable or time.perf_counter() - began

    folder.mkdir()
    began = time.perf_counter()
    with suppress(EnoughError):
        work(folder, done)
    return playable, time.perf_counter() - began


def _work(work: Work, folder: Path, answer: Connection) -> None:
    playable, ready = timed(work, folder)
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    answer.send((playable, ready, cpu, others.ru_maxrss * 1024))


def _resident(parent: psutil.Process) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total
