"""Make an A/V sync pattern, and read its colours, flashes, beeps and geometry back from a stage's renditions."""

import subprocess
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.video.output_checks import Outcome, joined, output_of
from transcode import Rendition, Result, Tools

GREEN, RED = "green", "red"
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
VP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
_RATE = 48_000
_TOGETHER = 0.045
# A beep ends after so many silent samples.
_SILENT = 4800


def video(
    seconds: float, *, start: float = 0.0, size: str = "192x108", rate: str = "30", end: bool = True
) -> list[str]:
    """Return an input: green for 0.5 s, a white flash at each odd second, a yellow square, red for the last 0.5 s.

    A part with another `start` shows what the whole would from there on.
    """
    now = f"(t+{start})"
    graph = (
        f"color=0x303030:s={size}:r={rate}:d={seconds}"
        f",drawbox=c=white:t=fill:enable='between(mod({now},2),1,1.1)'"
        f",drawbox=c=green:t=fill:enable='lt({now},0.5)'"
    )
    red = f",drawbox=c=red:t=fill:enable='gte(t,{seconds - 0.5})'" if end else ""
    square = ",drawbox=w=24:h=24:x=(iw-24)/2:y=(ih-24)/2:c=yellow:t=fill"
    return ["-f", "lavfi", "-i", graph + red + square]


def audio(seconds: float, *, start: float = 0.0, rate: int = _RATE, layout: str = "mono", heard: str = "") -> list[str]:
    """Return an input: a beep with each flash in the channels `heard`, such as "1010"; "": in all."""
    beep = f"'0.5*sin(2*PI*1000*t)*between(mod(t+{start},2),1,1.1)'"
    channels = "|".join(beep if each == "1" else "0" for each in heard or "1" * _channels(layout))
    return ["-f", "lavfi", "-i", f"aevalsrc={channels}:c={layout}:s={rate}:d={seconds}"]


def _channels(layout: str) -> int:
    known = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8, "6.1": 7}
    return known.get(layout) or int(layout.rstrip("C"))


def made(tools: Tools, path: Path, *arguments: str | Path) -> Path:
    subprocess.run([tools.ffmpeg, "-v", "error", "-nostdin", "-y", *arguments, path], check=True)
    return path


def concatenated(tools: Tools, path: Path, *parts: Path) -> Path:
    """Join files by ffmpeg's concat demuxer, without encoding."""
    listed = path.with_suffix(".txt")
    listed.write_text("".join(f"file '{part}'\n" for part in parts))
    return made(tools, path, "-f", "concat", "-safe", "0", "-i", listed, "-map", "0", "-c", "copy")


@dataclass(frozen=True)
class DecodedRendition:
    """The pattern as decoded from a rendition: seconds, names of colours, sizes of the yellow square in pixels."""

    duration: float
    times: list[float]
    first: str
    last: str
    flashes: list[float]
    beeps: list[float]
    squares: set[tuple[int, int]]

    def frames_in(self, second: int) -> int:
        return Counter(map(int, self.times))[second]


def decode_rendition(tools: Tools, folder: Path, rendition: Rendition, scratch: Path) -> DecodedRendition:
    whole = joined(folder, rendition, scratch / "joined.mp4")
    read: list[str | Path] = ["-ignore_editlist", "1", "-i", whole]
    entries = ["-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    times = [float(line.strip(",")) for line in output_of(tools.ffprobe, *read, *entries).decode().split()]
    width, height = rendition.width, rendition.height
    raw = output_of(
        tools.ffmpeg,
        *read,
        "-map",
        "0:v",
        "-vf",
        "format=rgb24",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "pipe:1",
    )
    frames = [raw[start : start + width * height * 3] for start in range(0, len(raw), width * height * 3)]
    assert len(frames) == len(times)
    colours = [_colour(frame, width, height) for frame in frames]
    flashes = [
        time for time, before, now in zip(times, ["", *colours], colours, strict=False) if now == "white" != before
    ]
    some = range(0, len(frames), 15)
    squares = {square(frames[number], width, height) for number in some}
    return DecodedRendition(
        sum(rendition.durations), times, colours[0], colours[-1], flashes, beeps(tools, whole), squares
    )


def assert_whole(
    tools: Tools, outcome: Outcome, scratch: Path, seconds: float, *, rate: float = 30.0, heard: bool = True
) -> list[DecodedRendition]:
    """Check both stages for the complete pattern, and return the decoded renditions."""
    stages = []
    for stage, result in (("playable", outcome.playable), ("ready", outcome.ready)):
        for rendition in result.renditions:
            shown = decode_rendition(tools, outcome.out / stage, rendition, scratch)
            beats = [float(second) for second in range(1, int(seconds + 0.5), 2)]
            assert shown.duration == pytest.approx(seconds, abs=0.1)
            assert len(shown.times) == pytest.approx(seconds * rate, abs=0.1 * rate)
            assert (shown.first, shown.last) == (GREEN, RED)
            assert shown.flashes == pytest.approx(beats, abs=0.1)
            if heard:
                assert shown.beeps == pytest.approx(shown.flashes, abs=_TOGETHER)
            stages.append(shown)
    return stages


def assert_square(shown: DecodedRendition) -> None:
    """Check that the yellow square is square in every frame."""
    assert shown.squares
    assert all(abs(width - height) <= 2 + 0.05 * height for width, height in shown.squares), shown.squares


def image_square(tools: Tools, image: Path, result: Result) -> tuple[int, int]:
    """Return the size of the yellow square in an image as large as the largest rendition of a result."""
    raw = output_of(tools.ffmpeg, "-i", image, "-vf", "format=rgb24", "-f", "rawvideo", "pipe:1")
    return square(raw, result.width, result.height)


def _colour(frame: bytes, width: int, height: int) -> str:
    # Above the square.
    start = (height // 5 * width + width // 2) * 3
    red, green, blue = (each > 100 for each in frame[start : start + 3])
    names = {
        (False, True, False): GREEN, (True, False, False): RED,
        (True, True, True): "white",
    }  # fmt: skip
    return names.get((red, green, blue), "other")


def square(frame: bytes, width: int, height: int) -> tuple[int, int]:
    """Return the size of the yellow square in a frame of RGB."""

    def is_yellow(x: int, y: int) -> bool:
        start = (y * width + x) * 3
        red, green, blue = frame[start : start + 3]
        return red > 150 and green > 150 and blue < 100

    return sum(is_yellow(x, height // 2) for x in range(width)), sum(is_yellow(width // 2, y) for y in range(height))


def beeps(tools: Tools, whole: Path, channel: str = "") -> list[float]:
    """Return the start times of the beeps in a file, in one channel or in the mono mix."""
    mono = ["-af", f"pan=mono|c0={channel}"] if channel else ["-ac", "1"]
    raw = output_of(tools.ffmpeg, "-ignore_editlist", "1", "-i", whole, "-map", "0:a", *mono, "-f", "s16le", "pipe:1")
    samples = array("h", raw)
    loud = max(map(abs, samples), default=0)
    if loud < 300:
        return []
    heard = [number for number, sample in enumerate(samples) if abs(sample) > loud / 4]
    return [now / _RATE for before, now in zip([-_RATE, *heard], heard, strict=False) if now - before > _SILENT]
