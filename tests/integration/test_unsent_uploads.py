"""What was uploaded in the widget and never sent counts for quotas, and goes: from us and from the homeserver."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.demo.client import MatrixClient, MatrixError
from appservice.demo.synapse import Synapse
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.rooms import make_room
from tests.support.uploads import Uploader
from tests.support.waiting import eventually


async def at_homeserver(user: MatrixClient, mxc: str) -> bool:
    try:
        await user.request("GET", f"/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}")
    except MatrixError as error:
        if error.status not in {200, 404}:
            raise
        return error.status == 200  # a file is no JSON
    return True


async def gone(user: MatrixClient, *mxcs: str) -> None:
    async def are_deleted() -> bool:
        return not any([await at_homeserver(user, mxc) for mxc in mxcs])

    await eventually(are_deleted, what="the homeserver's files being deleted")


async def _time_passes(spare: Installation, count: int = 1) -> None:
    """Let the waits of jobs be over that delete what was not sent."""

    async def is_due() -> bool:
        rows = await spare.rows(
            "UPDATE pgqueuer SET execute_after = now()"
            " WHERE entrypoint = 'forget' AND execute_after > now() RETURNING id"
        )
        return len(rows) == count

    await eventually(is_due, what="the job that deletes what was not sent")


async def _remains(spare: Installation, user: MatrixClient) -> tuple[int, str]:
    return await spare.command("admin", "-c", str(spare.config), "remains", user.user_id)


async def _upload(uploader: Uploader, file: Path) -> tuple[dict[str, Any], tuple[str, str]]:
    """Upload a video, and return the content of its message, and its files at the homeserver."""
    await uploader.send(file)
    assert (await uploader.finish()).status == 202
    outcome = await uploader.outcome()
    assert outcome["state"] == "ready", outcome
    content = dict(outcome["content"])
    return content, (content["url"], content["info"]["thumbnail_url"])


async def test_what_is_never_sent_counts_and_goes(
    spare: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, clip: Path,
    tmp_path: Path, admin_token: str,
) -> None:  # fmt: skip
    spare.write_config(homeserver={"admin_token": admin_token}, limits={"user": {"videos": 2}})
    await spare.start()
    async with await synapse.user(f"recorder-{secrets.token_hex(4)}") as owner:
        room_id = await make_room(alice, spare, owner)
        viewer = await spare.viewer(http, owner, room_id)
        given_up, expired = Uploader(viewer), Uploader(viewer)
        _, first = await _upload(given_up, with_padding(clip, tmp_path / "1.mp4", b"1"))
        late, second = await _upload(expired, with_padding(clip, tmp_path / "2.mp4", b"2"))
        refused = await Uploader(viewer).create(10)
        assert (refused.status, refused.body["errcode"]) == (403, "M_USER_LIMIT_EXCEEDED")
        assert [await at_homeserver(owner, mxc) for mxc in (*first, *second)] == [True] * 4

        # Given up by its owner. What might have been sent just before is waited for.
        assert (await given_up.call("DELETE", given_up.url)).status == 204
        await _time_passes(spare)
        await gone(alice, *first)
        assert (await Uploader(viewer).create(10)).status == 201

        # Nobody came back for it. A message that comes just then is a video like any other, and keeps its file.
        await spare.rows("UPDATE uploads SET expires_at = now() WHERE id = $1", expired.id())
        await spare.stop()
        await spare.start()  # a worker looks at its start, and every minute

        async def awaited() -> bool:
            rows = await spare.rows("SELECT FROM upload_media WHERE mxc = $1 AND forget_at > now()", second[0])
            return bool(rows)

        await eventually(awaited, what="the end of an upload")
        assert (await expired.head()).status == 404
        viewer = await spare.viewer(http, owner, room_id)
        event_id = await owner.send_event(room_id, "m.room.message", late)
        await viewer.video_in(event_id, "ready")
        await _time_passes(spare)

        async def done() -> bool:
            return not await spare.rows("SELECT FROM pgqueuer WHERE entrypoint = 'forget'")

        await eventually(done, what="the end of the job")
        assert [await at_homeserver(owner, mxc) for mxc in second] == [True, True]
        # It goes when the video does, and so does its thumbnail.
        await owner.redact(room_id, event_id)
        await gone(alice, *second)

        # After it is gone, its message says so.
        third = Uploader(viewer)
        unsent, files = await _upload(third, with_padding(clip, tmp_path / "3.mp4", b"3"))
        assert (await third.call("DELETE", third.url)).status == 204
        await _time_passes(spare)
        await gone(alice, *files)
        event_id = await owner.send_event(room_id, "m.room.message", unsent)
        assert (await viewer.video_in(event_id, "failed"))["failure"] == {"code": "media-gone"}
        assert not await spare.rows("SELECT FROM upload_media")


@pytest.mark.parametrize("way", ["leaves", "is erased"])
async def test_who_is_gone_leaves_nothing_unsent(
    spare: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, clip: Path,
    admin_token: str, way: str,
) -> None:  # fmt: skip
    spare.write_config(homeserver={"admin_token": admin_token})
    await spare.start()
    async with await synapse.user(f"guest-{secrets.token_hex(4)}") as guest:
        room_id = await make_room(alice, spare, guest)
        uploader = Uploader(await spare.viewer(http, guest, room_id))
        _, files = await _upload(uploader, clip)
        code, said = await _remains(spare, guest)
        assert (code, "uploads at the homeserver: 2" in said) == (1, True), said
        if way == "leaves":
            await guest.leave(room_id)
            await _time_passes(spare)
        else:
            code, said = await spare.command("admin", "-c", str(spare.config), "erase", guest.user_id)
            assert code == 0, said
        await gone(alice, *files)

        async def nothing() -> bool:
            return (await _remains(spare, guest))[0] == 0

        await eventually(nothing, what="nothing being left")


@asynccontextmanager
async def _silent_after_uploads(http: aiohttp.ClientSession, real: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Yield the address of a homeserver that takes uploads and never says so, and what is set once it took one."""
    app, taken = web.Application(client_max_size=2**24), asyncio.Event()

    async def others(request: web.Request) -> web.Response:
        response = await pass_on(http, real, request)
        if request.method == "PUT" and "/media/v3/upload/" in request.path:
            assert response.status == 200, response.body
            taken.set()
            await asyncio.Event().wait()
        return response

    app.router.add_route("*", "/{path:.*}", others)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("")).rstrip("/"), taken
    finally:
        await server.close()


