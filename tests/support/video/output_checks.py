"""Transcode a clip, and check the output packet by packet for all that gapless playback relies on."""

import json
import re
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from transcode import Limits, Rendition, Result, Settings, Tools, Transcoding
from transcode.mp4.boxes import child
from transcode.mp4.fragments import runs_of

CLOCK, AUDIO_RATE, AAC_FRAME = 90_000, 48_000, 1024

EVERY_RUNG = Settings(every_rung=True)
"""The test clips are small: with the defaults, most would be a stream copy and nothing else."""


@dataclass(frozen=True)
class Outcome:
    """The output folder of a job, and the results that it reported."""

    out: Path
    playable: Result
    ready: Result
    states: list[Result]
    """Each reported state of the first stage; the last is `playable`."""


Clip = Callable[..., Path]
Transcoded = Callable[..., Awaitable[Outcome]]
AssertGapless = Callable[[Path, Result], None]
AssertCopied = Callable[[Path, Outcome], None]


@dataclass(frozen=True)
class Track:
    """One stream of a file, as stored, in ticks."""

    info: dict[str, Any]
    times: list[int]
    decode_times: list[int]
    lengths: list[int]
    key_frames: list[bool]

    @property
    def end(self) -> int:
        return self.times[-1] + self.lengths[-1]


async def transcode(
    source: Path,
    out: Path,
    *,
    tools: Tools,
    limits: Limits,
    settings: Settings = EVERY_RUNG,
    on_stage: Callable[[Result], None] = lambda _: None,
    on_progress: Callable[[float], None] | None = None,
) -> Result:
    """Make both stages; `on_stage` takes each state of the first one."""
    job = Transcoding(source, out, tools=tools, limits=limits, settings=settings, on_progress=on_progress)
    async with job:
        async for result in job.first_stage():
            on_stage(result)
        return await job.ladder()


