"""Stopping in the middle, and workers of their own."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import free_port
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools


@pytest.fixture(scope="module")
async def long_clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """A video whose ladder takes some seconds: 1080p, eight seconds."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30", "-t", "8",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


async def test_a_stop_gives_the_job_back(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, long_clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    event_id = await alice.send_video(room_id, long_clip)
    viewer = await spare.viewer(http, alice, room_id)
    await viewer.video_in(event_id, "processing", "playable")
    started = time.monotonic()
    assert await spare.stop() == 0
    assert time.monotonic() - started < 20  # not the end of the work: of that there is more than the time-out
    rows = await spare.rows("SELECT state, attempts FROM videos")
    assert [(row["state"], row["attempts"]) for row in rows] in ([("processing", 0)], [("playable", 0)])
    await spare.start()
    await viewer.video_in(event_id, "ready")
    assert [row["attempts"] for row in await spare.rows("SELECT attempts FROM videos")] == [1]


async def test_a_video_is_given_up_after_its_attempts(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, long_clip: Path
) -> None:
    spare.write_config(worker={"attempts": 2, "heartbeat_timeout": 1})
    await spare.start()
    room_id = await make_room(alice, spare)
    event_id = await alice.send_video(room_id, long_clip)
    for attempt in (1, 2):

        async def under_way(number: int = attempt) -> bool:
            return bool(await spare.rows("SELECT 1 FROM videos WHERE attempts = $1", number))

        await eventually(under_way)
        await spare.kill()
        await spare.start()
    viewer = await spare.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "failed")
    assert video["failure"] == {"code": "internal"}
    code, output = await spare.command("admin", "-c", str(spare.config), "requeue", video["id"])
    assert code == 0, output
    await viewer.video_in(event_id, "ready")


async def _metrics(http: aiohttp.ClientSession, port: int, *names: str) -> dict[str, str]:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
        assert response.status == 200
        samples = dict(line.rsplit(" ", 1) for line in (await response.text()).splitlines() if not line.startswith("#"))
    return {name: samples[name] for name in names if name in samples}


async def test_a_worker_of_its_own(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start(command=("serve", "--no-worker"))
    worker = Installation(spare.folder, spare.synapse, spare.settings, launch=fork)
    port = free_port()
    await worker.start(wait=False, command=("work", "--metrics-port", str(port)))
    try:
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        # What each process did counts there; what is in the database is counted once.
        made, videos = "roomreel_video_seconds_count", 'roomreel_videos{state="ready"}'

        async def counted() -> bool:
            return await _metrics(http, port, made, videos) == {made: "1.0"}

        await eventually(counted)
        for path in ("live", "ready"):
            async with http.get(f"http://127.0.0.1:{port}/{path}") as response:
                assert (response.status, await response.json()) == (200, {"status": path})
        assert await _metrics(http, spare.settings["metrics"]["port"], made, videos) == {made: "0.0", videos: "1.0"}
    finally:
        assert await worker.stop() == 0


async def test_what_breaks_beside_the_queues_ends_no_other_work(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    await spare.rows("ALTER TABLE alarms RENAME TO mislaid")

    async def noticed() -> bool:
        return {entry["work"] for entry in spare.log_entries("work_broken")} == {"monitor"}

    await eventually(noticed)
    viewer = await spare.viewer(http, alice, room_id)
    await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    await spare.rows("ALTER TABLE mislaid RENAME TO alarms")
    assert await spare.stop() == 0
