"""Writes the files of a rung that players fetch: out of ffmpeg's one file while that grows, or as a copy of a video."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transcode.commandline.commands import FRAGMENTS
from transcode.errors import BrokenFile, Failed, shortage
from transcode.limits import Limits
from transcode.mp4.boxes import top_level
from transcode.mp4.fragments import Run, changes_parameters, is_instant, runs_of
from transcode.mp4.init_segment import AUDIO_RATE, AUDIO_TRACK, CLOCK, VIDEO_TRACK
from transcode.process import collect
from transcode.remux import Remuxed

INIT = "init.mp4"
_HEADER = 8
_LOOKED_AT = 2**16
# Of a key frame: what may come before its slices.
_PARAMETERS = 2**10
# Of what a hostile ffmpeg claims: bytes of an index or the index of a fragment, which we hold in memory (ours have
# some kilobytes), and of a segment: ten seconds of 200 Mbit/s.
_MOST_INDEX, _MOST_SEGMENT = 2**22, 2**28


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
    changes: bool = False
    """Whether frames bring parameters of their own: they may be of another size than the first ones."""


class Cutter:
    """Cuts the file of one rung. All methods block: call them in a thread, one at a time."""

    def __init__(self, made: Path, rung: str, folder: Path, most: int = Limits().output_bytes) -> None:
        """Cut what ffmpeg writes below its folder `made`, where it need not have begun, into the rung's `folder`.

        The two are apart: of what is in the sandbox, which may be hostile, nothing is ever served as it is. The file
        has `most` bytes at most.
        """
        self.folder = folder
        self._made, self._name, self._most = made, f"{rung}/{FRAGMENTS}", most
        self.init = b""
        self.segments: list[Segment] = []
        self._changes = False
        self._position = 0
        self._moof = range(0)
        self._file: BinaryIO | None = None

    def advance(self) -> int:
        """Cut what is complete by now, and return how many segments there are.

        Raises Unfit for what will not play, BrokenFile when there is audio alone, DiskFull or Overloaded where it
        cannot be written.
        """
        try:
            if self._file is None:
                self._file = collect.opened(self._made, self._name, self._most)
            if self._file is not None:
                self._cut(self._file)
        except (OSError, EOFError, ValueError) as error:
            if isinstance(error, OSError) and (lacking := shortage(error)):
                raise lacking from error
            raise Unfit(f"what ffmpeg wrote cannot be read: {error}") from error
        return len(self.segments)

    def finish(self) -> Written:
        """Cut the rest. Raises Unfit also when something is left over, or all is missing."""
        self.advance()
        if self._file is None or not self.init:
            raise Unfit("ffmpeg wrote nothing")
        if self._position != os.fstat(self._file.fileno()).st_size:
            raise Unfit("what ffmpeg wrote is cut off")
        self.close()
        lag = max((segment.lag for segment in self.segments), default=0.0)
        return Written(self.init, self.segments, lag, self._changes)

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
            if end - begin > (_MOST_SEGMENT if kind == b"mdat" else _MOST_INDEX):
                raise Unfit(f"a box {kind!r} has {end - begin} bytes")
            if kind == b"moof":
                self._moof = range(begin, end)
            elif kind == b"mdat" and self._moof:
                self._take(file, self._moof, end)
                self._moof = range(0)
            elif kind == b"moov":
                if end > _MOST_INDEX:
                    raise Unfit("the index does not come first")
                collect.write(file, range(end), self.folder / INIT)
                self.init = os.pread(file.fileno(), end, 0)

    def _take(self, file: BinaryIO, moof: range, end: int) -> None:
        content = os.pread(file.fileno(), len(moof) - _HEADER, moof.start + _HEADER)
        segment = _checked(content, file, moof.start, end - moof.start)
        self._changes = self._changes or _changes(file, moof.start + segment.pictures.offset, self.init)
        collect.write(file, range(moof.start, end), self.folder / f"{len(self.segments)}.m4s")
        self.segments.append(segment)


def write(source: Path, copy: Remuxed, folder: Path) -> Written:
    """Write a copy of the file `source` into the rung's `folder`.

    Blocks: call it in a thread. Raises Unfit for what will not play, OSError as files do.
    """
    segments, changes = [], False
    with source.open("rb") as file:
        for number, part in enumerate(copy.parts):
            head = part.head
            size = len(head) + sum(map(len, part.pieces))
            begin = part.pictures[0].start - len(head)
            segments.append(_checked(part.moof[_HEADER:], file, begin, size, copy.audio_rate))
            changes = changes or any(_changes(file, key, copy.init) for key in part.keys)
            with (folder / f"{number}.m4s").open("wb") as target:
                target.write(head)
                for piece in part.pieces:
                    if isinstance(piece, bytes):
                        target.write(piece)
                    else:
                        target.flush()
                        _share(file, piece, target)
    (folder / INIT).write_bytes(copy.init)
    return Written(copy.init, segments, copy.lag, changes)


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


def _changes(file: BinaryIO, key: int, init: bytes) -> bool:
    return changes_parameters(os.pread(file.fileno(), _PARAMETERS, key), init)


def _share(source: BinaryIO, part: range, target: BinaryIO) -> None:
    try:
        collect.copy(source, part, target)
    except EOFError as error:
        raise Unfit(str(error)) from error
