"""Reads what was made back packet by packet, and checks all that gapless playing relies on."""

import json
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from transcode import Rendition, Result, Tools

CLOCK, AUDIO_RATE, AAC_FRAME = 90_000, 48_000, 1024


@dataclass(frozen=True)
class Outcome:
    """Where a job wrote, and what it said was there."""

    out: Path
    playable: Result
    ready: Result


Clip = Callable[..., Path]
Transcoded = Callable[[Path], Awaitable[Outcome]]
AssertGapless = Callable[[Path, Result], None]


@dataclass(frozen=True)
class Track:
    """One stream of a file, as stored: ticks, not seconds."""

    info: dict[str, Any]
    times: list[int]
    decode_times: list[int]
    lengths: list[int]
    key_frames: list[bool]

    @property
    def end(self) -> int:
        return self.times[-1] + self.lengths[-1]


def output_of(program: Path, *arguments: str | Path) -> bytes:
    done = subprocess.run([program, "-v", "error", *arguments], check=True, capture_output=True)
    assert done.stderr == b""
    return done.stdout


def joined(folder: Path, rendition: Rendition, into: Path) -> Path:
    """Put a rendition's files together as a player does; nothing else may lie beside them."""
    files = folder / rendition.name
    parts = [files / "init.mp4", *(files / f"{number}.m4s" for number in range(len(rendition.durations)))]
    assert sorted(files.iterdir()) == sorted(parts)
    into.write_bytes(b"".join(part.read_bytes() for part in parts))
    return into


def check_gapless(folder: Path, result: Result, tools: Tools, scratch: Path) -> None:
    assert result.poster is not None
    assert (folder / result.poster).read_bytes().startswith(b"\xff\xd8\xff")
    assert {path.name for path in folder.iterdir()} == {result.poster, *(r.name for r in result.renditions)}
    assert len({rendition.durations for rendition in result.renditions}) == 1
    for rendition in result.renditions:
        assert_no_edits((folder / rendition.name / "init.mp4").read_bytes())
        video, audio = _tracks(tools, joined(folder, rendition, scratch / "whole.mp4"))
        _check_video(video, rendition)
        _check_audio(audio, video)


def assert_no_edits(init: bytes) -> None:
    """Every edit list there is says that the track begins at its own 0."""
    position = init.find(b"elst")
    while position >= 0:
        count = int.from_bytes(init[position + 8 : position + 12])
        media_time = int.from_bytes(init[position + 16 : position + 20])
        assert (count, media_time) == (1, 0)
        position = init.find(b"elst", position + 4)


def _tracks(tools: Tools, whole: Path) -> tuple[Track, Track]:
    entries = "stream:packet=stream_index,pts,dts,duration,flags"
    told = json.loads(output_of(tools.ffprobe, "-show_entries", entries, "-of", "json", "-ignore_editlist", "1", whole))
    return _track(0, told), _track(1, told)


def _track(index: int, told: dict[str, list[dict[str, Any]]]) -> Track:
    packets = [packet for packet in told["packets"] if packet["stream_index"] == index]
    return Track(
        told["streams"][index],
        [packet["pts"] for packet in packets],
        [packet["dts"] for packet in packets],
        [packet["duration"] for packet in packets],
        ["K" in packet["flags"] for packet in packets],
    )


def _check_video(video: Track, rendition: Rendition) -> None:
    info = video.info
    assert (info["codec_name"], info["profile"], info["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (info["width"], info["height"]) == (rendition.width, rendition.height)
    assert info["sample_aspect_ratio"] == "1:1"
    assert info["time_base"] == f"1/{CLOCK}"
    assert "side_data_list" not in info
    assert rendition.codecs == f"avc1.6400{info['level']:02x},mp4a.40.2"
    assert video.times[0] == 0
    assert video.times == video.decode_times
    frame = Fraction(CLOCK) / Fraction(rendition.frame_rate).limit_denominator(1001)
    assert all(abs(after - before - frame) < 1 for before, after in pairwise([*video.times, video.end]))
    starts = [time for time, is_key in zip(video.times, video.key_frames, strict=True) if is_key]
    spans = [(after - before) / CLOCK for before, after in pairwise([*starts, video.end])]
    assert spans == pytest.approx(rendition.durations, abs=2e-5)


def _check_audio(audio: Track, video: Track) -> None:
    info = audio.info
    assert (info["codec_name"], info["profile"], info["sample_rate"]) == ("aac", "LC", str(AUDIO_RATE))
    assert (info["channels"], info["channel_layout"], info["time_base"]) == (2, "stereo", f"1/{AUDIO_RATE}")
    assert audio.times == audio.decode_times == [AAC_FRAME * number for number in range(len(audio.times))]
    assert abs(audio.end / AUDIO_RATE - video.end / CLOCK) < AAC_FRAME / AUDIO_RATE
