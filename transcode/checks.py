"""Verify finished renditions against everything that players rely on: pure, on what `segments` reads back.

A stream copy is only as good as its source, so it is verified before it is published; encoded renditions are, too.
"""

from collections.abc import Sequence
from itertools import pairwise

from transcode.mp4.boxes import codecs_of
from transcode.mp4.fragments import Run
from transcode.mp4.init_segment import AAC_FRAME, CLOCK
from transcode.segments import InvalidRendition, Segment

LONGEST_SEGMENT = 10.0
"""Largest duration of a media segment, in seconds: a player has to fetch one before it shows anything."""

_LONGEST_FRAME = 1.0
_LARGEST_AV_OFFSET = 0.5
_SOME_FRAMES = 2
# Rounding to another time base moves a time stamp by a tick at most, and so a duration by two.
_TICKS = 2


def codecs(init: bytes) -> str:
    """Return the RFC 6381 codec list of an initialization segment.

    Raises InvalidRendition unless it declares H.264 and AAC-LC, without edit lists.
    """
    try:
        found = codecs_of(init)
    except ValueError as error:
        raise InvalidRendition(f"the initialization segment cannot be read: {error}") from error
    _require(found.startswith("avc1.") and found.endswith(",mp4a.40.2"), f"its tracks are {found}")
    _require(b"elst" not in init, "an edit list moves a track")
    return found


def durations(segments: Sequence[Segment], expected: float) -> tuple[float, ...]:
    """Return the duration, in seconds, of each segment of a complete rendition.

    `expected` is the duration of the whole in seconds, to within two frames. Raises InvalidRendition unless video and
    audio start at 0, have no gap between any two segments and end together.
    """
    _require(bool(segments), "there are no video frames")
    found, frames = _video([segment.video for segment in segments])
    off = abs(sum(found) - expected)
    _require(off <= _SOME_FRAMES * sum(found) / frames, f"it is {off:.3f} s longer or shorter than the file")
    _audio([segment.audio for segment in segments], segments[0].audio_rate, sum(found))
    # Audio may be cut a little before or after the video; but a player goes on only where it has both.
    largest = max(abs(segment.av_offset) for segment in segments)
    _require(largest < _LARGEST_AV_OFFSET, f"audio and video of a segment are {largest:.3f} s apart")
    return found


def frame_rate(segments: Sequence[Segment], seconds: float) -> float:
    """Return the mean frame rate, in frames per second."""
    return sum(len(segment.video.durations) for segment in segments) / seconds


def aligned(rungs: Sequence[Sequence[Segment]], expected: Sequence[float]) -> None:
    """Raise InvalidRendition unless all renditions have the same segment boundaries.

    Video has to match the durations `expected` (seconds), audio the first rendition to the packet. Else a player that
    switches between them would meet gaps.
    """
    for segments in rungs:
        _require(len(segments) == len(expected), "the renditions have different numbers of segments")
        boundary = 0.0
        for segment, seconds in zip(segments, expected, strict=True):
            first = segment.video.presentation_times[0]
            _require(abs(first - boundary * CLOCK) <= _TICKS, "the renditions have different segment boundaries")
            boundary += seconds
        starts = [[segment.audio.decode_time for segment in each] for each in (segments, rungs[0])]
        _require(starts[0] == starts[1], "the renditions' audio is cut at different packets")


def _video(runs: Sequence[Run]) -> tuple[tuple[float, ...], int]:
    _joints(runs, _TICKS)
    _require(min(min(run.durations) for run in runs) > 0, "two frames have the same decode time")
    times: list[int] = []
    for run in runs:
        ordered = sorted(run.presentation_times)
        _require(ordered[0] == run.presentation_times[0], "a frame is presented before the key frame that it needs")
        # Reordered frames at a variable rate: hls.js takes the one time stamp for the other, and loads no further.
        off = abs(run.presentation_times[0] - run.decode_time)
        _require(off <= _TICKS, "the first decode and presentation time of a segment differ")
        times += ordered
    end = times[-1] + runs[-1].durations[-1]
    steps = [after - before for before, after in pairwise([*times, end])]
    _require(times[0] == 0, f"the video starts at {times[0] / CLOCK:.3f} s")
    _require(min(steps) > 0 and max(steps) <= _LONGEST_FRAME * CLOCK, "the frames are not evenly spread")
    starts = [run.presentation_times[0] for run in runs]
    found = tuple((after - before) / CLOCK for before, after in pairwise([*starts, end]))
    _require(max(found) <= LONGEST_SEGMENT, f"key frames are {max(found):.1f} s apart")
    return found, len(times)


def _audio(runs: Sequence[Run], rate: int, seconds: float) -> None:
    _joints(runs, 0)
    packets = [duration for run in runs for duration in run.durations]
    _require(runs[0].decode_time == 0, f"the audio starts at {runs[0].decode_time / rate:.3f} s")
    _require(not any(offset for run in runs for offset in run.composition_offsets), "the audio is reordered")
    _require({*packets[:-1]} <= {AAC_FRAME} and 0 < packets[-1] <= AAC_FRAME, "the audio has gaps")
    off = abs(runs[-1].end / rate - seconds)
    _require(off < AAC_FRAME / rate, f"the audio is {off:.3f} s longer or shorter than the video")


def _joints(runs: Sequence[Run], slack: int) -> None:
    for before, after in pairwise(runs):
        _require(abs(after.decode_time - before.end) <= slack, "there is a gap between two segments")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise InvalidRendition(otherwise)
