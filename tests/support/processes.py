"""Processes that stand still while a test looks."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

import psutil


@contextlib.contextmanager
def standing_still(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Keep processes from going on, so that what is there can be looked at."""
    assert processes
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