def without_bubblewrap(folder: Path) -> Path:
    """Return a PATH with the programs of util-linux that sandbox a process, without bubblewrap."""
    folder.mkdir()
    for name in ("prlimit", "setpriv", "unshare"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return folder


def output_of(program: Path, *arguments: str | Path) -> bytes:
    done = subprocess.run([program, "-v", "error", *arguments], check=True, capture_output=True)
    assert done.stderr == b"", done.stderr.decode()
    return done.stdout


def joined(folder: Path, rendition: Rendition, into: Path) -> Path:
    """Concatenate a rendition's files as a player does, and check that there are no others."""
    files = folder / rendition.name
    parts = [files / "init.mp4", *(files / f"{number}.m4s" for number in range(len(rendition.durations)))]
    assert sorted(files.iterdir()) == sorted(parts)
    into.write_bytes(b"".join(part.read_bytes() for part in parts))
    return into


def check_gapless(folder: Path, result: Result, tools: Tools, scratch: Path) -> None:
    assert result.whole
    assert result.poster is not None
    assert (folder / result.poster).read_bytes().startswith(b"\xff\xd8\xff")
    assert result.blurhash is not None
    beside = {"storyboard.jpg", "preview.mp4"} if result.preview else set()
    assert {path.name for path in folder.iterdir()} == {result.poster, *beside, *(r.name for r in result.renditions)}
    assert len({rendition.durations for rendition in result.renditions}) == 1
    copied = None
    for rendition in result.renditions:
        assert_no_edits((folder / rendition.name / "init.mp4").read_bytes())
        whole = joined(folder, rendition, scratch / "whole.mp4")
        video, audio = _tracks(tools, whole)
        if rendition is result.renditions[0] and is_copy(folder, rendition, tools, whole):
            copied = shown_at(video)
            _check_audio(audio, copied[-1] + video.lengths[-1])
            continue
        _check_encoded(video, rendition)
        if copied:
            # Each frame at the presentation time of the copy's.
            assert shown_at(video) == pytest.approx(copied, abs=2)
        else:
            _check_steady(video, rendition)
        _check_audio(audio, video.end)
    assert bool(beside) == (folder.name == "ready")


def is_copy(folder: Path, rendition: Rendition, tools: Tools, whole: Path) -> bool:
    """Say whether a rendition has the packets of the first one, which was a copy if their names are equal, too."""
    first = folder.parent / "playable" / rendition.name
    if folder.name != "ready" or not first.is_dir():
        return False
    parts = [first / "init.mp4", *(first / f"{number}.m4s" for number in range(len(rendition.durations)))]
    if not all(part.is_file() for part in parts):
        return False
    other = whole.with_name("first.mp4")
    other.write_bytes(b"".join(part.read_bytes() for part in parts))
    return video_digest(tools, other) == video_digest(tools, whole)


def shown_at(video: Track) -> list[int]:
    """Return presentation times relative to the first: ffmpeg adds an offset to a copy's."""
    return sorted(time - video.times[0] for time in video.times)


def check_copied(source: Path, outcome: Outcome, tools: Tools, scratch: Path) -> None:
    """Check that the first rendition holds the source's video packets at their times, and audio of the same length."""
    folder, result = outcome.out / "playable", outcome.playable
    assert {path.name for path in folder.iterdir()} == {"poster.jpg", result.renditions[0].name}
    assert (folder / "poster.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    (rendition,) = result.renditions
    whole = joined(folder, rendition, scratch / "whole.mp4")
    assert video_digest(tools, whole) == video_digest(tools, source)
    assert_no_edits((folder / rendition.name / "init.mp4").read_bytes())
    video, audio = _tracks(tools, whole)
    info = video.info
    assert (info["codec_name"], info["width"], info["height"]) == ("h264", rendition.width, rendition.height)
    assert info["time_base"] == f"1/{CLOCK}"
    assert re.fullmatch(rf"avc1\.(42c0|4d40|6400){info['level']:02x},mp4a\.40\.2", rendition.codecs)
    assert video.decode_times == sorted(set(video.decode_times))
    assert video.decode_times[0] == 0
    # ffmpeg adds an offset to all presentation times: the stored one of the first frame counts.
    start = first_presentation_time(folder / rendition.name / "0.m4s")
    assert start == 0
    times = sorted(time - video.times[0] for time in video.times)
    stored = _stored_times(tools, source)
    assert [time / CLOCK for time in times] == pytest.approx([time - stored[0] for time in stored], abs=2 / CLOCK)
    end = times[-1] + video.lengths[-1]
    starts = [
        first_presentation_time(folder / rendition.name / f"{number}.m4s") for number in range(len(rendition.durations))
    ]
    spans = [(after - before) / CLOCK for before, after in pairwise([*starts, end])]
    assert spans == pytest.approx(rendition.durations, abs=2e-5)
    assert rendition.frame_rate == pytest.approx(len(times) / (end / CLOCK))
    # AAC-LC audio may keep its sample rate and channels.
    entries = ["-select_streams", "a:0", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0"]
    own = output_of(tools.ffprobe, *entries, source).decode().strip()
    has = f"{audio.info['sample_rate']},{audio.info['channels']}"
    assert has in {f"{AUDIO_RATE},2", own}
    _check_audio(audio, end, *map(int, has.split(",")))
    check_gapless(outcome.out / "ready", outcome.ready, tools, scratch)
    best = outcome.ready.renditions[0]
    assert is_copy(outcome.out / "ready", best, tools, joined(outcome.out / "ready", best, whole))
    assert best.durations == rendition.durations


def video_digest(tools: Tools, file: Path) -> bytes:
    """Return a digest of the encoded video packets."""
    return output_of(tools.ffmpeg, "-i", file, "-map", "0:v", "-c", "copy", "-f", "md5", "pipe:1")


def first_presentation_time(segment: Path) -> int:
    """Return the presentation time of a segment's first frame, in ticks."""
    data = segment.read_bytes()
    (run,) = (run for run in runs_of(child(data, b"moof")) if run.track == 1)
    return run.presentation_times[0]


def _stored_times(tools: Tools, source: Path) -> list[float]:
    entries = ["-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    return sorted(float(line.strip(",")) for line in output_of(tools.ffprobe, *entries, source).decode().split())


def assert_no_edits(init: bytes) -> None:
    """Check that every edit list starts its track at media time 0."""
    position = init.find(b"elst")
    while position >= 0:
        count = int.from_bytes(init[position + 8 : position + 12])
        media_time = int.from_bytes(init[position + 16 : position + 20])
        assert (count, media_time) == (1, 0)
        position = init.find(b"elst", position + 4)


def _tracks(tools: Tools, whole: Path) -> tuple[Track, Track]:
    entries = "stream:packet=stream_index,pts,dts,duration,flags"
    probed = json.loads(
        output_of(tools.ffprobe, "-show_entries", entries, "-of", "json", "-ignore_editlist", "1", whole)
    )
    return _track(0, probed), _track(1, probed)


def _track(index: int, probed: dict[str, list[dict[str, Any]]]) -> Track:
    packets = [packet for packet in probed["packets"] if packet["stream_index"] == index]
    return Track(
        probed["streams"][index],
        [packet["pts"] for packet in packets],
        [packet["dts"] for packet in packets],
        [packet["duration"] for packet in packets],
        ["K" in packet["flags"] for packet in packets],
    )


def _check_encoded(video: Track, rendition: Rendition) -> None:
    info = video.info
    assert (info["codec_name"], info["profile"], info["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (info["width"], info["height"]) == (rendition.width, rendition.height)
    assert info["sample_aspect_ratio"] == "1:1"
    assert info["time_base"] == f"1/{CLOCK}"
    assert "side_data_list" not in info
    assert rendition.codecs == f"avc1.6400{info['level']:02x},mp4a.40.2"
    assert video.times[0] == 0
    assert video.times == video.decode_times
    starts = [time for time, is_key in zip(video.times, video.key_frames, strict=True) if is_key]
    spans = [(after - before) / CLOCK for before, after in pairwise([*starts, video.end])]
    assert spans == pytest.approx(rendition.durations, abs=2e-5)


def _check_steady(video: Track, rendition: Rendition) -> None:
    frame = Fraction(CLOCK) / Fraction(rendition.frame_rate).limit_denominator(1001)
    assert all(abs(after - before - frame) < 1 for before, after in pairwise([*video.times, video.end]))


def _check_audio(audio: Track, video_end: int, rate: int = AUDIO_RATE, channels: int = 2) -> None:
    info = audio.info
    assert (info["codec_name"], info["profile"], info["sample_rate"]) == ("aac", "LC", str(rate))
    assert (info["channels"], info["time_base"]) == (channels, f"1/{rate}")
    assert info["channel_layout"] == {1: "mono", 2: "stereo"}[channels]
    assert audio.times == audio.decode_times == [AAC_FRAME * number for number in range(len(audio.times))]
    assert abs(audio.end / rate - video_end / CLOCK) < AAC_FRAME / rate
