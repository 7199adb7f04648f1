from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest

from tests.unit.transcode.mp4.test_boxes import AVC1, MP4A, init
from transcode.checks import aligned, codecs, durations, frame_rate
from transcode.mp4.fragments import Run
from transcode.segments import InvalidRendition, Segment

FRAME, PACKET = 3000, 1024


def run(track: int, start: int, length: int, count: int) -> Run:
    return Run(track, start, (length,) * count, (0,) * count, is_sync=True, offset=0, size=9)


def segments(*frames: int) -> list[Segment]:
    """Return segments of so many frames at 30 frames per second, with as much audio."""
    made, packets = [], 0
    for start, count in zip(accumulate(frames, initial=0), frames, strict=False):
        wanted = round((start + count) / 30 * 48_000 / PACKET) - packets
        made.append(Segment(100, run(1, start * FRAME, FRAME, count), run(2, packets * PACKET, PACKET, wanted)))
        packets += wanted
    return made


WELL = segments(60, 60, 30)


def test_what_is_well_made() -> None:
    assert durations(WELL, 5.0) == (2.0, 2.0, 1.0)
    assert frame_rate(WELL, 5.0) == 30.0
    aligned([WELL, WELL], (2.0, 2.0, 1.0))
    assert codecs(init(AVC1, MP4A)).endswith(",mp4a.40.2")
    assert [segment.av_offset for segment in WELL] == pytest.approx([0.0, -0.005333, -0.010666], abs=1e-5)


def test_audio_at_another_sample_rate() -> None:
    # As many packets, but at 44,100 Hz they last 9 % longer.
    slower = [replace(segment, audio_rate=44_100) for segment in WELL]
    with pytest.raises(InvalidRendition, match="longer or shorter than the video"):
        durations(slower, 5.0)
    whole = [*slower[:-1], replace(slower[-1], audio=run(2, slower[-1].audio.decode_time, PACKET, 216 - 188))]
    assert durations(whole, 5.0) == (2.0, 2.0, 1.0)
    assert whole[1].av_offset == pytest.approx(2 - 94 * PACKET / 44_100)


def changed(number: int, change: Callable[[Segment], Segment]) -> list[Segment]:
    return [change(segment) if index == number else segment for index, segment in enumerate(WELL)]


def changed_video(number: int, **changes: Any) -> list[Segment]:  # noqa: ANN401 - whatever Run has
    return changed(number, lambda segment: replace(segment, video=replace(segment.video, **changes)))


def changed_audio(number: int, **changes: Any) -> list[Segment]:  # noqa: ANN401 - the same
    return changed(number, lambda segment: replace(segment, audio=replace(segment.audio, **changes)))


def late_audio() -> list[Segment]:
    """All audio but one packet is in the last segment, as ffmpeg wrote it once."""
    packets = sum(len(segment.audio.durations) for segment in WELL)
    first, second, last = (replace(segment.audio, durations=(PACKET,), composition_offsets=(0,)) for segment in WELL)
    rest = (packets - 2) * (PACKET,)
    tracks = (
        first,
        replace(second, decode_time=PACKET),
        replace(last, decode_time=2 * PACKET, durations=rest, composition_offsets=(0,) * len(rest)),
    )
    return [replace(segment, audio=audio) for segment, audio in zip(WELL, tracks, strict=True)]


@pytest.mark.parametrize(
    ("made", "expected", "reason"),
    [
        ([], 5.0, "no video frames"),
        (WELL, 5.2, "longer or shorter than the file"),
        (WELL[:2], 5.0, "longer or shorter than the file"),
        (WELL[1:], 3.0, "starts at"),
        ([WELL[0], WELL[2]], 3.0, "gap between"),
        (changed_video(1, durations=(FRAME, 0, 2 * FRAME) + (FRAME,) * 57), 5.0, "same decode time"),
        (changed_video(1, composition_offsets=(FRAME, *(0,) * 59)), 5.0, "needs|decode and presentation"),
        (changed_video(2, durations=(FRAME * 31, *(FRAME,) * 29)), 6.0, "evenly"),
        (segments(400), 400 / 30, "apart"),
        (changed_audio(0, decode_time=PACKET), 5.0, "audio starts|gap"),
        (changed_audio(2, composition_offsets=(1,) * len(WELL[2].audio.durations)), 5.0, "reordered"),
        (changed_audio(2, durations=(960,) * len(WELL[2].audio.durations)), 5.0, "gaps"),
        (changed_audio(2, durations=(PACKET,) * 10, composition_offsets=(0,) * 10), 5.0, "audio is"),
        (late_audio(), 5.0, "apart"),
    ],
)
def test_what_would_not_play(made: Sequence[Segment], expected: float, reason: str) -> None:
    with pytest.raises(InvalidRendition, match=reason):
        durations(made, expected)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (segments(60, 60), "different numbers of segments"),
        (segments(60, 59, 31), "different segment boundaries"),
        (changed_audio(1, decode_time=WELL[1].audio.decode_time + PACKET), "different packets"),
    ],
)
def test_rungs_that_do_not_match(other: list[Segment], reason: str) -> None:
    with pytest.raises(InvalidRendition, match=reason):
        aligned([WELL, other], (2.0, 2.0, 1.0))


@pytest.mark.parametrize("broken", [b"", init(AVC1), init(MP4A), init(AVC1, MP4A) + b"elst"])
def test_an_init_segment_that_will_not_do(broken: bytes) -> None:
    with pytest.raises(InvalidRendition):
        codecs(broken)
