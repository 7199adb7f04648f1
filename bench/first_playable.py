"""How long after sending is a video playable? From the client's send to a viewer who hears of it, against bare ffmpeg.

The floor is one ffmpeg process that makes the same quick rendition of the same file on the same machine,
with nothing around it. `./run bench first_playable`
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.embedded import EmbeddedPostgres
from tests.support import Installation, Viewer, make_room
from transcode import Tools, find_tools

RUNS = 5
SECONDS = 3


async def _ffmpeg(tools: Tools, *args: str) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(tools.ffmpeg, "-v", "error", "-y", *args)
    assert await process.wait() == 0
    return time.perf_counter() - started


async def _make_clip(tools: Tools, path: Path) -> None:
    source = f"testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t,trim=duration={SECONDS}"
    await _ffmpeg(
        tools, "-f", "lavfi", "-i", source, "-f", "lavfi", "-t", str(SECONDS), "-i", "sine",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "15M", "-c:a", "aac", str(path),
    )  # fmt: skip


async def _floor(tools: Tools, clip: Path, folder: Path) -> float:
    return await _ffmpeg(
        tools, "-i", str(clip), "-vf", "scale=-2:480", "-c:v", "libx264", "-preset", "superfast", "-bf", "0",
        "-c:a", "aac", "-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "2", str(folder / "floor.m3u8"),
    )  # fmt: skip


async def _until_playable(viewer: Viewer, stream: aiohttp.ClientResponse, event_id: str) -> None:
    async for line in stream.content:
        if line.startswith(b"event: changed"):
            video = await viewer.video(event_id)
            if video and video["state"] in {"playable", "ready"}:
                return


async def _measure(reel: Installation, alice: MatrixClient, clip: Path, tools: Tools, folder: Path) -> None:
    room_id = await make_room(alice, reel)
    ours, floors = [], []
    async with aiohttp.ClientSession() as http:
        viewer = await reel.viewer(http, alice, room_id)
        headers = {"Authorization": f"Bearer {viewer.token}"}
        async with http.get(f"{reel.url}/api/v1/rooms/{room_id}/events", headers=headers) as stream:
            for _ in range(RUNS):
                floors.append(await _floor(tools, clip, folder))
                event_id = await alice.send_video(room_id, clip)
                started = time.perf_counter()
                await _until_playable(viewer, stream, event_id)
                ours.append(time.perf_counter() - started)
                await viewer.video_in(event_id, "ready", seconds=300)
    floor, playable = statistics.median(floors), statistics.median(ours)
    print(f"clip: 1080p30, {SECONDS} s, {clip.stat().st_size / 1e6:.1f} MB; medians of {RUNS} runs")
    print(f"bare ffmpeg, the same quick rendition    {floor:6.2f} s   1.00")
    print(f"sent to playable, seen by a viewer       {playable:6.2f} s   {playable / floor:.2f}")


async def main() -> None:
    """Start everything in a temporary folder, measure, and leave nothing."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        await _make_clip(tools, clip)
        async with EmbeddedPostgres(folder / "pg") as postgres:
            synapse = Synapse(folder / "synapse")
            reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
            synapse.registrations = [reel.registration]
            async with synapse, reel.running(), await synapse.user("alice") as alice:
                await _measure(reel, alice, clip, tools, folder)


asyncio.run(main())
