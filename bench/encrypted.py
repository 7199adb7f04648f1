"""What does encryption cost? A video in an encrypted room against the same in a plain one, and playing it.

From the client's send to a viewer's notification, and the machine's processor time until the video is ready, in turn;
then in the widget: load and change of item, where media are encrypted on disk and where they are not.
`./run bench encrypted [sending|playing]`
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import psutil

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.encrypted_client import EncryptedClient, open_device
from appservice.demo.synapse import Synapse
from bench import _clips
from bench._widget_room import widget_room
from bench.first_playable import distinct, until_playable
from bench.gap import SECONDS, changes_in_the_widget, median_gap
from bench.widget import loads
from tests.support.encrypted_rooms import make_encrypted_room
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import find_tools

RUNS = 5
WALL, CPU, PLAYING = 1.25, 1.15, 1.15
"""Targets of encrypted against plain."""
KEY = "a key of the benches, long enough to be one"
_PASSWORD = "secret"  # noqa: S105


def _cpu() -> float:
    """Return the processor time of the whole machine: sandboxed programs do not count as the service's own."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system


async def _send(
    reel: Installation, http: aiohttp.ClientSession, alice: EncryptedClient, viewer: Viewer, clip: Path
) -> tuple[float, float]:
    """Return the seconds until a video that was sent is playable, and of processors until it is ready."""
    ready = len(reel.log_entries("video_ready"))
    headers = {"Authorization": f"Bearer {viewer.token}"}
    before = _cpu()
    async with http.get(f"{reel.url}/api/v1/rooms/{viewer.room_id}/events", headers=headers) as stream:
        event_id = await alice.send_video(viewer.room_id, clip)
        started = time.perf_counter()
        await until_playable(viewer, stream, event_id)
        playable = time.perf_counter() - started

    async def is_ready() -> bool:
        return len(reel.log_entries("video_ready")) > ready

    await eventually(is_ready, seconds=300, what="the video being ready")
    return playable, _cpu() - before


async def sending() -> None:
    """Measure a video from sending to ready, in a plain room and in an encrypted one."""
    tools = find_tools()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clip = _clips.phone(tools, folder)
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        synapse = Synapse(folder / "synapse")
        reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
        reel.write_config(encryption={"key": KEY})
        synapse.registrations = [reel.registration]
        await stack.enter_async_context(synapse)
        await stack.enter_async_context(reel.running())
        async with await synapse.user("alice", _PASSWORD) as user:
            alice = await stack.enter_async_context(open_device(synapse.base_url, user.user_id, _PASSWORD, "phone"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        rooms = {"plain": await make_room(alice, reel), "encrypted": await make_encrypted_room(alice, reel)}
        viewers = {name: await reel.viewer(http, alice, room_id) for name, room_id in rooms.items()}
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in rooms}
        for run in range(RUNS):
            for number, (name, viewer) in enumerate(viewers.items()):
                sent = distinct(clip.path, run * len(rooms) + number)
                figures[name].append(await _send(reel, http, alice, viewer, sent))
        print(f"{clip.about}, {clip.path.stat().st_size / 1e6:.1f} MB; medians of {RUNS} runs in turn")
        for column, what, target in (
            (0, "sent to playable, s", WALL),
            (1, "processor time of all until ready, s", CPU),
        ):
            _report(what, [statistics.median(each[column] for each in figures[name]) for name in rooms], target)


async def playing() -> None:
    """Measure the widget on the same videos, plain and encrypted on disk."""
    first: list[float] = []
    gaps: list[float] = []
    for encryption in ({}, {"encryption": {"key": KEY, "all_rooms": True}}):
        async with widget_room([SECONDS] * 3, **encryption) as room:
            first.append(statistics.median((await loads(room, muted=False))[0]))
            gaps.append(median_gap([change for change in await changes_in_the_widget(room) if change.kind == "next"]))
    _report("frame load to second video frame, ms", first, PLAYING)
    _report("frame's duration at a change of item, ms", gaps, PLAYING)


def _report(what: str, figures: Sequence[float], target: float) -> None:
    plain, encrypted = figures
    ratio = encrypted / plain
    verdict = "holds" if ratio <= target else "MISSED"
    print(f"{what:<42} plain {plain:8.2f}   encrypted {encrypted:8.2f}   {ratio:.2f}   target {target}: {verdict}")


_PARTS: dict[str, Callable[[], Awaitable[None]]] = {"sending": sending, "playing": playing}


async def main(parts: list[str]) -> None:
    """Measure the parts that are named, or all."""
    for part in parts or _PARTS:
        await _PARTS[part]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
