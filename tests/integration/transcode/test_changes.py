"""Changes in the middle of a file play on without distortion: audio format, frame size, pixel aspect, crop."""

import struct
from pathlib import Path

import pytest

from tests.support.video.container_edits import with_boxes
from tests.support.video.output_checks import Outcome, Transcoded, output_of
from tests.support.video.sync_pattern import (
    VP8,
    X264,
    assert_square,
    assert_whole,
    audio,
    concatenated,
    image_square,
    made,
    square,
    video,
)
from transcode import Cut, Limits, Tools, prepare_recording
from transcode.mp4.boxes import box

AAC = ["-c:a", "aac"]
AC3 = ["-c:a", "ac3"]
AUDIO_CHANGES = {
    "aac-1-to-2.ts": (("mono", 48_000, AAC), ("stereo", 48_000, AAC)),
    "ac3-5.1-to-2.ts": (("5.1", 48_000, AC3), ("stereo", 48_000, AC3)),
    "ac3-2-to-5.1.mkv": (("stereo", 48_000, AC3), ("5.1", 48_000, AC3)),
    "aac-44-to-48.ts": (("stereo", 44_100, AAC), ("mono", 48_000, AAC)),
}


@pytest.mark.parametrize("name", AUDIO_CHANGES)
async def test_a_change_of_the_audio_format(name: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    parts = []
    for number, (layout, rate, codec) in enumerate(AUDIO_CHANGES[name]):
        start = 2.0 * number
        inputs = [*video(2, start=start, end=number == 1), *audio(2, start=start, layout=layout, rate=rate)]
        offset = ["-output_ts_offset", str(start)] if name.endswith(".ts") else []
        suffix = Path(name).suffix
        parts.append(made(tools, tmp_path / f"{number}{suffix}", *inputs, *X264, *codec, *offset))
    source = tmp_path / name
    if name.endswith(".ts"):
        source.write_bytes(b"".join(part.read_bytes() for part in parts))
    else:
        concatenated(tools, source, *parts)
    assert_whole(tools, await transcoded(source), tmp_path, 4)


def _assert_images(tools: Tools, outcome: Outcome) -> None:
    for stage, result in (("playable", outcome.playable), ("ready", outcome.ready)):
        width, height = image_square(tools, outcome.out / stage / "poster.jpg", result)
        assert height > 2
        assert abs(width - height) <= 2 + 0.05 * height


async def test_a_phone_that_is_turned_during_a_call(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    opus = ["-c:a", "libopus"]
    parts = [
        made(tools, tmp_path / f"{n}.webm", *video(2, start=2.0 * n, size=size, end=n == 1), *audio(2), *VP8, *opus)
        for n, size in enumerate(("320x180", "180x320"))
    ]
    outcome = await transcoded(concatenated(tools, tmp_path / "turned.webm", *parts))
    for shown in assert_whole(tools, outcome, tmp_path, 4):
        assert_square(shown)
        # Upright, it is smaller.
        assert len({height for _, height in shown.squares}) > 1
    _assert_images(tools, outcome)


async def test_a_broadcast_that_becomes_wide_and_larger(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    parts = []
    for number, size in enumerate(("384x288", "640x360")):
        start = 2.0 * number
        lines = ["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2"]
        inputs = [*video(2, start=start, size=size, rate="25", end=number == 1), *audio(2, start=start)]
        parts.append(made(tools, tmp_path / f"{number}.ts", *inputs, *lines, "-output_ts_offset", str(start)))
    source = tmp_path / "wide.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    outcome = await transcoded(source)
    for shown in assert_whole(tools, outcome, tmp_path, 4, rate=25):
        assert_square(shown)
    _assert_images(tools, outcome)


def _clap(data: bytes, width: int, height: int) -> bytes:
    """Let an MP4 show the middle of each frame only (ISO 14496-12, 12.1.4)."""
    crop = box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))

    def change(stsd: bytes) -> bytes:
        length = int.from_bytes(stsd[8:12])
        if stsd[12:16] != b"avc1":
            return stsd
        return stsd[:8] + struct.pack(">I", length + len(crop)) + stsd[12 : 8 + length] + crop + stsd[8 + length :]

    return with_boxes(data, [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"], change)


@pytest.mark.parametrize("how", ["clap.mp4", "pixel-crop.mkv", "vui.mp4"])
async def test_a_crop(how: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    source = made(tools, tmp_path / "whole.mp4", *video(4, size="320x240"), *audio(4), *X264)
    if how == "vui.mp4":
        cut = ["-bsf:v", "h264_metadata=crop_top=60:crop_bottom=60"]
        source = made(tools, tmp_path / how, "-i", source, "-c", "copy", *cut)
    else:
        cropped = tmp_path / "clap.mp4"
        cropped.write_bytes(_clap(source.read_bytes(), 320, 120))
        source = cropped if how == "clap.mp4" else made(tools, tmp_path / how, "-i", cropped, "-c", "copy")
    if how == "pixel-crop.mkv":
        probed = output_of(tools.ffprobe, "-select_streams", "v", "-show_entries", "stream_side_data=crop_top", source)
        assert b"crop_top=60" in probed
    outcome = await transcoded(source)
    assert (outcome.ready.width, outcome.ready.height) == (320, 120)
    for shown in assert_whole(tools, outcome, tmp_path, 4):
        assert_square(shown)
    _assert_images(tools, outcome)


@pytest.mark.parametrize(
    "inputs",
    [
        [*video(2, end=False), "-itsoffset", "0.3", *audio(1.7, start=0.3)],
        ["-itsoffset", "0.3", *video(1.7, start=0.3, end=False), *audio(2)],
    ],
    ids=["audio", "video"],
)
async def test_what_comes_late_stays_in_time_with_audio_that_changes(
    inputs: list[str], tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    first = made(tools, tmp_path / "0.ts", *inputs, *X264, *AC3)
    inputs = [*video(2, start=2), *audio(2, start=2, layout="stereo")]
    second = made(tools, tmp_path / "1.ts", *inputs, *X264, *AC3, "-output_ts_offset", "2")
    source = tmp_path / "late.ts"
    source.write_bytes(first.read_bytes() + second.read_bytes())
    assert_whole(tools, await transcoded(source), tmp_path, 4)


async def test_phone_videos_joined_without_a_second_description(
    tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    parts = [
        made(tools, tmp_path / f"{n}.mp4", *video(2, start=2.0 * n, size=size, end=n == 1), *audio(2), *X264, *AAC)
        for n, size in enumerate(("320x180", "180x320"))
    ]
    outcome = await transcoded(concatenated(tools, tmp_path / "joined.mp4", *parts))
    for shown in assert_whole(tools, outcome, tmp_path, 4):
        assert_square(shown)
        assert len({height for _, height in shown.squares}) > 1


BROADCAST = {"mpeg2": ["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2"], "h264": [*X264, *AC3]}
BROADCAST["hevc"] = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", *AC3]
INTERLACED = ["-flags", "+ildct+ilme", "-field_order", "tt"]
ASPECT_CHANGES = {
    "mpeg2.ts": BROADCAST["mpeg2"],
    "interlaced.ts": [*BROADCAST["mpeg2"], *INTERLACED],
    "clock-restarts.ts": BROADCAST["mpeg2"],
    "mpeg2.mpg": ["-f", "vob", *BROADCAST["mpeg2"]],
    "mpeg2.mkv": BROADCAST["mpeg2"],
    "h264.ts": BROADCAST["h264"],
    "h264.mkv": BROADCAST["h264"],
    "h264.mp4": [*X264, *AAC],
    "h264.flv": [*X264, *AAC],
    "hevc.ts": BROADCAST["hevc"],
}


def _becomes_wide(tools: Tools, source: Path, *lines: str, first: str = "") -> Path:
    """Make a broadcast of one coded size that is 4:3 for two seconds, then 16:9."""
    parts = []
    for number, size in enumerate(("384x288", "512x288")):
        start = 2.0 * number
        inputs = [*video(2, start=start, size=size, rate="25", end=number == 1), *audio(2, start=start)]
        joined = source.suffix in {".ts", ".mpg"}
        offset = ["-output_ts_offset", str(start)] if joined and "restarts" not in source.name else []
        scaled = ["-vf", "scale=352:288" + (first if number == 0 else "")]
        parts.append(made(tools, source.with_name(f"{number}{source.suffix}"), *inputs, *scaled, *lines, *offset))
    if source.suffix in {".ts", ".mpg"}:
        source.write_bytes(b"".join(part.read_bytes() for part in parts))
        return source
    return concatenated(tools, source, *parts)


def _assert_two_aspects(tools: Tools, outcome: Outcome, tmp_path: Path) -> None:
    for shown in assert_whole(tools, outcome, tmp_path, 4, rate=25):
        assert_square(shown)
        # In the frame of what is 4:3, it is smaller when it is wide.
        assert len({height for _, height in shown.squares}) > 1
    _assert_images(tools, outcome)


@pytest.mark.parametrize("name", ASPECT_CHANGES)
async def test_a_pixel_aspect_that_changes(name: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    source = _becomes_wide(tools, tmp_path / name, *ASPECT_CHANGES[name])
    _assert_two_aspects(tools, await transcoded(source), tmp_path)


async def test_a_container_that_contradicts_the_first_pixel_aspect(
    tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    joined = _becomes_wide(tools, tmp_path / "joined.mkv", *BROADCAST["h264"], first=",setsar=1")
    source = made(tools, tmp_path / "stated.mkv", "-i", joined, "-c", "copy", "-aspect", "4:3")
    _assert_two_aspects(tools, await transcoded(source), tmp_path)


async def test_a_recording_of_pixel_aspects_that_change(tools: Tools, tmp_path: Path) -> None:
    source = _becomes_wide(tools, tmp_path / "source.ts", *BROADCAST["mpeg2"])
    made = await prepare_recording(source, tmp_path / "out", Cut(start=0.6), tools=tools, limits=Limits())
    assert made.duration == pytest.approx(3.4, abs=0.1)
    for second in (0.1, 1.0, 2.0, 2.5):
        place: list[str | Path] = ["-ss", str(second), "-i", made.path, "-frames:v", "1"]
        raw = output_of(tools.ffmpeg, *place, "-vf", "format=rgb24", "-f", "rawvideo", "-")
        width, height = square(raw, made.width, made.height)
        assert height > 2
        assert abs(width - height) <= 2 + 0.05 * height
