"""Looks through a copy before anybody sees it, and cuts it into segments: what a source promised, they must keep."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from transcode.command import COPY
from transcode.copying import AAC_FRAME, Copying
from transcode.errors import TranscodeError
from transcode.fragments import Run, is_instant, runs_of
from transcode.mp4 import codecs_of, top_level
from transcode.plan import AUDIO_RATE, CLOCK
from transcode.playlist import Rendition, bandwidths

_LONGEST_SEGMENT = 10.0
_LONGEST_FRAME = 1.0
_SOME_FRAMES = 2
# Rounding to another clock moves an instant by a tick at most, and so a length by two.
_TICKS = 2
_LOOKED_AT = 2**16
_VIDEO, _AUDIO = 1, 2
_HEADER = 8


class Unfit(TranscodeError):  # noqa: N818 - like all of this family, named by what is wrong
    """The copy would not play as it should: the file must be encoded."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A fragment: which bytes of the whole it takes, and what is in it."""

    begin: int
    size: int
    pictures: Run
    sound: Run


def take_apart(folder: Path, copying: Copying) -> Rendition:
    """Check the copy inside the rung's folder of `folder`, cut it into the rung's files, describe the rung.

    Blocks: call it in a thread. Raises Unfit when anything is not as players need it.
    """
    files = folder / copying.rung.name
    whole = files / COPY
    try:
        with whole.open("rb") as file:
            init_size, segments = _segments(file, whole.stat().st_size)
            init = os.pread(file.fileno(), init_size, 0)
            codecs = codecs_of(init)
            durations, frames = _check(init, codecs, segments, copying)
            _write(file, 0, init_size, files / "init.mp4")
            for number, segment in enumerate(segments):
                _write(file, segment.begin, segment.size, files / f"{number}.m4s")
    except (OSError, ValueError) as error:
        raise Unfit(f"the copy cannot be read: {error}") from error
    whole.unlink()
    peak, mean = bandwidths([segment.size for segment in segments], durations)
    return Rendition(
        name=copying.rung.name,
        width=copying.rung.width,
        height=copying.rung.height,
        frame_rate=frames / sum(durations),
        codecs=codecs,
        bandwidth=peak,
        average_bandwidth=mean,
        durations=durations,
    )


def _check(init: bytes, codecs: str, segments: Sequence[_Segment], copying: Copying) -> tuple[tuple[float, ...], int]:
    _require(codecs.startswith("avc1.") and codecs.endswith(",mp4a.40.2"), f"its tracks are {codecs}")
    _require(b"elst" not in init, "an edit list moves a track")
    _require(bool(segments), "there are no pictures")
    durations, frames = _check_pictures([segment.pictures for segment in segments], copying)
    _check_sound([segment.sound for segment in segments], durations)
    return durations, frames


def _segments(file: BinaryIO, size: int) -> tuple[int, list[_Segment]]:
    """Give the length of the init segment, and the fragments after it."""
    found = []
    fragments = [(begin - _HEADER, begin, end) for kind, begin, end in top_level(file, size) if kind == b"moof"]
    begins = [begin for begin, _, _ in fragments]
    for (begin, content, end), next_begin in zip(fragments, [*begins[1:], size], strict=True):
        file.seek(content)
        runs = {run.track: run for run in runs_of(file.read(end - content))}
        _require(set(runs) == {_VIDEO, _AUDIO}, "a segment lacks pictures or sound")
        pictures = runs[_VIDEO]
        file.seek(begin + pictures.offset)
        first = file.read(min(pictures.size, _LOOKED_AT))
        _require(pictures.is_sync and is_instant(first), "a segment does not begin with a key frame")
        found.append(_Segment(begin, next_begin - begin, pictures, runs[_AUDIO]))
    return min(begins, default=size), found


def _write(source: BinaryIO, begin: int, size: int, target: Path) -> None:
    with target.open("wb") as file:
        while size:
            # Within the kernel; a file system that can shares the blocks.
            done = os.copy_file_range(source.fileno(), file.fileno(), size, begin)
            if not done:
                raise ValueError("the copy is cut off")
            begin, size = begin + done, size - done


def _check_pictures(runs: Sequence[Run], copying: Copying) -> tuple[tuple[float, ...], int]:
    _check_joints(runs, _TICKS)
    _require(min(min(run.lengths) for run in runs) > 0, "two pictures are to be decoded at once")
    times: list[int] = []
    for run in runs:
        shown = sorted(run.times)
        _require(shown[0] == run.times[0], "a picture is shown before the key frame that it needs")
        # Reordered pictures at a rate that varies: hls.js takes the one instant for the other, and loads no further.
        _require(abs(run.times[0] - run.begin) <= _TICKS, "a segment is not shown when it is decoded")
        times += shown
    end = times[-1] + runs[-1].lengths[-1]
    steps = [after - before for before, after in pairwise([*times, end])]
    _require(times[0] == 0, f"the pictures begin at {times[0] / CLOCK:.3f} s")
    _require(min(steps) > 0 and max(steps) <= _LONGEST_FRAME * CLOCK, "the pictures are not evenly spread")
    starts = [run.times[0] for run in runs]
    durations = tuple((after - before) / CLOCK for before, after in pairwise([*starts, end]))
    _require(max(durations) <= _LONGEST_SEGMENT, f"key frames are {max(durations):.1f} s apart")
    frame = end / len(times) / CLOCK
    off = abs(end / CLOCK - copying.duration)
    _require(off <= _SOME_FRAMES * frame, f"the copy is {off:.3f} s longer or shorter than the file")
    return durations, len(times)


def _check_sound(runs: Sequence[Run], durations: tuple[float, ...]) -> None:
    _check_joints(runs, 0)
    lengths = [length for run in runs for length in run.lengths]
    _require(runs[0].begin == 0, f"the sound begins at {runs[0].begin / AUDIO_RATE:.3f} s")
    _require(not any(shift for run in runs for shift in run.shifts), "the sound is not in order")
    _require({*lengths[:-1]} <= {AAC_FRAME} and 0 < lengths[-1] <= AAC_FRAME, "the sound has gaps")
    off = abs(runs[-1].end / AUDIO_RATE - sum(durations))
    _require(off < AAC_FRAME / AUDIO_RATE, f"the sound is {off:.3f} s longer or shorter than the pictures")


def _check_joints(runs: Sequence[Run], slack: int) -> None:
    for before, after in pairwise(runs):
        _require(abs(after.begin - before.end) <= slack, "there is a gap between two segments")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Unfit(otherwise)
