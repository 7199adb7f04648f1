"""Suspend processes while a test inspects what they do."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

import psutil


@contextlib.contextmanager
def suspended(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Suspend processes (SIGSTOP) for the block."""
    assert processes
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
