"""Files that are read as one, a piece at a time: a rendition's segments as one MP4."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appservice.core.errors import NotFoundError
from transcode.hls.playlist import Rendition
from transcode.hls.progressive import head_of

_PIECE = 256 * 1024
_MOST_INIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Whole:
    """What is served as one file: its head, and the files that follow with their bytes."""

    head: bytes
    files: Sequence[tuple[Path, int]]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.head) + sum(size for _, size in self.files)

    def pieces(self, part: range) -> Iterator[bytes]:
        """Read a part, a piece at a time (blocking)."""
        if part.start < len(self.head):
            yield self.head[part.start : part.stop]
        position = len(self.head)
        for path, size in self.files:
            begin, end = max(part.start, position), min(part.stop, position + size)
            if begin < end:
                yield from _read(path, range(begin - position, end - position))
            position += size


def _read(path: Path, part: range) -> Iterator[bytes]:
    with open_plain(path) as file:
        file.seek(part.start)
        left = len(part)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                raise ConnectionResetError  # less than was promised cannot be signalled in any other way
            left -= len(piece)
            yield piece


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading, and nothing else (blocking). Raises NotFoundError, or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFoundError("There is no such file.")
    return os.fdopen(descriptor, "rb")


def plain_size(path: Path) -> int:
    """Return the bytes of a regular file (blocking). Raises NotFoundError, or OSError."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise NotFoundError("There is no such file.")
    return found.st_size


def whole_of(folder: Path, rendition: Rendition) -> Whole:
    """Put a rendition's files in its stage's `folder` together (blocking). Raises NotFoundError when one is gone."""
    try:
        with open_plain(folder / "init.mp4") as file:
            init = file.read(_MOST_INIT)
        files = [folder / f"{index}.m4s" for index in range(len(rendition.durations))]
        sizes = [plain_size(file) for file in files]
    except OSError as error:
        raise NotFoundError("There is no such file.") from error
    return Whole(head_of(init, rendition.durations, sizes), list(zip(files, sizes, strict=True)))
