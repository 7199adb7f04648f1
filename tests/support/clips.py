"""Make small videos to send."""

import asyncio
from pathlib import Path

from transcode import Tools


async def make_small_clip(tools: Tools, path: Path, *, rate: int = 25, seconds: int = 2) -> Path:
    """Make a video with audio: 320×180, `rate` frames per second."""
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}", "-f", "lavfi", "-i", "sine=440",
        "-t", str(seconds), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


async def with_many_bits(tools: Tools, clip: Path) -> Path:
    """Encode a clip anew at a constant rate, filled up, so that lower rungs than its own are worth making."""
    target = clip.with_name(f"full-{clip.name}")
    rate = "-b:v", "1200k", "-minrate", "1200k", "-maxrate", "1200k", "-bufsize", "600k"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error", "-i", clip, "-c:v", "libx264", "-preset", "ultrafast", *rate,
        "-x264-params", "nal-hrd=cbr:filler=1", "-c:a", "copy", target,
    )  # fmt: skip
    assert await process.wait() == 0
    return target.rename(clip)


async def make_noisy_clip(
    tools: Tools, path: Path, seconds: int, rate: str = "3M", *, key_frames: int = 30, size: str = "640x360"
) -> Path:
    """Make a clip that is stream-copied, with enough bits for lower rungs."""
    made = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=30,noise=alls=40:allf=t",
        "-f", "lavfi", "-i", "sine=r=48000", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
        "-b:v", rate, "-g", str(key_frames), "-c:a", "aac", "-ac", "2", "-t", str(seconds), path,
    )  # fmt: skip
    assert await made.wait() == 0
    return path


def with_padding(clip: Path, target: Path, padding: bytes) -> Path:
    """Write a copy of an MP4 with other content hashes: a `free` box (ISO/IEC 14496-12) follows."""
    target.write_bytes(clip.read_bytes() + (len(padding) + 8).to_bytes(4, "big") + b"free" + padding)
    return target


async def make_long_clips(tools: Tools, folder: Path, count: int, *, seconds: int) -> list[Path]:
    """Make videos that must be encoded, each of its own content."""
    source = folder / "source.mkv"
    made = (
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=440", "-t", str(seconds),
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", source,
    )  # fmt: skip
    paths = [folder / f"{number}.mkv" for number in range(count)]
    copies = [("-i", source, "-c", "copy", "-metadata", f"title={path.stem}", path) for path in paths]
    for line in (made, *copies):
        process = await asyncio.create_subprocess_exec(tools.ffmpeg, "-loglevel", "error", *line)
        assert await process.wait() == 0
    return paths
