"""Members take what is theirs with them, by a link that only they get, and that expires."""

import asyncio
import io
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from zipfile import ZipFile

import aiohttp
import asyncpg
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.clips import with_padding
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools


async def _direct_room(reel: Installation, user: MatrixClient) -> str:
    """Wait for the bot's invitation to a room of two, and join it."""

    async def invited() -> str:
        rows = await reel.rows("SELECT room_id FROM rooms WHERE made_for = $1", user.user_id)
        return str(rows[0]["room_id"]) if rows else ""

    room_id = await eventually(invited, what="a chat with the bot alone")
    await user.join(room_id)
    return room_id


async def _links(user: MatrixClient, room_id: str) -> list[str]:
    """Return the links that the bot sent in a room, the newest last."""
    bodies = [str(event.get("content", {}).get("body", "")) for event in await user.messages(room_id)]
    return [found.group(1) for body in bodies if (found := re.search(r"(http\S+/export/\S+)", body))]


async def _new_link(user: MatrixClient, room_id: str, *, count: int) -> str:
    async def new_links() -> list[str]:
        links = await _links(user, room_id)
        return links if len(links) == count else []

    return (await eventually(new_links, what="a link"))[-1]


async def _duration(tools: Tools, file: Path) -> float:
    process = await asyncio.create_subprocess_exec(
        tools.ffprobe, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return float((await process.communicate())[0])


async def test_an_export_from_request_to_erasure(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tools: Tools,
    tmp_path: Path,
) -> None:  # fmt: skip
    async with await synapse.user(f"traveller-{secrets.token_hex(4)}") as user:
        rooms = [await make_room(alice, reel, user, version=version) for version in ("11", "12")]
        events = []
        for number, room_id in enumerate(rooms):
            viewer = await reel.viewer(http, user, room_id)
            file = with_padding(clip, tmp_path / f"{number}.mp4", f"trip {number}".encode())
            events.append(await user.send_video(room_id, file))
            await viewer.video_in(events[-1], "ready")
        phone = await reel.signed_in(http, user, rooms[1])
        (video,) = await phone.videos()
        body = {"text": "Look!", "nonce": "told"}
        status, comment = await phone.request("POST", f"/api/v1/videos/{video['id']}/comments", body)
        assert status == 201
        said = await CommandSender(user, rooms[0])("!reel export")
        assert said.text.startswith("I am putting your videos and data together.")
        assert said.text.endswith("The link comes in a chat with me alone when they are ready.")
        assert said.reactions == ["✅"]
        alone = await _direct_room(reel, user)
        link = await _new_link(user, alone, count=1)
        assert [await _links(user, room_id) for room_id in rooms] == [[], []]

        async with http.get(link) as response:
            assert response.status == 200
            assert response.content_type == "application/zip"
            assert response.headers["Cache-Control"] == "private, no-store"
            whole = await response.read()
        archive = ZipFile(io.BytesIO(whole))
        assert archive.testzip() is None
        data = json.loads(archive.read("data.json"))
        assert data["user_id"] == user.user_id
        assert [video["event_id"] for video in data["videos"]] == events
        assert [video["room_id"] for video in data["videos"]] == rooms
        assert {"settings", "reports", "audit"} <= data.keys()
        (sent,) = data["sent_by_bot"]
        assert (sent["kind"], sent["room_id"], sent["video_id"]) == ("comment", rooms[1], video["id"])
        assert sent["event_id"] == comment["event"]["event_id"]
        for video in data["videos"]:
            mp4, poster = video["files"]
            (tmp_path / "out.mp4").write_bytes(archive.read(mp4))
            assert 1.9 < await _duration(tools, tmp_path / "out.mp4") < 2.2
            assert archive.read(poster).startswith(b"\xff\xd8")
        async with http.get(link, headers={"Range": "bytes=4-9"}) as response:
            assert (response.status, await response.read()) == (206, whole[4:10])
        async with http.get(link, headers={"Range": f"bytes={len(whole)}-"}) as response:
            assert response.status == 416
        async with http.head(link) as response:
            assert (response.status, response.content_length) == (200, len(whole))

        # Only the newest link holds, and no other.
        said = await CommandSender(user, alone)("导出")
        assert said.text.endswith("The link comes here when they are ready.")
        second = await _new_link(user, alone, count=2)
        assert [await _status(http, url) for url in (link, second, second[:-1], f"{reel.url}/export/x")] == [
            404, 200, 404, 404,
        ]  # fmt: skip
        assert await reel.rows("SELECT FROM audit WHERE actor = $1 AND action = 'exported'", user.user_id)

        # What is deleted is served by no copy.
        await user.redact(rooms[0], events[0])
        await eventually(lambda: _gone(reel, http, user, second), seconds=10, what="the end of the link")
        await CommandSender(user, alone)("export")
        third = await _new_link(user, alone, count=3)
        await CommandSender(user, alone)("forget-me yes")
        await eventually(lambda: _gone(reel, http, user, third), seconds=10, what="the end of everything")


async def test_a_link_past_its_day_is_a_page_that_says_so_and_its_zip_is_gone(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession
) -> None:
    async with await synapse.user(f"late-{secrets.token_hex(4)}") as user:
        await CommandSender(user, await open_direct(user, reel))("export")
        link = await _new_link(user, await _direct_room(reel, user), count=1)
        (row,) = await reel.rows("SELECT id FROM exports WHERE user_id = $1", user.user_id)
        file = reel.folder / "data" / "exports" / f"{row['id']}.zip"
        assert await _status(http, link) == 200
        assert file.exists()

        await reel.rows("UPDATE exports SET expires_at = now() WHERE user_id = $1", user.user_id)
        for language, text in (("en", "This link has ended"), ("zh-CN", "这个链接已失效")):
            async with http.get(link, headers={"Accept": "text/html,*/*", "Accept-Language": language}) as response:
                assert (response.status, response.content_type) == (404, "text/html")
                assert text in await response.text()
        async with http.get(link) as response:
            assert response.status == 404
            assert (await response.json())["error"] == (
                "This link does not hold (any more). Ask the bot for a new one: export"
            )
        await eventually(lambda: asyncio.to_thread(lambda: not file.exists()), seconds=10, what="the zip's end")


@pytest.mark.timeout(180)
async def test_a_worker_that_dies_over_an_export(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path, tmp_path: Path
) -> None:
    """While the zip is written, once it is published, and once its link is sent: there is one link, and it holds."""
    spare.write_config(worker={"heartbeat_timeout": 1})
    data = spare.folder / "data"
    async with spare.running(), await synapse.user(f"unlucky-{secrets.token_hex(4)}") as user:
        room_id = await make_room(user, spare)
        for number in range(3):
            file = with_padding(clip, tmp_path / f"{number}.mp4", secrets.token_bytes(8))
            viewer = await spare.viewer(http, user, room_id)
            await viewer.video_in(await user.send_video(room_id, file), "ready")
        await user.send_text(room_id, "!reel export")

        async def writing() -> bool:
            return bool(list((data / "scratch").glob("*/*.zip"))) or await published()

        async def published() -> bool:
            return bool(list((data / "exports").glob("*.zip")))

        await _kill_at(spare, writing)
        await spare.start()
        await eventually(published, what="the zip")
        # As if it died before the job's end was noted.
        connection = await asyncpg.connect(spare.settings["database"])
        async with connection.transaction():
            rows = await connection.fetch("SELECT FROM pgqueuer WHERE entrypoint = 'export' FOR UPDATE")
            alone = await _direct_room(spare, user)
            await _new_link(user, alone, count=1)
            await spare.kill()
            # What it had sent to the database must not be done once the row is free.
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await connection.close()
        assert rows, "the job was over before it could be held"
        await spare.start()

        async def over() -> bool:
            return not await spare.rows("SELECT FROM pgqueuer WHERE entrypoint = 'export'")

        await eventually(over, what="the end of the job")
        (link,) = await _links(user, alone)
        async with http.get(link) as response:
            assert response.status == 200
            assert ZipFile(io.BytesIO(await response.read())).testzip() is None
        assert not list((data / "scratch").glob("*/*.zip"))
        await eventually(lambda: asyncio.to_thread(_is_alone, data / "exports"), what="the end of other zips")


def _is_alone(folder: Path) -> bool:
    return len(list(folder.iterdir())) == 1


async def _kill_at(spare: Installation, condition: Callable[[], Awaitable[bool]]) -> None:
    """Kill the service as soon as the condition holds, which may be for a short time only."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.001)
    await spare.kill()


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as response:
        return response.status


async def _gone(reel: Installation, http: aiohttp.ClientSession, user: MatrixClient, link: str) -> bool:
    """Say whether a link is dead, and neither a row nor a file is left behind it."""
    kept = {str(row["id"]) for row in await reel.rows("SELECT id FROM exports WHERE user_id <> $1", user.user_id)}
    files = {file.stem for file in (reel.folder / "data" / "exports").iterdir()}
    rows = await reel.rows("SELECT FROM exports WHERE user_id = $1", user.user_id)
    # The link last: requests for exports are limited.
    return files <= kept and not rows and await _status(http, link) == 404
