"""Write the segments of a rendition: cut from ffmpeg's one file while it is written, or remuxed from the source."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import BinaryIO

from transcode.commandline.outputs import FRAGMENTS
from transcode.errors import BrokenFile, Failed, shortage
from transcode.hls.encryption import segment_encryptor
from transcode.limits import Limits
from transcode.mp4.boxes import top_level
from transcode.mp4.fragments import Run, changes_parameters, runs_of, starts_with_idr
from transcode.mp4.init_segment import AUDIO_RATE, AUDIO_TRACK, CLOCK, VIDEO_TRACK
from transcode.mp4.remux import Piece, Remux
from transcode.process import collect

INIT = "init.mp4"
_HEADER = 8
_LOOKED_AT = 2**16
# Bytes of a key frame that may come before its slices.
_PARAMETERS = 2**10
# Limits for a hostile ffmpeg: bytes of a `moov` or `moof` box, which are held in memory (ours have some kilobytes), and
# of a segment: ten seconds of 200 Mbit/s.
_MOST_INDEX, _MOST_SEGMENT = 2**22, 2**28


class InvalidRendition(Failed):
    """A rendition that was made would not play as it should."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment that was written: its bytes, and the time stamps of its samples."""

    size: int
    video: Run
    audio: Run
    audio_rate: int = AUDIO_RATE
    """Time base of the audio run, in ticks per second."""

    @property
    def av_offset(self) -> float:
        """Seconds that the audio starts before the video (below 0: after it)."""
        return self.video.presentation_times[0] / CLOCK - self.audio.decode_time / self.audio_rate


@dataclass(frozen=True, slots=True)
class Written:
    """A complete rendition: its initialization segment, and its media segments."""

    init: bytes
    segments: Sequence[Segment]
    av_offset: float
    """Largest A/V offset of a segment, in seconds, with audio at AUDIO_RATE."""
    changes: bool = False
    """Whether later key frames have parameter sets of their own: the frame size may change."""


class Cutter:
    """Cut the file of one rendition into segments. All methods block: call them in a thread, one at a time."""

    def __init__(
        self, made: Path, rung: str, folder: Path, most: int = Limits().output_bytes, key: bytes | None = None
    ) -> None:
        """Cut what ffmpeg writes below its folder `made`, where it may not have started yet, into `folder`.

        The two are separate: what is in the sandbox may be hostile, and is never served as it is. The file has `most`
        bytes at most. `folder` may be moved within its file system meanwhile. With a `key`, segments are encrypted.
        """
        self._folder = collect.Directory(folder)
        self._key, self._rung = key, rung
        self._made, self._name, self._most = made, f"{rung}/{FRAGMENTS}", most
        self.init = b""
        self.segments: list[Segment] = []
        self._changes = False
        self._position = 0
        self._moof = range(0)
        self._file: BinaryIO | None = None

    def advance(self) -> int:
        """Cut what is complete by now, and return the number of segments.

        Raises InvalidRendition for what will not play, BrokenFile when there is audio alone, DiskFull or Overloaded
        where a segment cannot be written.
        """
        try:
            if self._file is None:
                self._file = collect.opened(self._made, self._name, self._most)
            if self._file is not None:
                self._cut(self._file)
        except (OSError, EOFError, ValueError) as error:
            if isinstance(error, OSError) and (lacking := shortage(error)):
                raise lacking from error
            raise InvalidRendition(f"what ffmpeg wrote cannot be read: {error}") from error
        return len(self.segments)

    def finish(self) -> Written:
        """Cut the rest. Raises InvalidRendition also for an incomplete or missing file."""
        self.advance()
        if self._file is None or not self.init:
            raise InvalidRendition("ffmpeg wrote nothing")
        if self._position != os.fstat(self._file.fileno()).st_size:
            raise InvalidRendition("what ffmpeg wrote is cut off")
        av_offset = max((segment.av_offset for segment in self.segments), default=0.0)
        return Written(self.init, self.segments, av_offset, self._changes)

    def close(self) -> None:
        """Close ffmpeg's file, and the folder."""
        if self._file is not None:
            self._file.close()
        self._folder.close()

    def _cut(self, file: BinaryIO) -> None:
        size = os.fstat(file.fileno()).st_size
        for kind, _, end in top_level(file, size, self._position):
            if end > size:
                return
            start, self._position = self._position, end
            if end - start > (_MOST_SEGMENT if kind == b"mdat" else _MOST_INDEX):
                raise InvalidRendition(f"a box {kind!r} has {end - start} bytes")
            if kind == b"moof":
                self._moof = range(start, end)
            elif kind == b"mdat" and self._moof:
                self._take(file, self._moof, end)
                self._moof = range(0)
            elif kind == b"moov":
                if end > _MOST_INDEX:
                    raise InvalidRendition("the index does not come first")
                self._folder.write(file, range(end), INIT, segment_encryptor(self._key, self._rung, None))
                self.init = os.pread(file.fileno(), end, 0)

    def _take(self, file: BinaryIO, moof: range, end: int) -> None:
        content = os.pread(file.fileno(), len(moof) - _HEADER, moof.start + _HEADER)
        segment = _checked(content, file, moof.start, end - moof.start)
        self._changes = self._changes or _changes(file, moof.start + segment.video.offset, self.init)
        index = len(self.segments)
        encryptor = segment_encryptor(self._key, self._rung, index)
        self._folder.write(file, range(moof.start, end), f"{index}.m4s", encryptor)
        self.segments.append(segment)


