"""Disguised, broken and oversized files are refused, each with the reason that its sender will read."""

import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, Transcoded, transcode
from transcode import Limits, Tools, TranscodeError

QUICK = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
SMALL = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=2"]
HUGE = ["-f", "lavfi", "-i", "color=s=16000x16000:r=25"]
# Far less than decoding a huge frame would take (3.4 GB).
SMALL_MEMORY = Limits(address_space=2 * 2**30)
SINE = ["-f", "lavfi", "-i", "sine=d=2"]


async def refusal(source: Path, tools: Tools, limits: Limits | None = None) -> TranscodeError:
    def on_stage(_: object) -> None:
        raise AssertionError("it was published")

    out = source.parent / "refused"
    with pytest.raises(TranscodeError) as caught:
        await transcode(source, out, tools=tools, limits=limits or Limits(), on_stage=on_stage)
    return caught.value


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


NOT_VIDEOS = {
    "text.mp4": b"Dear diary, today I did not film anything at all. " * 20,
    "image.png": png(),
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "moving.gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
    "photo.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200),
    "one-byte.mp4": b"\x47",
}


@pytest.mark.parametrize("name", NOT_VIDEOS)
async def test_what_is_not_a_video(name: str, tmp_path: Path, tools: Tools) -> None:
    source = tmp_path / name
    source.write_bytes(NOT_VIDEOS[name])
    error = await refusal(source, tools)
    assert (error.code, error.final) == ("not-a-video", True)


async def test_an_empty_file(tmp_path: Path, tools: Tools) -> None:
    source = tmp_path / "empty.mp4"
    source.touch()
    assert (await refusal(source, tools)).code == "empty-file"


@pytest.mark.parametrize("script", ["#EXTM3U\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
async def test_a_list_that_names_other_peoples_files(script: str, clip: Clip, tmp_path: Path, tools: Tools) -> None:
    secret = clip("secret.ts", *SMALL, *QUICK)
    source = tmp_path / "innocent.mp4"
    source.write_text(script.format(secret.name))
    assert (await refusal(source, tools)).code == "not-a-video"
    # Even if the sniffing were fooled, the forced demuxer would not read it.
    source.write_bytes(b"\x00\x00\x00\x08free" + script.format(secret.name).encode())
    assert (await refusal(source, tools)).code == "broken-file"


async def test_a_photo_from_the_camera(clip: Clip, tools: Tools) -> None:
    source = clip("photo.jpg", *SMALL, "-frames:v", "1")
    assert (await refusal(source, tools)).code == "not-a-video"


@pytest.mark.parametrize("name", ["voice.m4a", "voice.mp4", "voice.webm", "voice.ogg"])
async def test_audio_alone(name: str, clip: Clip, tools: Tools) -> None:
    assert (
        await refusal(clip(name, *SINE, "-c:a", "aac" if "m" in name[6:8] else "libopus"), tools)
    ).code == "not-a-video"


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.97])
@pytest.mark.parametrize("flags", ["faststart", "0"], ids=["index-first", "index-last"])
async def test_an_mp4_that_was_cut_off(keep: float, flags: str, clip: Clip, tools: Tools) -> None:
    source = clip("cut.mp4", *SMALL, *QUICK, "-movflags", flags)
    data = source.read_bytes()
    source.write_bytes(data[: int(len(data) * keep)])
    assert (await refusal(source, tools)).code == "broken-file"


async def test_an_mp4_whose_frames_are_noise(clip: Clip, tools: Tools) -> None:
    source = clip("noise.mp4", *SMALL, *QUICK)
    data = bytearray(source.read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    source.write_bytes(data)
    assert (await refusal(source, tools)).code == "broken-file"


async def test_a_webm_with_a_header_only(clip: Clip, tools: Tools) -> None:
    source = clip("header.webm", *SMALL, "-c:v", "libvpx", "-deadline", "realtime")
    source.write_bytes(source.read_bytes()[:300])
    assert (await refusal(source, tools)).code == "broken-file"


async def test_longer_than_the_limit(clip: Clip, tools: Tools) -> None:
    for name in ("long.mp4", "long.mkv"):
        error = await refusal(clip(name, *SMALL, *QUICK), tools, Limits(max_duration=1.5))
        assert error.code == "too-long"
    source = clip("large.mp4", *SMALL, *QUICK)
    assert (await refusal(source, tools, Limits(output_bytes=50_000))).code == "too-long"


async def test_two_frames_that_are_hours_apart(clip: Clip, tools: Tools) -> None:
    apart = ["-f", "lavfi", "-i", "color=s=64x64:r=1:d=2,setpts=N*72000/TB"]
    source = clip("apart.mkv", *apart, *QUICK, "-fps_mode", "passthrough")
    assert source.stat().st_size < 20_000
    assert (await refusal(source, tools)).code == "too-long"


async def test_a_frame_above_the_limit(clip: Clip, tools: Tools) -> None:
    source = clip("large.mp4", *SMALL, *QUICK)
    for limits in (Limits(max_width=159), Limits(max_height=119), Limits(max_pixels=160 * 120 - 1)):
        assert (await refusal(source, tools, limits)).code == "too-large-picture"


@pytest.fixture
async def assert_next_job_runs(clip: Clip, transcoded: Transcoded) -> Callable[[], Awaitable[None]]:
    """Check that the next job runs after a decompression bomb."""
    source = clip("harmless.mp4", *SMALL, *QUICK)

    async def check() -> None:
        assert (await transcoded(source)).ready.duration == pytest.approx(2.0)

    return check


async def test_a_huge_frame_in_a_small_file(
    clip: Clip, tools: Tools, assert_next_job_runs: Callable[[], Awaitable[None]]
) -> None:
    source = clip("huge.mp4", *HUGE, "-frames:v", "1", *QUICK)
    assert source.stat().st_size < 1_000_000
    assert (await refusal(source, tools, SMALL_MEMORY)).code == "too-large-picture"
    await assert_next_job_runs()


async def test_a_frame_that_becomes_huge_is_left_out(
    clip: Clip, tools: Tools, transcoded: Transcoded, tmp_path: Path
) -> None:
    first = clip("first.h264", *SMALL, *QUICK, "-bf", "0")
    huge = clip("huge.h264", *HUGE, "-frames:v", "1", *QUICK)
    both = tmp_path / "both.h264"
    both.write_bytes(first.read_bytes() + huge.read_bytes())
    source = clip("both.mkv", "-r", "25", "-f", "h264", "-i", str(both), "-c", "copy")
    ready = (await transcoded(source)).ready
    assert (ready.width, ready.height) == (160, 120)


@pytest.mark.parametrize("name", ["burst.mp4", "burst.mkv"])
async def test_many_tiny_frames_in_no_time(
    name: str, clip: Clip, tools: Tools, tmp_path: Path, assert_next_job_runs: Callable[[], Awaitable[None]]
) -> None:
    some = clip("some.h264", "-f", "lavfi", "-i", "color=s=16x16:r=25:d=40", *QUICK)
    many = tmp_path / "many.h264"
    many.write_bytes(some.read_bytes() * 200)
    source = clip(name, "-r", "100000", "-f", "h264", "-i", str(many), "-c", "copy")
    assert (await refusal(source, tools)).code == "too-high-frame-rate"
    await assert_next_job_runs()


async def test_more_streams_than_the_limit(clip: Clip, tools: Tools) -> None:
    source = clip("many.mp4", *SMALL, *SINE, *["-map", "0:v"], *["-map", "1:a"] * 5, *QUICK)
    assert (await refusal(source, tools, Limits(max_streams=5))).code == "too-many-streams"
