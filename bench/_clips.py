"""Make the clips for measurements: a pan over a detailed still, a moving overlay, and grain."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import imageio_ffmpeg

from transcode import Tools

RATE = 30
PHONE_BITS = "15M"


@dataclass(frozen=True, slots=True)
class Clip:
    """A file to transcode: display size in pixels, duration in seconds."""

    path: Path
    about: str
    width: int
    height: int
    seconds: int


def ffmpeg(tools: Tools, *args: str | Path) -> None:
    """Run ffmpeg to its end. Raises CalledProcessError when it fails."""
    subprocess.run([tools.ffmpeg, "-v", "error", "-nostdin", "-y", *args], check=True)


def phone(tools: Tools, folder: Path, seconds: int = 30) -> Clip:
    """What most phones record: 15 Mb/s, a key frame each second, B-frames."""
    path = folder / f"phone-{seconds}.mp4"
    _make(tools, path, 1920, 1080, seconds, *_H264, "-b:v", PHONE_BITS, "-maxrate", PHONE_BITS, "-bufsize", PHONE_BITS)
    return Clip(path, f"1080p30 phone H.264, {seconds} s", 1920, 1080, seconds)


def portrait(tools: Tools, folder: Path) -> Clip:
    """A portrait clip without a rotation matrix."""
    path, seconds = folder / "portrait.mp4", 10
    _make(tools, path, 1080, 1920, seconds, *_H264, "-b:v", PHONE_BITS, "-maxrate", PHONE_BITS, "-bufsize", PHONE_BITS)
    return Clip(path, f"portrait 1080x1920, {seconds} s", 1080, 1920, seconds)


def mono(tools: Tools, folder: Path) -> Clip:
    """The phone clip with audio as most phones record it: 44.1 kHz, mono."""
    stereo, path = phone(tools, folder), folder / "mono.mp4"
    ffmpeg(tools, "-i", stereo.path, "-c:v", "copy", "-c:a", "aac", "-ar", "44100", "-ac", "1", path)
    return replace(stereo, path=path, about=f"{stereo.about}, audio at 44.1 kHz in mono")


def rotated(tools: Tools, folder: Path) -> Clip:
    """A portrait clip stored as landscape frames with a rotation matrix."""
    landscape, path = phone(tools, folder, 10), folder / "rotated.mp4"
    ffmpeg(tools, "-display_rotation", "90", "-i", landscape.path, "-c", "copy", path)
    return Clip(path, f"portrait by rotation matrix, {landscape.seconds} s", 1080, 1920, landscape.seconds)


def hevc(tools: Tools, folder: Path) -> Clip:
    """What newer phones record at their highest setting: 4K HEVC of 10 bits, 50 Mb/s."""
    # Not every ffmpeg has x265 with 10 bits; this one has.
    tools = replace(tools, ffmpeg=Path(imageio_ffmpeg.get_ffmpeg_exe()))
    piece, path, seconds, repeats = folder / "hevc-piece.mp4", folder / "hevc.mp4", 5, 3
    options = "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-b:v", "50M"
    _make(tools, piece, 3840, 2160, seconds, *options, "-x265-params", "log-level=error:keyint=30:bframes=0")
    _repeat(tools, piece, path, repeats * seconds)
    return Clip(path, f"4K HEVC 10-bit, {repeats * seconds} s", 3840, 2160, repeats * seconds)


def webm(tools: Tools, folder: Path) -> Clip:
    """What a browser's MediaRecorder writes: VP9 and Opus, without a duration."""
    path, seconds = folder / "recorded.webm", 10
    options = "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-b:v", "5M"
    _make(tools, path, 1920, 1080, seconds, *options, "-c:a", "libopus", "-live", "1")
    return Clip(path, f"1080p VP9 WebM without duration, {seconds} s", 1920, 1080, seconds)


def long(tools: Tools, folder: Path) -> Clip:
    """Five minutes of 720p, 5 Mb/s."""
    piece, path, seconds = folder / "long-piece.mp4", folder / "long.mp4", 300
    _make(tools, piece, 1280, 720, 20, *_H264, "-bf", "0", "-b:v", "5M", "-maxrate", "5M", "-bufsize", "5M")
    _repeat(tools, piece, path, seconds)
    return Clip(path, f"720p H.264, {seconds // 60} min", 1280, 720, seconds)


CLIPS: dict[str, Callable[[Tools, Path], Clip]] = {
    "phone": phone,
    "short": partial(phone, seconds=10),
    "mono": mono,
    "portrait": portrait,
    "rotated": rotated,
    "hevc": hevc,
    "webm": webm,
    "long": long,
}

_H264 = "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", str(RATE)
AUDIO = "anoisesrc=color=pink:sample_rate=48000,tremolo=f=3"
"""ffmpeg's description of an input: what is heard."""


def moving(width: int, height: int, first: int = 0) -> str:
    """Describe an input to ffmpeg that shows something moving; `first` is the frame at which it starts."""
    wide, high = width * 3 // 2, height * 3 // 2
    return (
        f"mandelbrot=size={wide}x{high}:rate={RATE}:end_scale=0.01,trim=end_frame=1,loop=-1:1,setpts=N/{RATE}/TB,"
        f"crop={width}:{height}:x='(in_w-out_w)*(1+sin((n+{first})/47))/2':y='(in_h-out_h)*(1+sin((n+{first})/31))/2',"
        f"format=yuv420p[all];testsrc2=size={width // 4}x{height // 4}:rate={RATE}[part];"
        f"[all][part]overlay=x='(W-w)*(1+cos((n+{first})/40))/2':y='(H-h)*(1+sin((n+{first})/23))/2',"
        "noise=alls=10:allf=t"
    )


def _make(tools: Tools, path: Path, width: int, height: int, seconds: int, *options: str) -> None:
    inputs = "-f", "lavfi", "-i", moving(width, height), "-f", "lavfi", "-i", AUDIO
    ffmpeg(tools, *inputs, "-t", str(seconds), "-c:a", "aac", "-ac", "2", *options, path)


def _repeat(tools: Tools, piece: Path, path: Path, seconds: int) -> None:
    # The audio is encoded again, because a repeated AAC track has a gap at each seam.
    inputs = "-stream_loop", "-1", "-i", piece, "-f", "lavfi", "-i", AUDIO
    tracks = "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-ac", "2"
    ffmpeg(tools, *inputs, *tracks, "-tag:v", "hvc1" if "hevc" in piece.name else "avc1", "-t", str(seconds), path)
