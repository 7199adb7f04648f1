"""Bad input: each kind has its own words in the room and in the log, and the queue goes on."""

import asyncio
import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from appservice import resources
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import free_port
from appservice.i18n import Texts
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually

TEXTS = Texts(resources.locales(), "en")


@pytest.fixture
def bad_files(clip: Path, tmp_path: Path) -> dict[str, Path]:
    """One file for each reason that a file itself can give."""
    contents = {
        "not-a-video": b"Dear diary, this is a text.\n" * 100,
        "empty-file": b"",
        # The index (moov) is at the end of what ffmpeg writes: half of it has none.
        "broken-file": clip.read_bytes()[: clip.stat().st_size // 2],
        "media-too-large": clip.read_bytes() + bytes(2 * 1024 * 1024),
    }
    for code, content in contents.items():
        (tmp_path / f"{code}.mp4").write_bytes(content)
    return {code: tmp_path / f"{code}.mp4" for code in contents}


async def test_every_bad_file_has_its_own_words_and_the_next_video_plays(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, bad_files: dict[str, Path]
) -> None:
    spare.write_config(media={"max_size": 1})
    async with spare.running():
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        sent = {code: await alice.send_video(room_id, path) for code, path in bad_files.items()}
        gone = {"msgtype": "m.video", "body": "gone.mp4", "url": f"mxc://{spare.synapse.server_name}/doesNotExist"}
        sent["media-gone"] = await alice.send_event(room_id, "m.room.message", gone)
        good = await alice.send_video(room_id, clip)
        for code, event_id in sent.items():
            video = await viewer.video_in(event_id, "failed")
            assert video["failure"] == {"code": code}
            await wait_for_notice(alice, room_id, TEXTS.failure(code), thread=event_id)
        assert (await viewer.video_in(good, "ready"))["failure"] is None
        assert len({TEXTS.failure(code) for code in sent}) == len(sent)
        logged = {entry["code"] for entry in spare.log_entries("video_failed")}
        assert logged == set(sent)
        # The sender is notified once, also after a restart.
        await spare.stop()
        await spare.start()
        notices = [e for e in await alice.messages(room_id) if e.get("content", {}).get("msgtype") == "m.notice"]
        about_videos = [n for n in notices if "m.relates_to" in n["content"]]
        assert len(about_videos) == len(sent)


async def test_a_file_that_nobody_called_a_video_goes_without_a_word(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, bad_files: dict[str, Path]
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    stranger = await alice.send_video(
        room_id, bad_files["not-a-video"], msgtype="m.file", content_type="application/octet-stream"
    )
    video = await alice.send_video(room_id, clip, msgtype="m.file", content_type="application/octet-stream")
    await viewer.video_in(video, "ready")

    async def is_gone() -> bool:
        return await viewer.video(stranger) is None

    await eventually(is_gone, what="the text file being erased")
    said = [event.get("content", {}).get("m.relates_to", {}) for event in await alice.messages(room_id)]
    assert stranger not in [relation.get("event_id") for relation in said]


async def test_a_40_mb_transaction_is_taken(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    mxc = await alice.upload(clip, "video/mp4", clip.name)
    event: dict[str, Any] = {
        "type": "m.room.message", "event_id": "$large", "room_id": room_id, "sender": alice.user_id,
        "origin_server_ts": 1, "content": {"msgtype": "m.video", "body": "x.mp4", "url": mxc},
    }  # fmt: skip
    ballast = [{**event, "event_id": f"$b{n}", "type": "m.other", "content": {"x": "y" * 400_000}} for n in range(100)]
    malformed: list[Any] = [{"type": "m.room.message", "content": {"msgtype": "m.video"}}, "text", None, {"type": {}}]
    status, body = await reel.transaction(http, [*ballast, *malformed, event])
    assert (status, body) == (200, {})
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in("$large", "ready")
    async with http.put(
        f"{reel.url}/_matrix/app/v1/transactions/1",
        data=io.BytesIO(bytes(65 * 1024 * 1024)),
        headers={"Authorization": f"Bearer {reel.hs_token}"},
    ) as response:
        assert response.status == 413
        assert (await response.json())["errcode"] == "M_TOO_LARGE"


async def test_an_unknown_key_is_refused_by_name(spare: Installation) -> None:
    spare.write_config(web={"prot": 1})
    code, output = await spare.command("serve", "-c", str(spare.config))
    assert code == 2
    assert "`web.prot`" in output


async def test_the_homeserver_is_away_at_the_start(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    right = spare.settings["homeserver"]["url"]
    spare.write_config(homeserver={"url": f"http://127.0.0.1:{free_port()}"})
    async with spare.running():

        async def logged() -> bool:
            return bool(spare.log_entries("homeserver_unreachable"))

        await eventually(logged, what="a word about the homeserver")
        assert "does not respond" in spare.log_entries("homeserver_unreachable")[0]["reason"]
        assert await spare.is_ready()
    code, output = await spare.command("check", "-c", str(spare.config))
    assert code == 1
    assert "FAIL  homeserver: " in output
    spare.write_config(homeserver={"url": right})
    async with spare.running():
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")


async def test_the_database_is_away_at_the_start(spare: Installation) -> None:
    right = spare.settings["database"]
    relay_port = free_port()
    spare.write_config(database=f"postgresql://postgres:hush@127.0.0.1:{relay_port}/spare")
    await spare.start(wait=False)

    async def logged() -> bool:
        return bool(spare.log_entries("database_down"))

    await eventually(logged, what="a word about the database")
    assert "127.0.0.1/spare" in spare.log_entries("database_down")[0]["reason"]
    assert "hush" not in spare.log_file.read_text()
    # It comes up: here, by a relay to the database that does run, behind its unix socket.
    async with await _relay(relay_port, right):
        await eventually(spare.is_ready, what="readiness after the database came up")


async def _relay(port: int, dsn: str) -> asyncio.Server:
    query = parse_qs(urlsplit(dsn).query)
    socket = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    return await asyncio.start_server(connected, "127.0.0.1", port)
