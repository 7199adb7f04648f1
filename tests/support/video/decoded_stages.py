"""Decode what each stage published, and compare first stage and ladder: time, colours, audio offset, size, rate.

The test pattern is green for its first half second, red for its last, and has a white flash with a beep at 1, 3, 5 … s.
"""

import subprocess
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.video.output_checks import Outcome
from transcode import Rendition, Result, Tools
from transcode.mp4.boxes import child
from transcode.mp4.fragments import runs_of

SYNC_SECONDS = 0.045
"""Largest distance between a flash and its beep that nobody notices (ITU-R BT.1359: 45 ms where audio leads)."""

_CLOCK, _AUDIO_RATE = 90_000, 48_000
_VIDEO = 1
_WINDOW = _AUDIO_RATE // 200
_SILENT, _LOUD = 100, 0.3
_WHITE, _COLOURED = 170, 50
_APART = 0.3


@dataclass(frozen=True)
class Stage:
    """One rendition as a player shows it: pixels, seconds, frames per second."""

    width: int
    height: int
    duration: float
    frame_rate: float
    frames: int
    first: str
    """Colour of the first frame: 'green', 'red', 'white' or 'other'."""
    last: str
    flashes: tuple[float, ...]
    """When the frame becomes white."""
    beeps: tuple[float, ...]
    """When the audio becomes loud."""


def pattern(seconds: float = 10, size: str = "320x180", rate: str = "30") -> list[str]:
    """Return ffmpeg's arguments for the test pattern as two inputs: 0 is the video, 1 the audio (48 kHz, mono)."""
    fill = "drawbox=t=fill:c={}:enable='{}'"
    marks = {"green": "lt(t,0.5)", "white": "between(mod(t,2),1,1.09)", "red": f"gte(t,{seconds - 0.5})"}
    video = ",".join(
        [f"testsrc2=s={size}:r={rate}:d={seconds}", *(fill.format(colour, when) for colour, when in marks.items())]
    )
    audio = f"aevalsrc='0.004*sin(1382*t)+0.5*sin(6283*t)*between(mod(t,2),1,1.1)':s={_AUDIO_RATE}:d={seconds}"
    return ["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", audio]


def decoded(tools: Tools, folder: Path, rendition: Rendition) -> Stage:
    """Decode one rendition of the stage in `folder`."""
    files = folder / rendition.name
    segments = [(files / f"{number}.m4s").read_bytes() for number in range(len(rendition.durations))]
    whole = (files / "init.mp4").read_bytes() + b"".join(segments)
    times, end = _shown(segments)
    colours = list(_colours(tools, whole))
    assert len(colours) == len(times), "some frames cannot be decoded"
    white = [colour == "white" for colour in colours]
    return Stage(
        width=rendition.width,
        height=rendition.height,
        duration=end,
        frame_rate=rendition.frame_rate,
        frames=len(times),
        first=colours[0],
        last=colours[-1],
        flashes=_onsets(white, times),
        beeps=_beeps(tools, whole),
    )


def assert_stages(
    tools: Tools,
    outcome: Outcome,
    *,
    duration: float | None = None,
    aspect: float | None = None,
    frame_rate: float | None = None,
    flashes: Sequence[float] | None = None,
    first: str = "green",
    last: str = "red",
    audible: bool = True,
) -> tuple[Stage, Stage]:
    """Check that first stage and ladder agree and are right; return both, decoded.

    `duration` is in seconds, ± 0.1; `aspect` is width / height, within 1.5 %; `frame_rate` within 1 %; `flashes` are
    when they are expected, ± 0.1 s (None: any, but at least one). Each flash has its beep within SYNC_SECONDS,
    unless it is not `audible`. Every rendition of the ladder is checked; the highest is given.
    """
    results = {"playable": outcome.playable, "ready": outcome.ready}
    stages = {name: _stages(tools, outcome.out / name, result) for name, result in results.items()}
    for name, stage in ((name, stage) for name, found in stages.items() for stage in found):
        context = f"{name} {stage}"
        assert (stage.first, stage.last) == (first, last), context
        assert duration is None or stage.duration == pytest.approx(duration, abs=0.1), context
        assert aspect is None or stage.width / stage.height == pytest.approx(aspect, rel=0.015), context
        assert frame_rate is None or stage.frame_rate == pytest.approx(frame_rate, rel=0.01), context
        assert stage.flashes, context
        assert flashes is None or stage.flashes == pytest.approx(flashes, abs=0.1), context
        assert not audible or stage.beeps == pytest.approx(stage.flashes, abs=SYNC_SECONDS), context
    (playable, *_), (ready, *_) = stages.values()
    for one in stages["ready"]:
        assert_same(playable, one)
    return playable, ready


