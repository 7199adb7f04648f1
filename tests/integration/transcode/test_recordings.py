"""Recordings and cuts become an MP4 to be sent: exact, playable anywhere, below the size limit."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.video.output_checks import Clip, output_of
from transcode import Cut, Limits, Prepared, Settings, Tools, TranscodeError, prepare_recording, verify_video
from transcode.examine.file import examine

RATE = 30


def recorded(tools: Tools, path: Path, *, codec: str = "libvpx", seconds: float = 4, size: str = "640x360") -> Path:
    """Write what a browser's MediaRecorder does: WebM to a pipe, which leaves it without duration and index.

    The video is a counter: frame n is a grey of 2n; the audio is a tone that starts at 2 s.
    """
    video = f"color=black:size={size}:rate={RATE},format=gray,geq=lum='mod(N,120)*2+8':cb=128:cr=128"
    audio = "aevalsrc='if(gte(t,2),0.5*sin(2*PI*440*t),0)':s=48000"
    line = [
        str(tools.ffmpeg), "-v", "error", "-f", "lavfi", "-i", video, "-f", "lavfi", "-i", audio, "-t", str(seconds),
        "-c:v", codec, "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv420p",
        "-c:a", "libopus", "-f", "webm", "-live", "1", "pipe:1",
    ]  # fmt: skip
    if codec == "libx264":
        line[line.index("-deadline") : line.index("-pix_fmt")] = ["-preset", "ultrafast", "-tune", "zerolatency"]
        line[line.index("webm")] = "matroska"
    path.write_bytes(subprocess.run(line, check=True, capture_output=True).stdout)
    return path


def _described(tools: Tools, path: Path) -> dict[str, Any]:
    probed = output_of(
        tools.ffprobe, "-v", "error", "-show_streams", "-show_format", "-show_entries",
        "packet=stream_index,pts,dts,flags", "-of", "json", path,
    )  # fmt: skip
    return dict(json.loads(probed))


def _greys(tools: Tools, path: Path) -> bytes:
    """Return the mean grey of each frame."""
    line = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-an", "-vf", "scale=1:1:flags=area,format=gray"]
    return subprocess.run([*line, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout


def _audio_start(tools: Tools, path: Path) -> float:
    line = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
    raw = subprocess.run(line, check=True, capture_output=True).stdout
    samples = memoryview(raw).cast("h")
    return next(n for n, sample in enumerate(samples) if abs(sample) > 2000) / 48000


async def _prepare(source: Path, out: Path, tools: Tools, **cut: Any) -> Prepared:  # noqa: ANN401 - the fields of Cut
    shares: list[float] = []
    made = await prepare_recording(source, out, Cut(**cut), tools=tools, limits=Limits(), on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {path.name for path in out.iterdir()} <= {"recording.mp4", "poster.jpg", "blur.rgb"}
    return made


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264"])
async def test_a_recording_becomes_an_mp4(tools: Tools, tmp_path: Path, codec: str) -> None:
    source = recorded(tools, tmp_path / "recording.webm", codec=codec)
    assert "duration" not in _described(tools, source)["format"]
    made = await _prepare(source, tmp_path / "out", tools)
    assert (made.mimetype, made.width, made.height) == ("video/mp4", 640, 360)
    assert made.duration == pytest.approx(4, abs=1 / RATE)
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    probed = _described(tools, made.path)
    assert float(probed["format"]["duration"]) == pytest.approx(4, abs=1 / RATE)
    video, audio = probed["streams"]
    assert (video["codec_name"], video["pix_fmt"], video["has_b_frames"]) == ("h264", "yuv420p", 0)
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("aac", "48000", 2)
    frames = [packet for packet in probed["packets"] if packet["stream_index"] == 0]
    assert all(packet["pts"] == packet["dts"] for packet in frames)
    assert [n for n, packet in enumerate(frames) if "K" in packet["flags"]] == [0, 60]
    assert made.thumbnail
    assert made.thumbnail.path.read_bytes()[:2] == b"\xff\xd8"
    assert made.thumbnail.blurhash


async def test_a_cut_is_exact(tools: Tools, tmp_path: Path) -> None:
    source = recorded(tools, tmp_path / "recording.webm", codec="libx264")
    made = await _prepare(source, tmp_path / "out", tools, start=1.5, end=2.9)
    assert made.duration == pytest.approx(1.4, abs=0.001)
    assert float(_described(tools, made.path)["format"]["duration"]) == pytest.approx(1.4, abs=1 / RATE)
    kept, whole = _greys(tools, made.path), _greys(tools, source)
    assert len(kept) == 42
    assert all(abs(a - b) <= 1 for a, b in zip(kept, whole[45:87], strict=True)), "each differs from the next by 2"
    assert _audio_start(tools, made.path) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [(None, 1.0, 1.0), (3.0, None, 1.0), (1.0, 1.0001, 1 / RATE), (99.0, 100.0, 1 / RATE), (3.0, 1e308, 1.0)],
)
async def test_cuts_at_the_edges(
    tools: Tools, tmp_path: Path, start: float | None, end: float | None, seconds: float
) -> None:
    source = recorded(tools, tmp_path / "recording.webm")
    made = await _prepare(source, tmp_path / "out", tools, start=start, end=end)
    assert made.duration == pytest.approx(seconds, abs=1 / RATE)
    assert float(_described(tools, made.path)["format"]["duration"]) == pytest.approx(seconds, abs=1 / RATE)


@pytest.mark.parametrize(("start", "end", "seconds"), [(None, 2.0, 2.0), (1.0, 3.01, 2.0), (3.0, None, 1.0)])
async def test_a_cut_is_no_longer_than_the_limit(
    tools: Tools, tmp_path: Path, start: float | None, end: float | None, seconds: float
) -> None:
    source = recorded(tools, tmp_path / "recording.webm")
    made = await _prepare(source, tmp_path / "out", tools, start=start, end=end, longest=2)
    assert made.duration == pytest.approx(seconds, abs=1 / RATE)
    assert made.duration <= 2
    assert float(_described(tools, made.path)["streams"][0]["duration"]) <= 2


@pytest.mark.parametrize(("start", "end"), [(None, None), (1.0, 3.2), (0.0, 4.0)])
async def test_more_than_the_limit_is_refused(
    tools: Tools, tmp_path: Path, start: float | None, end: float | None
) -> None:
    source = recorded(tools, tmp_path / "recording.webm")
    with pytest.raises(TranscodeError, match="to be kept, the limit is 2 s") as refused:
        await _prepare(source, tmp_path / "out", tools, start=start, end=end, longest=2)
    assert refused.value.code == "too-long"


async def test_what_is_sent_is_playable_as_it_is(tools: Tools, tmp_path: Path) -> None:
    made = await _prepare(recorded(tools, tmp_path / "recording.webm"), tmp_path / "out", tools, start=0.5)
    deadline = asyncio.get_running_loop().time() + 60
    examined = await examine(made.path, tools, Limits(), Settings(), deadline)
    assert examined.stream_copy, "its video needs no second encoding"


async def test_the_bit_rate_and_frame_size_yield_to_the_size_limit(tools: Tools, tmp_path: Path, clip: Clip) -> None:
    source = clip(
        "noise.mp4", "-f", "lavfi", "-i", "nullsrc=s=1280x720:r=25,geq=random(1)*255:128:128", "-t", "3", "-c:v",
        "libx264", "-preset", "ultrafast", "-b:v", "20M",
    )  # fmt: skip
    made = await _prepare(source, tmp_path / "out", tools, max_bytes=400_000)
    assert made.path.stat().st_size <= 400_000
    assert made.height < 720
    with pytest.raises(TranscodeError) as refused:
        await _prepare(source, tmp_path / "none", tools, max_bytes=40_000)
    assert refused.value.code == "too-long"


async def test_a_rotated_video_without_audio(tools: Tools, tmp_path: Path, clip: Clip) -> None:
    plain = clip("plain.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "1")
    turned = clip("turned.mov", "-display_rotation", "90", "-i", str(plain), "-c", "copy")
    made = await _prepare(turned, tmp_path / "out", tools, end=0.5)
    assert (made.width, made.height) == (180, 320)
    assert [stream["codec_type"] for stream in _described(tools, made.path)["streams"]] == ["video"]
    as_is = await verify_video(turned, tmp_path / "look", tools=tools, limits=Limits())
    assert (as_is.path, as_is.mimetype, as_is.width, as_is.height) == (turned, "video/quicktime", 180, 320)
    assert as_is.thumbnail
    assert as_is.thumbnail.height > as_is.thumbnail.width


async def test_what_is_no_video_says_so(tools: Tools, tmp_path: Path) -> None:
    playlist = tmp_path / "evil.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {tmp_path / 'secret'}\n")
    for number, attempt in enumerate((verify_video, prepare_recording)):
        with pytest.raises(TranscodeError) as refused:
            await attempt(playlist, tmp_path / str(number), tools=tools, limits=Limits())
        assert refused.value.code == "not-a-video"
    webm = recorded(tools, tmp_path / "recording.webm", seconds=1)
    assert (await verify_video(webm, tmp_path / "webm", tools=tools, limits=Limits())).mimetype == "video/webm"
