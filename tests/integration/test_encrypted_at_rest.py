"""With media encrypted on disk in all rooms, neither disk nor database has what was sent, nor what decrypts it."""

import asyncio
import io
import re
import secrets
from pathlib import Path
from zipfile import ZipFile

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import CommandSender
from tests.support.database_dump import dump
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.video.decrypted import in_the_clear
from tests.support.video.subtitles import CHINESE, with_subtitles
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

_KEY = "a key of the tests, which is long enough"


async def _source(tools: Tools, folder: Path) -> Path:
    tracks = {"中文.srt": ("chi", CHINESE)}
    return await asyncio.to_thread(with_subtitles, tools, folder / "zh.mp4", tracks, "mov_text")


@pytest.mark.timeout(180)
async def test_nothing_lies_in_the_clear(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, tools: Tools, tmp_path: Path, clip: Path
) -> None:
    data = spare.folder / "data"
    await spare.start()
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    before = await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    assert in_the_clear(data / "media" / before["id"]), "what is looked for is found where it is"
    await spare.stop()
    spare.write_config(encryption={"key": _KEY, "all_rooms": True})
    await spare.start()
    viewer = await spare.viewer(http, alice, room_id)
    # The same file again: it is not linked to the files that lie in the clear.
    ids = [(await viewer.video_in(await alice.send_video(room_id, clip), "ready"))["id"]]
    ids.append((await viewer.video_in(await alice.send_video(room_id, await _source(tools, tmp_path)), "ready"))["id"])
    stages = {row["id"]: row for row in await viewer.videos()}
    keys = []
    for video_id in ids:
        assert len(list((data / "media" / video_id).iterdir())) == 2, "both stages are there"
        assert in_the_clear(data / "media" / video_id) == []
        status, key = await viewer.fetch(stages[video_id]["playlist_url"].rpartition("/")[0] + "/key")
        assert (status, len(key)) == (200, 16)
        keys.append(key)
    assert len(set(keys)) == 2
    status, captions = await viewer.fetch(stages[ids[1]]["captions"][0]["url"])
    assert (status, captions[:6]) == (200, b"WEBVTT")

    assert (await CommandSender(alice, room_id)("!reel export")).reactions == ["✅"]

    async def exported() -> list[Path]:
        return list((data / "exports").iterdir())

    await eventually(exported, what="the export")
    assert in_the_clear(data / "exports") == []

    async def worked_off() -> bool:
        return not [path for path in (data / "scratch").rglob("*") if path.is_file()]

    await eventually(worked_off, what="an empty scratch folder")
    stored = await dump(spare)
    assert ids[0] in stored
    for key in keys:
        assert key.hex() not in stored
    await _goes_for_good(spare, viewer, ids[0])


async def _goes_for_good(spare: Installation, viewer: Viewer, video_id: str) -> None:
    assert (await viewer.request("DELETE", f"/api/v1/videos/{video_id}"))[0] == 200

    async def gone() -> bool:
        rows = await spare.rows("SELECT FROM media_keys WHERE video_id = $1::uuid", video_id)
        return not rows and not (spare.media / video_id).exists()

    await eventually(gone, what="neither key nor files")


@pytest.mark.timeout(120)
async def test_moderators_see_a_poster_that_is_encrypted_on_disk(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    spare.write_config(encryption={"key": _KEY, "all_rooms": True})
    await spare.start()
    room_id, own = await make_room(alice, spare, bob), await make_room(alice, spare)
    say = CommandSender(alice, room_id)
    await say("!reel room hold all")
    await say(f"!reel room moderators-room {own}")
    await bob.send_video(room_id, clip)

    async def posted() -> str | None:
        contents = [event["content"] for event in await alice.messages(own)]
        return next((each["url"] for each in contents if each.get("msgtype") == "m.image"), None)

    mxc = await eventually(posted, what="the poster")
    assert mxc
    url = f"{spare.synapse.base_url}/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"
    async with http.get(url, headers={"Authorization": f"Bearer {alice.access_token}"}) as response:
        assert response.status == 200
        assert (await response.read())[:3] == b"\xff\xd8\xff"


@pytest.mark.timeout(120)
async def test_an_export_has_what_is_encrypted_on_disk(
    spare: Installation, http: aiohttp.ClientSession, synapse: Synapse, clip: Path
) -> None:
    # Without keys of any other test's: who can decrypt gets the link in an encrypted chat.
    spare.write_config(encryption={"key": _KEY, "all_rooms": True})
    await spare.start()
    async with await synapse.user(f"edda-{secrets.token_hex(4)}") as user:
        room_id = await make_room(user, spare)
        viewer = await spare.viewer(http, user, room_id)
        await viewer.video_in(await user.send_video(room_id, clip), "ready")
        await CommandSender(user, room_id)("!reel export")

        async def alone() -> str:
            rows = await spare.rows("SELECT room_id FROM rooms WHERE made_for = $1", user.user_id)
            return str(rows[0]["room_id"]) if rows else ""

        direct = await eventually(alone, what="a chat with the bot alone")
        await user.join(direct)
        link = re.search(r"http\S+/export/[\w-]+", await wait_for_notice(user, direct, "/export/"))
        assert link
        async with http.get(link[0]) as response:
            assert response.status == 200
            archive = ZipFile(io.BytesIO(await response.read()))
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name != "data.json"]
        assert sorted(Path(name).suffix for name in names) == [".jpg", ".mp4"]
        for name in names:
            assert archive.read(name)[:12].startswith((b"\xff\xd8\xff", b"\0\0\0")), name
            assert Path(name).suffix == ".jpg" or archive.read(name)[4:8] == b"ftyp"
