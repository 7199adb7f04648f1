"""Whether what was made keeps every promise that players rely on: pure, on what `segments` read back.

A copy is only as good as its source, and so is looked at like this before anybody sees it; what we encoded is too.
"""

from collections.abc import Sequence
from itertools import pairwise

from transcode.copy_policy import AAC_FRAME
from transcode.mp4.boxes import codecs_of
from transcode.mp4.fragments import Run
from transcode.mp4.init_segment import CLOCK
from transcode.segments import Segment, Unfit

LONGEST_SEGMENT = 10.0
"""Seconds a segment may play: what a player has to fetch before it shows anything."""

_LONGEST_FRAME = 1.0
_SOUND_OFF = 0.5
_SOME_FRAMES = 2
# Rounding to another clock moves an instant by a tick at most, and so a length by two.
_TICKS = 2


def codecs(init: bytes) -> str:
    """Give the RFC 6381 list of an init segment. Raises Unfit unless it is H.264 with AAC-LC, from 0 on."""
    try:
        found = codecs_of(init)
    except ValueError as error:
        raise Unfit(f"the init segment cannot be read: {error}") from error
    _require(found.startswith("avc1.") and found.endswith(",mp4a.40.2"), f"its tracks are {found}")
    _require(b"elst" not in init, "an edit list moves a track")
    return found


def durations(segments: Sequence[Segment], expected: float) -> tuple[float, ...]:
    """Give the seconds of each segment of a whole rung that should play `expected` seconds, within two pictures.

    Raises Unfit unless pictures and sound begin at 0, go on without a gap through all segments and end together.
    """
    _require(bool(segments), "there are no pictures")
    found, frames = _pictures([segment.pictures for segment in segments])
    off = abs(sum(found) - expected)
    _require(off <= _SOME_FRAMES * sum(found) / frames, f"it is {off:.3f} s longer or shorter than the file")
    _sound([segment.sound for segment in segments], segments[0].audio_rate, sum(found))
    # It may be cut a little before or after the pictures; but a player gets on only where it has both.
    _require(max(abs(segment.lag) for segment in segments) < _SOUND_OFF, "a segment lacks the sound of its pictures")
    return found


def frame_rate(segments: Sequence[Segment], seconds: float) -> float:
    """Give the mean pictures per second."""
    return sum(len(segment.pictures.lengths) for segment in segments) / seconds


def aligned(rungs: Sequence[Sequence[Segment]], expected: Sequence[float]) -> None:
    """Raise Unfit unless all rungs are cut at the same instants: pictures as `expected` (seconds), sound to the packet.

    Else a player that changes from one to the other would meet gaps.
    """
    for segments in rungs:
        _require(len(segments) == len(expected), "the rungs have different segments")
        now = 0.0
        for segment, seconds in zip(segments, expected, strict=True):
            begin = segment.pictures.times[0]
            _require(abs(begin - now * CLOCK) <= _TICKS, "the rungs are not cut at the same instants")
            now += seconds
        same = [segment.sound.begin for segment in segments] == [segment.sound.begin for segment in rungs[0]]
        _require(same, "the rungs' sound is not cut at the same packets")


def _pictures(runs: Sequence[Run]) -> tuple[tuple[float, ...], int]:
    _joints(runs, _TICKS)
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
    found = tuple((after - before) / CLOCK for before, after in pairwise([*starts, end]))
    _require(max(found) <= LONGEST_SEGMENT, f"key frames are {max(found):.1f} s apart")
    return found, len(times)


def _sound(runs: Sequence[Run], rate: int, seconds: float) -> None:
    _joints(runs, 0)
    lengths = [length for run in runs for length in run.lengths]
    _require(runs[0].begin == 0, f"the sound begins at {runs[0].begin / rate:.3f} s")
    _require(not any(shift for run in runs for shift in run.shifts), "the sound is not in order")
    _require({*lengths[:-1]} <= {AAC_FRAME} and 0 < lengths[-1] <= AAC_FRAME, "the sound has gaps")
    off = abs(runs[-1].end / rate - seconds)
    _require(off < AAC_FRAME / rate, f"the sound is {off:.3f} s longer or shorter than the pictures")


def _joints(runs: Sequence[Run], slack: int) -> None:
    for before, after in pairwise(runs):
        _require(abs(after.begin - before.end) <= slack, "there is a gap between two segments")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Unfit(otherwise)
