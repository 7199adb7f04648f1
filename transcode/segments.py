"""Writes the files of a rung that players fetch: out of ffmpeg's one file while that grows, or as a copy of a video."""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transcode.errors import BrokenFile, Failed
from transcode.fragments import Run, is_instant, runs_of
from transcode.init_segment import AUDIO_TRACK, VIDEO_TRACK
from transcode.mp4 import top_level
from transcode.plan import AUDIO_RATE, CLOCK
from transcode.remux import Remuxed

FRAGMENTS = "whole.mp4"
"""The file that ffmpeg writes into each rung's folder."""

INIT = "init.mp4"
_HEADER = 8
_LOOKED_AT = 2**16
# What kernels and file systems (FUSE, gVisor, between two mounts) say of copy_file_range: copy_file_range(2).
_CANNOT_SHARE = frozenset({errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM})


class Unfit(Failed):
    """What was made would not play as it should."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment that was written: its bytes, and when what is in it plays."""

    size: int
    pictures: Run
    sound: Run
    audio_rate: int = AUDIO_RATE
    """Sound samples per second, in which its run counts."""

    @property
    def lag(self) -> float:
        """Seconds that the sound begins before the pictures (below 0: after them)."""
        return self.pictures.times[0] / CLOCK - self.sound.begin / self.audio_rate


@dataclass(frozen=True, slots=True)
class Written:
    """A whole rung: its initialization segment, and what is known of its segments."""

    init: bytes
    segments: Sequence[Segment]
    lag: float
    """Seconds by which sound of our rate is cut before the pictures at most."""


class Cutter:
    """Cuts the file of one rung. All methods block: call them in a thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Work in the rung's `folder`, where ffmpeg need not have begun."""
        self.folder = folder
        self.init = b""
        self.segments: list[Segment] = []
        self._position = 0
        self._moof = range(0)
        self._file: BinaryIO | None = None

    def advance(self) -> int:
        """Cut what is complete by now, and return how many segments there are.

        Raises Unfit for what will not play, BrokenFile when there is sound alone.
        """
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file = (self.folder / FRAGMENTS).open("rb")
        if self._file is not None:
            try:
                self._cut(self._file)
            except (OSError, ValueError) as error:
                raise Unfit(f"what ffmpeg wrote cannot be read: {error}") from error
        return len(self.segments)

    def finish(self) -> Written:
        """Cut the rest and remove ffmpeg's file. Raises Unfit also when something is left over, or all is missing."""
        self.advance()
        if self._file is None or not self.init:
            raise Unfit("ffmpeg wrote nothing")
        if self._position != os.fstat(self._file.fileno()).st_size:
            raise Unfit("what ffmpeg wrote is cut off")
        self.close()
        (self.folder / FRAGMENTS).unlink()
        return Written(self.init, self.segments, max((segment.lag for segment in self.segments), default=0.0))

    def close(self) -> None:
        """Let go of ffmpeg's file."""
        if self._file is not None:
            self._file.close()

    def _cut(self, file: BinaryIO) -> None:
        size = os.fstat(file.fileno()).st_size
        for kind, _, end in top_level(file, size, self._position):
            if end > size:
                return
            begin, self._position = self._position, end
            if kind == b"moof":
                self._moof = range(begin, end)
            elif kind == b"mdat" and self._moof:
                self._take(file, self._moof, end)
                self._moof = range(0)
            elif kind == b"moov":
                self._write(file, range(end), INIT)
                self.init = os.pread(file.fileno(), end, 0)

    def _take(self, file: BinaryIO, moof: range, end: int) -> None:
        content = os.pread(file.fileno(), len(moof) - _HEADER, moof.start + _HEADER)
        segment = _checked(content, file, moof.start, end - moof.start)
        self._write(file, range(moof.start, end), f"{len(self.segments)}.m4s")
        self.segments.append(segment)

    def _write(self, source: BinaryIO, part: range, name: str) -> None:
        # A viewer may ask at any moment: the name must not stand for half a file.
        temporary = self.folder / f"{name}.tmp"
        with temporary.open("wb") as file:
            _copy(source, part, file)
        temporary.rename(self.folder / name)


def write(source: Path, copy: Remuxed, folder: Path) -> Written:
    """Write a copy of the file `source` into the rung's `folder`.

    Blocks: call it in a thread. Raises Unfit for what will not play, OSError as files do.
    """
    segments = []
    with source.open("rb") as file:
        for number, part in enumerate(copy.parts):
            head = part.head
            size = len(head) + sum(map(len, part.pieces))
            begin = part.pictures[0].start - len(head)
            segments.append(_checked(part.moof[_HEADER:], file, begin, size, copy.audio_rate))
            with (folder / f"{number}.m4s").open("wb") as target:
                target.write(head)
                for piece in part.pieces:
                    if isinstance(piece, bytes):
                        target.write(piece)
                    else:
                        target.flush()
                        _copy(file, piece, target)
    (folder / INIT).write_bytes(copy.init)
    return Written(copy.init, segments, copy.lag)


def _checked(moof: bytes, file: BinaryIO, begin: int, size: int, audio_rate: int = AUDIO_RATE) -> Segment:
    """Read the content of a `moof` box, by which samples lie in a file as if the box began at a place there."""
    runs = {run.track: run for run in runs_of(moof)}
    if VIDEO_TRACK not in runs:
        raise BrokenFile("its pictures cannot be decoded")
    if set(runs) != {VIDEO_TRACK, AUDIO_TRACK}:
        raise Unfit("a segment lacks sound")
    pictures = runs[VIDEO_TRACK]
    first = os.pread(file.fileno(), min(pictures.size, _LOOKED_AT), begin + pictures.offset)
    if not (pictures.is_sync and is_instant(first)):
        raise Unfit("a segment does not begin with a key frame")
    return Segment(size, pictures, runs[AUDIO_TRACK], audio_rate)


def _copy(source: BinaryIO, part: range, target: BinaryIO) -> None:
    begin, size = part.start, len(part)
    while size:
        done = _copied(source.fileno(), target.fileno(), size, begin)
        if not done:
            raise Unfit("what was to be copied is cut off")
        begin, size = begin + done, size - done


def _copied(source: int, target: int, size: int, begin: int) -> int:
    """Copy within the kernel what it takes at once of `size` bytes, and give how many it took."""
    try:
        # A file system that can shares the blocks.
        return os.copy_file_range(source, target, size, begin)
    except OSError as error:
        if error.errno not in _CANNOT_SHARE:
            raise
        return os.sendfile(target, source, begin, size)