def assert_same(one: Stage, other: Stage) -> None:
    """Check that two renditions have the same timeline and aspect."""
    both = f"{one} and {other}"
    assert one.duration == pytest.approx(other.duration, abs=0.05), both
    assert one.flashes == pytest.approx(other.flashes, abs=SYNC_SECONDS), both
    assert one.beeps == pytest.approx(other.beeps, abs=SYNC_SECONDS), both
    assert one.width / one.height == pytest.approx(other.width / other.height, rel=0.03), both
    assert one.frame_rate == pytest.approx(other.frame_rate, rel=0.01), both


def _stages(tools: Tools, folder: Path, result: Result) -> list[Stage]:
    return [decoded(tools, folder, rendition) for rendition in result.renditions]


def _shown(segments: Sequence[bytes]) -> tuple[list[float], float]:
    """Return each frame's presentation time and the end of the last, as stored in the fragments."""
    runs = [run for data in segments for run in runs_of(child(data, b"moof")) if run.track == _VIDEO]
    times = sorted(time / _CLOCK for run in runs for time in run.presentation_times)
    return times, times[-1] + runs[-1].durations[-1] / _CLOCK


def _colours(tools: Tools, whole: bytes) -> Iterator[str]:
    # The middle alone, without letterbox bars.
    small = ["-vf", "crop=iw/2:ih/2,scale=2:2:flags=area,format=rgb24", "-fps_mode", "passthrough", "-f", "rawvideo"]
    raw = _output(tools, whole, "-map", "0:v", *small)
    for start in range(0, len(raw), 12):
        red, green, blue = (sum(raw[start + part : start + 12 : 3]) / 4 for part in range(3))
        yield _name(red, green, blue)


def _name(red: float, green: float, blue: float) -> str:
    if min(red, green, blue) > _WHITE:
        return "white"
    if green - max(red, blue) > _COLOURED:
        return "green"
    return "red" if red - max(green, blue) > _COLOURED else "other"


def _beeps(tools: Tools, whole: bytes) -> tuple[float, ...]:
    samples = array("h", _output(tools, whole, "-map", "0:a", "-ac", "1", "-ar", str(_AUDIO_RATE), "-f", "s16le"))
    peaks = [max(map(abs, samples[at : at + _WINDOW])) for at in range(0, len(samples), _WINDOW)]
    loudest = max(peaks, default=0)
    loud = [peak > max(_SILENT, loudest * _LOUD) for peak in peaks]
    return _onsets(loud, [number * _WINDOW / _AUDIO_RATE for number in range(len(loud))])


def _onsets(states: Sequence[bool], times: Sequence[float]) -> tuple[float, ...]:
    found: list[float] = []
    for (before, _), (now, time) in pairwise([(False, 0.0), *zip(states, times, strict=True)]):
        if now and not before and (not found or time - found[-1] > _APART):
            found.append(time)
    return tuple(found)


def _output(tools: Tools, whole: bytes, *arguments: str) -> bytes:
    line = [str(tools.ffmpeg), "-v", "error", "-f", "mov", "-i", "pipe:0", *arguments, "pipe:1"]
    done = subprocess.run(line, input=whole, capture_output=True, check=True)
    assert done.stderr == b"", done.stderr.decode()
    return done.stdout
