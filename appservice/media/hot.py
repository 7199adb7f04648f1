"""Media files that are requested often, ready to be sent: small ones as bytes, larger ones as open files.

A file of ours never changes, but it may go: every two seconds all of them are looked at, and what is gone, or was not
requested for ten seconds, is dropped. So neither memory nor a descriptor keeps what was deleted.
"""

import asyncio
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TypeAlias

from appservice.core.model import VideoId
from appservice.core.web.bytes_cache import BytesCache

SMALL = 64 * 1024
"""Bytes up to which a file is held in memory: beyond it, sendfile(2) costs less than copying."""
MOST_OPEN = 128
"""Files that are held open at a time."""

_MEMORY, _MEMORY_OF_VIDEO = 48 * 1024 * 1024, 12 * 1024 * 1024
_OPEN_OF_VIDEO = MOST_OPEN // 4
_SWEEP_S = 2.0
_IDLE_SWEEPS = 5

_Key: TypeAlias = tuple[str, str]
_Identity: TypeAlias = tuple[int, int, int]
_Held: TypeAlias = tuple[Hashable, _Key, "HotFile"]


class HotFile:
    """A regular file: its content, or where that is longer, itself, open until nobody needs it any more."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a descriptor, and read a small file (blocking). Raises OSError."""
        self._descriptor = descriptor
        self.path = path
        found = os.fstat(descriptor)
        self.identity = _identity(found)
        self.modified = found.st_mtime
        self.etag = f"{found.st_mtime_ns:x}-{found.st_size:x}"
        self.body = os.pread(descriptor, SMALL + 1, 0) if found.st_size <= SMALL else None
        # What is promised is what is sent, or the next response would begin too late.
        self.size = found.st_size if self.body is None else len(self.body)
        self.sweeps = 0
        """How often it was looked at since it was requested last."""
        self.head = b""
        """What whoever sends it keeps with it."""
        if self.body is not None:
            self._close()

    def fileno(self) -> int:
        """Return the descriptor of a file that is not in memory."""
        return self._descriptor

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        """Close it: whoever still sends it has it as well."""
        self._close()


class HotFiles:
    """The files requested lately, in bounded memory and descriptors, and each video within its share."""

    def __init__(self) -> None:
        self._small: BytesCache[_Key, HotFile] = BytesCache(_MEMORY, _MEMORY_OF_VIDEO)
        self._open: BytesCache[_Key, HotFile] = BytesCache(MOST_OPEN, _OPEN_OF_VIDEO)
        self._sweeping = False

    def get(self, video_id: VideoId, stage: str, name: str) -> HotFile | None:
        """Return a file that was put in, if it is still there."""
        key = stage, name
        file = self._small.get(video_id, key) or self._open.get(video_id, key)
        if file is not None:
            file.sweeps = 0
        return file

    def put(self, video_id: VideoId, stage: str, name: str, file: HotFile) -> None:
        """Hold a file."""
        if file.body is None:
            self._open.put(video_id, (stage, name), file, 1)
        else:
            self._small.put(video_id, (stage, name), file, file.size)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        held: list[_Held] = [*self._small.items(), *self._open.items()]
        self._sweeping = bool(held)
        if held:
            loop = asyncio.get_running_loop()
            looking = loop.run_in_executor(None, _gone, [file for _, _, file in held])
            looking.add_done_callback(lambda done: self._swept(held, done))

    def _swept(self, held: Sequence[_Held], looking: "asyncio.Future[set[HotFile]]") -> None:
        gone = set[HotFile]() if looking.cancelled() else looking.result()
        for owner, key, file in held:
            file.sweeps += 1
            if file in gone or file.sweeps > _IDLE_SWEEPS:
                for cache in (self._small, self._open):
                    if cache.get(owner, key) is file:
                        cache.drop(owner, key)
        if not looking.cancelled():
            asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)


def _gone(files: Sequence[HotFile]) -> set[HotFile]:
    """Return the files that are no longer where they were (blocking)."""
    return {file for file in files if not _is_there(file)}


def _is_there(file: HotFile) -> bool:
    try:
        return _identity(file.path.lstat()) == file.identity
    except OSError:
        return False


def _identity(found: os.stat_result) -> _Identity:
    return found.st_ino, found.st_mtime_ns, found.st_size
