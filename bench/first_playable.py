"""How long after sending is a video playable? From the client's send to a viewer who hears of it, against bare ffmpeg.

The floor is one ffmpeg process that copies the same file, or makes the first segment of the same quick rendition where
it cannot be copied, with nothing around it. `./run bench first_playable`
"""

import asyncio
import shutil
import statistics
import struct
import tempfile
import time
from functools import partial
from pathlib import Path

import aiohttp

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.embedded import EmbeddedPostgres
from bench import _clips, _peers
from bench._measured import Work, timed
from tests.support import Installation, Viewer, eventually, make_room
from transcode import find_tools

RUNS = 5
# For the phone clip, in seconds.
TARGET = 1.0


def _distinct(path: Path, number: int) -> Path:
    """Give a copy of an MP4 that differs, since content that is there already would be playable at once."""
    copy = path.with_stem(f"{path.stem}-{number}")
    # A box to be skipped: ISO/IEC 14496-12, 8.1.2.
    copy.write_bytes(path.read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
    return copy


async def _until_playable(viewer: Viewer, stream: aiohttp.ClientResponse, event_id: str) -> None:
    async for line in stream.content:
        if line.startswith(b"event: changed"):
            video = await viewer.video(event_id)
            if video and video["state"] in {"playable", "ready"}:
                return


async def _is_idle(reel: Installation, ready: int) -> bool:
    """Say whether so many videos are done with: what one looks like is learnt when it is ready, before the next."""
    return len(reel.log_entries("video_ready")) >= ready


async def _measure(
    reel: Installation, alice: MatrixClient, clip: _clips.Clip, floor: Work, folder: Path
) -> tuple[float, float]:
    """Give the medians of ours and of the floor, taken in turn."""
    room_id = await make_room(alice, reel)
    ours, floors = [], []
    ready = len(reel.log_entries("video_ready"))
    async with aiohttp.ClientSession() as http:
        viewer = await reel.viewer(http, alice, room_id)
        headers = {"Authorization": f"Bearer {viewer.token}"}
        async with http.get(f"{reel.url}/api/v1/rooms/{room_id}/events", headers=headers) as stream:
            for run in range(RUNS):
                marks = await asyncio.to_thread(timed, floor, folder / "floor")
                floors.append(marks.playable)
                shutil.rmtree(folder / "floor")
                sent = _distinct(clip.path, run)
                event_id = await alice.send_video(room_id, sent)
                started = time.perf_counter()
                await _until_playable(viewer, stream, event_id)
                ours.append(time.perf_counter() - started)
                await viewer.video_in(event_id, "ready", seconds=300)
                await eventually(partial(_is_idle, reel, ready := ready + 1), seconds=300, what="the worker being idle")
    return statistics.median(ours), statistics.median(floors)


async def main() -> None:
    """Start everything in a temporary folder, measure, and leave nothing."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contests = (
            (_clips.phone(tools, folder), _peers.copied, TARGET),
            (_clips.turned(tools, folder), _peers.first_segment, None),
        )
        async with EmbeddedPostgres(folder / "pg") as postgres:
            synapse = Synapse(folder / "synapse")
            reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
            synapse.registrations = [reel.registration]
            async with synapse, reel.running(), await synapse.user("alice") as alice:
                for clip, peer, target in contests:
                    ours, floor = await _measure(reel, alice, clip, partial(peer, tools, clip), folder)
                    print(f"{clip.about}, {clip.path.stat().st_size / 1e6:.1f} MB; medians of {RUNS} runs")
                    print(f"bare ffmpeg, the same rendition          {floor:6.2f} s   1.00")
                    said = "" if target is None else f"   target {target} s: {'holds' if ours <= target else 'MISSED'}"
                    print(f"sent to playable, seen by a viewer       {ours:6.2f} s   {ours / floor:.2f}{said}")


asyncio.run(main())