class Copier:
    """Write the segments of a remuxed file. All methods block: call them in a thread, one at a time."""

    def __init__(self, source: Path, copy: Remux, folder: Path, key: bytes | None = None) -> None:
        """Write what is remuxed of the file `source` into the rendition's `folder`, which may be moved meanwhile.

        With a `key`, segments are encrypted.
        """
        self._copy, self._key, self._rung = copy, key, folder.name
        self._file: BinaryIO = source.open("rb")
        self._folder = collect.Directory(folder)
        self._done = 0

    def check(self) -> Written:
        """Return what it will have written. Raises InvalidRendition for what will not play."""
        segments, changes = [], False
        for segment in self._copy.segments:
            head = segment.head
            size = len(head) + sum(map(len, segment.pieces))
            start = segment.video[0].start - len(head)
            segments.append(_checked(segment.moof[_HEADER:], self._file, start, size, self._copy.audio_rate))
            changes = changes or any(_changes(self._file, key, self._copy.init) for key in segment.sync_samples)
        return Written(self._copy.init, segments, self._copy.av_offset, changes)

    def write(self, least: float = inf) -> int:
        """Write the next segments, of `least` bytes or the rest, and return how many there are now.

        Raises InvalidRendition where the file is cut off, and OSError as files do.
        """
        if not self._done:
            with self._folder.new(INIT, segment_encryptor(self._key, self._rung, None)) as output:
                output.write(self._copy.init)
        size = 0
        for segment in self._copy.segments[self._done :]:
            if size >= least:
                break
            with self._folder.new(f"{self._done}.m4s", segment_encryptor(self._key, self._rung, self._done)) as output:
                output.write(segment.head)
                for piece in segment.pieces:
                    self._append(piece, output)
                    size += len(piece)
            self._done += 1
        return self._done

    def close(self) -> None:
        """Close the file, and the folder. May be repeated."""
        self._file.close()
        self._folder.close()

    def _append(self, piece: Piece, output: collect.Output) -> None:
        if isinstance(piece, bytes):
            output.write(piece)
            return
        try:
            output.append(self._file, piece)
        except EOFError as error:
            raise InvalidRendition(str(error)) from error


def _checked(moof: bytes, file: BinaryIO, start: int, size: int, audio_rate: int = AUDIO_RATE) -> Segment:
    """Parse the content of a `moof` box whose data offsets count from byte `start` of a file."""
    runs = {run.track: run for run in runs_of(moof)}
    if VIDEO_TRACK not in runs:
        raise BrokenFile("its video cannot be decoded")
    if set(runs) != {VIDEO_TRACK, AUDIO_TRACK}:
        raise InvalidRendition("a segment lacks audio")
    video = runs[VIDEO_TRACK]
    first = os.pread(file.fileno(), min(video.size, _LOOKED_AT), start + video.offset)
    if not (video.is_sync and starts_with_idr(first)):
        raise InvalidRendition("a segment does not start with a key frame")
    return Segment(size, video, runs[AUDIO_TRACK], audio_rate)


def _changes(file: BinaryIO, key: int, init: bytes) -> bool:
    return changes_parameters(os.pread(file.fileno(), _PARAMETERS, key), init)
