"""How long after sending is a video playable? From the client's send to a viewer's notification, against bare ffmpeg.

The floor is one ffmpeg process that remuxes the same file, or makes the first segment of the same quick rendition where
a stream copy is impossible, with nothing around it. Once more while the ladders of videos sent before are in progress:
none may wait for them. `./run bench first_playable`
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

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from bench import _clips, _peers
from bench._process_cost import Work, timed
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import find_tools

RUNS = 5
# For the phone clip, in seconds.
TARGET = 1.0


def distinct(path: Path, number: int) -> Path:
    """Write a copy of an MP4 with other hashes: content that is stored already would be playable at once."""
    copy = path.with_stem(f"{path.stem}-{number}")
    # A box to be skipped: ISO/IEC 14496-12, 8.1.2.
    copy.write_bytes(path.read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
    return copy


async def until_playable(viewer: Viewer, stream: aiohttp.ClientResponse, event_id: str) -> None:
    """Wait until a viewer's event stream leads to a playable video."""
    async for line in stream.content:
        if line.startswith(b"event: changed"):
            video = await viewer.video(event_id)
            if video and video["state"] in {"playable", "ready"}:
                return


async def _rest(reel: Installation, ready: int) -> None:
    """Wait until the worker is done with so many videos: their fingerprints are made after they are ready."""

    async def is_idle() -> bool:
        return len(reel.log_entries("video_ready")) >= ready

    await eventually(is_idle, seconds=600, what="the worker being idle")


async def _under_way(reel: Installation) -> int:
    return len(await reel.rows("SELECT FROM videos WHERE state = 'playable'"))


async def _measure(
    reel: Installation, alice: MatrixClient, clip: _clips.Clip, floor: Work, folder: Path, *, busy: bool
) -> tuple[float, float]:
    """Return the medians of ours and of the floor, taken in turn; `busy`: while other videos' ladders are made."""
    room_id = await make_room(alice, reel)
    ours, floors = [], []
    ready = len(reel.log_entries("video_ready"))
    async with aiohttp.ClientSession() as http:
        viewer = await reel.viewer(http, alice, room_id)
        headers = {"Authorization": f"Bearer {viewer.token}"}
        async with http.get(f"{reel.url}/api/v1/rooms/{room_id}/events", headers=headers) as stream:
            for run in range(RUNS + busy):
                marks = await asyncio.to_thread(timed, floor, folder / "floor")
                floors.append(marks.playable)
                shutil.rmtree(folder / "floor")
                event_id = await alice.send_video(room_id, distinct(clip.path, run + RUNS * busy))
                started = time.perf_counter()
                await until_playable(viewer, stream, event_id)
                ours.append(time.perf_counter() - started)
                if not busy:
                    await _rest(reel, ready := ready + 1)
            # Else the last ones were measured with nothing beside them.
            assert not busy or await _under_way(reel) > 1
            await _rest(reel, ready + (RUNS + 1) * busy)
    # The first one of all has nothing beside it.
    return statistics.median(ours[busy:]), statistics.median(floors[busy:])


async def main() -> None:
    """Start everything in a temporary folder, measure, and leave nothing."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contests = (
            (_clips.phone(tools, folder), _peers.stream_copy, False, TARGET),
            (_clips.phone(tools, folder), _peers.stream_copy, True, None),
            (_clips.rotated(tools, folder), _peers.first_segment, False, None),
        )
        async with EmbeddedPostgres(folder / "pg") as postgres:
            synapse = Synapse(folder / "synapse")
            reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
            synapse.registrations = [reel.registration]
            async with synapse, reel.running(), await synapse.user("alice") as alice:
                for clip, peer, busy, target in contests:
                    ours, floor = await _measure(reel, alice, clip, partial(peer, tools, clip), folder, busy=busy)
                    beside = ", beside ladders" if busy else ""
                    print(f"{clip.about}, {clip.path.stat().st_size / 1e6:.1f} MB{beside}; medians of {RUNS} runs")
                    print(f"bare ffmpeg, the same rendition          {floor:6.2f} s   1.00")
                    verdict = (
                        "" if target is None else f"   target {target} s: {'holds' if ours <= target else 'MISSED'}"
                    )
                    print(f"sent to playable, seen by a viewer       {ours:6.2f} s   {ours / floor:.2f}{verdict}")


if __name__ == "__main__":
    asyncio.run(main())
