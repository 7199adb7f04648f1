"""Three workers on folders of their own share nothing but PostgreSQL and an S3 server, and take each other's work."""

import asyncio
import contextlib
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import make_long_clips
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.object_storage import ObjectStorage
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

SECONDS, VIDEOS = 40, 6
UNFINISHED = "SELECT count(*) AS n FROM videos WHERE state <> 'ready'"


def _worker(folder: Path, service: Installation) -> Installation:
    """Prepare a worker on a machine of its own, so to say."""
    folder.mkdir()
    worker = Installation(folder, service.synapse, dict(service.settings), launch=fork)
    worker.write_config(data_dir=str(folder / "data"))
    return worker


class Watching:
    """Fetches what plays, all the time; keeps what could not be had."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.fetched, self.missing = 0, list[str]()

    async def _watch(self) -> None:
        while True:
            for video in await self.viewer.videos():
                if video["state"] in {"playable", "ready"} and video["playlist_url"]:
                    await self._play(video["playlist_url"])
            await asyncio.sleep(0.2)

    async def _play(self, address: str) -> None:
        folder = address.rpartition("/")[0]
        variants = [line for line in (await self._fetch(address)).splitlines() if line and line[0] != "#"]
        for variant in variants[-1:]:
            media = await self._fetch(f"{folder}/{variant}")
            rendition = variant.rpartition("/")[0]
            for segment in re.findall(r"(?m)^\S+\.m4s", media)[:1]:
                await self._fetch(f"{folder}/{rendition}/{segment}" if rendition else f"{folder}/{segment}")

    async def _fetch(self, address: str) -> str:
        headers = {"Authorization": f"Bearer {self.viewer.token}"}
        async with self.viewer.http.get(self.viewer.base_url + address, headers=headers) as response:
            body = await response.read()
        self.fetched += 1
        if response.status == 410 and address.endswith(".m3u8"):
            return ""  # another stage is served by now: players fetch the room again
        if response.status != 200:
            self.missing.append(f"{address}: {response.status}")
        return body.decode("utf-8", "replace")

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Watch until the context ends."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


@pytest.mark.timeout(400)
async def test_idle_workers_take_what_waits_for_a_busy_one_and_what_a_dead_one_had(
    spare: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    s3: ObjectStorage,
    tools: Tools,
    tmp_path: Path,
) -> None:
    (tmp_path / "clips").mkdir()
    clips = await make_long_clips(tools, tmp_path / "clips", VIDEOS, seconds=SECONDS)
    spare.write_config(
        storage=s3.section(secrets.token_hex(4), serve="proxy"), worker={"concurrency": 1, "heartbeat_timeout": 5}
    )
    first, *others = workers = [_worker(tmp_path / f"worker-{number}", spare) for number in range(3)]
    await spare.start(command=("serve", "--no-worker"))
    await first.start(wait=False, command=("work",))
    room_id = await make_room(alice, spare)
    sent = [await alice.send_video(room_id, clip) for clip in clips]
    viewer = await spare.viewer(http, alice, room_id)

    async def waiting() -> bool:
        return bool((await spare.rows("SELECT count(*) AS n FROM offered_jobs"))[0]["n"] >= 3)

    await eventually(waiting, what="videos that wait in the first worker", seconds=120)
    watching = Watching(viewer)
    async with watching.going_on():
        for worker in others:
            await worker.start(wait=False, command=("work",))

        async def taken() -> bool:
            return all(_ready(worker) for worker in others)

        await eventually(taken, what="each of the idle ones having made one", seconds=200)
        await first.kill()
        await asyncio.gather(*(viewer.video_in(event_id, "ready", seconds=200) for event_id in sent))
    assert watching.missing == []
    assert watching.fetched > 10
    made = Counter(entry["video_id"] for worker in workers for entry in _ready(worker))
    assert set(made.values()) == {1}, "no ladder is made twice"
    assert [each["videos"] for each in await _attempts(spare)] == [0], "to be taken is no failure"
    for worker in others:
        assert await worker.stop() == 0
    assert await spare.stop() == 0


def _ready(worker: Installation) -> list[dict[str, str]]:
    return worker.log_entries("video_ready")


async def _attempts(installation: Installation) -> list[dict[str, int]]:
    """Return how many videos have more attempts that count than one."""
    rows = await installation.rows(
        "SELECT count(*) AS videos FROM videos WHERE attempts - attempts_before - attempts_spared > 2"
    )
    return [dict(row) for row in rows]