async def test_a_crash_between_the_homeservers_file_and_our_knowing_of_it(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, admin_token: str
) -> None:
    real = str(spare.settings["homeserver"]["url"])
    spare.write_config(homeserver={"admin_token": admin_token})
    await spare.start()
    uploader = Uploader(await spare.viewer(http, alice, await make_room(alice, spare)))
    await uploader.send(clip)
    await spare.stop()
    async with _silent_after_uploads(http, real) as (url, taken):
        spare.write_config(homeserver={"url": url})
        await spare.start()
        assert (await uploader.finish()).status == 202
        await asyncio.wait_for(taken.wait(), 60)
        (row,) = await spare.rows("SELECT mxc FROM upload_media")
        await spare.kill()
    assert await at_homeserver(alice, row["mxc"])
    spare.write_config(homeserver={"url": real})
    await spare.start()
    content = (await uploader.outcome("ready"))["content"]
    assert content["url"] != row["mxc"]
    await gone(alice, row["mxc"])
    assert await at_homeserver(alice, content["url"])


async def test_without_an_admins_token_they_stay(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    uploader = Uploader(await spare.viewer(http, alice, room_id))
    content, files = await _upload(uploader, clip)
    assert (await uploader.call("DELETE", uploader.url)).status == 204
    await _time_passes(spare)

    async def is_done() -> bool:
        return not await spare.rows("SELECT FROM upload_media")

    await eventually(is_done, what="the end of the job")
    assert [await at_homeserver(alice, mxc) for mxc in files] == [True, True]
    event_id = await alice.send_event(room_id, "m.room.message", content)
    await uploader.viewer.video_in(event_id, "ready")
