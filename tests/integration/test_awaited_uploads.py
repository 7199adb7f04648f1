"""A message may come long before its file (MSC2246): a state of its own, and the file is found soon after it came."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually


async def _announced(user: MatrixClient, room_id: str) -> tuple[str, str]:
    """Send a video's message before its file; return the event's id and the content URI."""
    uri = str((await user.request("POST", "/_matrix/media/v1/create"))["content_uri"])
    content = {"msgtype": "m.video", "body": "later.mp4", "url": uri, "info": {"mimetype": "video/mp4"}}
    return await user.send_event(room_id, "m.room.message", content), uri


async def _marks(user: MatrixClient, reel: Installation, room_id: str, event_id: str) -> list[str]:
    relations = await user.relations(room_id, event_id, "m.annotation")
    return [r["content"]["m.relates_to"]["key"] for r in relations if r["sender"] == reel.bot and r["content"]]


async def test_a_file_that_comes_after_its_message(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    event_id, uri = await _announced(alice, room_id)

    async def awaited() -> bool:
        video = await viewer.video(event_id)
        return video is not None and (video["state"], video["waits_for"]) == ("queued", "upload")

    await eventually(awaited, what="a video that waits for its upload")

    async def marked(key: str) -> bool:
        return await _marks(alice, reel, room_id, event_id) == [key]

    await eventually(lambda: marked("📤"), what="the mark of the bot")

    async def is_requeued() -> bool:
        # Its job has come back to the queue more often than it had attempts before it was given up.
        rows = await reel.rows(
            "SELECT FROM videos v JOIN pgqueuer j ON j.payload = convert_to(v.id::text, 'UTF8')"
            " WHERE v.event_id = $1 AND j.entrypoint = 'video' AND j.attempts >= 3 AND v.attempts = 0",
            event_id,
        )
        return bool(rows) and await awaited()

    await eventually(is_requeued, what="being requested without an attempt")
    await alice.request(
        "PUT", f"/_matrix/media/v3/upload/{uri.removeprefix('mxc://')}", data=clip.read_bytes(),
        headers={"Content-Type": "video/mp4"},
    )  # fmt: skip
    started = time.monotonic()
    video = await viewer.video_in(event_id, "playable", "ready")
    assert time.monotonic() - started < 30
    assert video["waits_for"] is None
    await viewer.video_in(event_id, "ready")
    await eventually(lambda: marked("▶️"), what="the mark of what plays")
    (row,) = await reel.rows("SELECT attempts FROM videos WHERE event_id = $1", event_id)
    assert row["attempts"] == 1


async def test_a_file_that_never_comes(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    event_id, _ = await _announced(alice, room_id)

    async def a_day_passes() -> bool:
        return bool(
            await reel.rows(
                "UPDATE videos SET awaited_since = awaited_since - interval '1 day'"
                " WHERE event_id = $1 AND awaited_since > now() - interval '1 hour' RETURNING id",
                event_id,
            )
        )

    await eventually(a_day_passes, what="a video that waits for its upload")
    assert (await viewer.video_in(event_id, "failed"))["failure"] == {"code": "never-uploaded"}
    await wait_for_notice(alice, room_id, "never uploaded completely", thread=event_id)
    await viewer.video_in(await alice.send_video(room_id, clip), "ready")


@asynccontextmanager
async def _counting(http: aiohttp.ClientSession, real: str) -> AsyncIterator[tuple[str, Counter[str]]]:
    """Yield the address of the homeserver, and how often each path was requested there."""
    app, counted = web.Application(client_max_size=2**24), Counter[str]()

    async def others(request: web.Request) -> web.Response:
        counted[request.path] += 1
        return await pass_on(http, real, request)

    app.router.add_route("*", "/{path:.*}", others)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), counted


async def test_many_messages_that_wait_for_one_file_cause_one_request(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    count = 8
    async with _counting(http, str(spare.settings["homeserver"]["url"])) as (url, counted):
        spare.write_config(homeserver={"url": url})
        await spare.start()
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        first, uri = await _announced(alice, room_id)
        content = {"msgtype": "m.video", "body": "later.mp4", "url": uri, "info": {"mimetype": "video/mp4"}}
        others = [await alice.send_event(room_id, "m.room.message", content) for _ in range(count - 1)]
        path = f"/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}"

        async def came_back(least: int) -> bool:
            rows = await spare.rows(
                "SELECT min(j.attempts) AS attempts, count(*) AS jobs FROM videos v"
                " JOIN pgqueuer j ON j.payload = convert_to(v.id::text, 'UTF8')"
                " WHERE v.mxc = $1 AND v.awaited_since IS NOT NULL AND j.entrypoint = 'video'",
                uri,
            )
            return bool(rows[0]["jobs"] == count and rows[0]["attempts"] >= least)

        await eventually(lambda: came_back(1), what="all waiting for the upload")
        before = counted[path]
        await eventually(lambda: came_back(4), what="all jobs having come back to the queue")
        assert 1 <= counted[path] - before <= 2 * count, "three more of each job, which requested it for itself"
        await alice.request(
            "PUT", f"/_matrix/media/v3/upload/{uri.removeprefix('mxc://')}", data=clip.read_bytes(),
            headers={"Content-Type": "video/mp4"},
        )  # fmt: skip
        await asyncio.gather(*[viewer.video_in(event_id, "ready") for event_id in (first, *others)])
        await spare.stop()
