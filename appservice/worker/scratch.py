"""A worker's scratch folder: its own while it lives, cleared by the next worker of the machine after a crash."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Yield a fresh folder below `root`, gone at the end; also remove those whose workers were killed.

    A folder is locked (flock(2)) by the process that made it, and a lock ends with its process.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left_over in root.iterdir():
        _remove_unless_locked(left_over)
    folder, descriptor = _make_locked(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def workspace(scratch: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in `scratch`, for one attempt at what is called `name`; it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_locked(root: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=root))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():
            return folder, descriptor
        os.close(descriptor)  # another worker took it for a left-over before we had the lock


def _remove_unless_locked(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # another worker was faster
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # its worker lives
    finally:
        os.close(descriptor)
