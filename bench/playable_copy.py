"""How long until a phone clip that need not be encoded is playable? From the call of `transcode`, against bare ffmpeg.

The floor is one ffmpeg process that copies the same file to HLS with fragmented MP4, and does nothing else: no look at
the file before, no poster, no check of what came out. `./run bench playable_copy`
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from transcode import Limits, Result, Tools, find_tools, transcode

RUNS = 5
SECONDS = 30


class _PlayableError(Exception):
    """Ends a job where it is playable: the ladder is not measured here."""


async def _ffmpeg(tools: Tools, *args: str) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(tools.ffmpeg, "-v", "error", "-nostdin", "-y", *args)
    assert await process.wait() == 0
    return time.perf_counter() - started


async def _make_clip(tools: Tools, path: Path) -> None:
    source = f"testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t,trim=duration={SECONDS}"
    await _ffmpeg(
        tools, "-f", "lavfi", "-i", source, "-f", "lavfi", "-t", str(SECONDS), "-i", "sine=r=48000",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30",
        "-b:v", "15M", "-maxrate", "15M", "-bufsize", "15M", "-c:a", "aac", "-ac", "2", str(path),
    )  # fmt: skip


async def _floor(tools: Tools, clip: Path, folder: Path) -> float:
    return await _ffmpeg(
        tools, "-i", str(clip), "-c", "copy", "-f", "hls", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
        "-hls_time", "2", str(folder / "floor.m3u8"),
    )  # fmt: skip


async def _ours(tools: Tools, clip: Path, out: Path) -> float:
    seconds, name = 0.0, ""

    async def on_playable(result: Result) -> None:
        nonlocal seconds, name
        seconds, name = time.perf_counter() - started, result.renditions[0].name
        raise _PlayableError

    started = time.perf_counter()
    try:
        await transcode(clip, out, tools=tools, limits=Limits(), on_playable=on_playable)
    except _PlayableError:
        assert name == "1080", "it was not copied"
    return seconds


async def main() -> None:
    """Make the clip in a temporary folder, measure both in turn, and leave nothing."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        await _make_clip(tools, clip)
        await _floor(tools, clip, folder)  # the file is in memory from here on, for both
        ours, floors = [], []
        for run in range(RUNS):
            floors.append(await _floor(tools, clip, folder))
            ours.append(await _ours(tools, clip, folder / str(run)))
        floor, playable = statistics.median(floors), statistics.median(ours)
        print(f"clip: 1080p30, {SECONDS} s, {clip.stat().st_size / 1e6:.1f} MB; medians of {RUNS} runs")
        print(f"bare ffmpeg, copy to HLS                 {floor:6.3f} s   1.00")
        print(f"transcode() to on_playable, with poster  {playable:6.3f} s   {playable / floor:.2f}")


asyncio.run(main())
