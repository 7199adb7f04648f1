"""Deleted means deleted: whichever way a video goes, nothing serves it, nothing is left, and the audit log says so."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import aiohttp
import pytest

from appservice.demo.client import MatrixClient, MatrixError
from appservice.demo.synapse import Synapse
from tests.support.clips import with_padding
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

WITHIN_S = 10
UNDO_S = 8  # before that, what a person deleted can be brought back by them


@dataclass
class Case:
    """A video of somebody's who came for this test alone, in a room of alice's, watched by alice."""

    reel: Installation
    synapse: Synapse
    http: aiohttp.ClientSession
    owner: MatrixClient
    user: MatrixClient
    room_id: str
    viewer: Viewer
    event_id: str = ""
    video: dict[str, Any] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)

    async def send(self, clip: Path) -> None:
        """Send the video, wait until it is ready, publish it, and fetch all that is served of it once."""
        self.event_id = await self.user.send_video(self.room_id, clip)
        self.video = await self.viewer.video_in(self.event_id, "ready")
        own = await self.reel.viewer(self.http, self.user, self.room_id)
        status, response = await own.request("PATCH", f"/api/v1/videos/{self.video['id']}", {"published": True})
        assert status == 200, response
        media = self.video["playlist_url"]
        _, master = await self.viewer.fetch(media)
        first = urljoin(media, next(line for line in master.decode().splitlines() if line and line[0] != "#"))
        _, playlist = await self.viewer.fetch(first)
        segment = urljoin(first, next(line for line in playlist.decode().splitlines() if line and line[0] != "#"))
        page = f"/u/{quote(self.user.user_id)}"
        _, published = await self.viewer.get(f"{page}/reel.json")
        assert self.video["id"] in str(published)
        poster = next(item["poster_url"] for item in published["videos"] if item["id"] == self.video["id"])
        self.urls = [media, first, segment, self.video["poster_url"], self.video["storyboard_url"], poster]
        assert [(await self.viewer.fetch(url))[0] for url in self.urls] == [200] * len(self.urls)

    async def left(self) -> list[str]:
        """Return what still serves or holds the video."""
        video_id = self.video["id"]
        found = [url for url in self.urls if (await self.viewer.fetch(url))[0] not in {403, 404, 410}]
        if (self.reel.media / video_id).exists():
            found.append("files")
        if await self.viewer.video(self.event_id):
            found.append("room")
        if video_id in str(await self.viewer.fetch(f"/u/{quote(self.user.user_id)}/reel.json")):
            found.append("page")
        rows = await self.reel.rows(
            "SELECT concat(title, mxc, encrypted_file, stage, content_hash, blurhash, source_hash, fingerprint)"
            " AS content, visibility <> 'removed' OR renditions <> '[]' OR has_poster AS media"
            " FROM videos WHERE id = $1",
            video_id,
        )
        found += [f"row: {dict(row)}" for row in rows if row["content"] or row["media"]]
        audit = await self.reel.rows("SELECT FROM audit WHERE video_id = $1 AND action = 'erased'", video_id)
        return found if audit else [*found, "nothing in the audit log"]

    async def admin(self, action: str, whom: str) -> tuple[int, str]:
        return await self.reel.command("admin", "-c", str(self.reel.config), action, whom)

    async def message(self) -> dict[str, Any]:
        path = f"/_matrix/client/v3/rooms/{quote(self.room_id)}/event/{quote(self.event_id)}"
        content: dict[str, Any] = (await self.owner.request("GET", path))["content"]
        return content


async def _case(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, owner: MatrixClient, clip: Path, version: str
) -> Case:
    user = await synapse.user(f"gone-{secrets.token_hex(4)}")
    room_id = await make_room(owner, reel, user, version=version)
    case = Case(reel, synapse, http, owner, user, room_id, await reel.viewer(http, owner, room_id))
    await case.send(clip)
    return case


async def _gone(case: Case, seconds: float = WITHIN_S) -> None:
    async def nothing() -> bool:
        return not await case.left()

    try:
        await eventually(nothing, seconds=seconds)
    except AssertionError:
        assert await case.left() == []


async def _redact(case: Case) -> None:
    await case.user.redact(case.room_id, case.event_id)


async def _redact_as_moderator(case: Case) -> None:
    await case.owner.redact(case.room_id, case.event_id, "Not here, please.")


async def _delete_in_the_widget(case: Case) -> None:
    status, _ = await case.viewer.request("DELETE", f"/api/v1/videos/{case.video['id']}")
    assert status == 200


async def _delete_by_the_bot(case: Case) -> None:
    said = await CommandSender(case.user, case.room_id)("!reel delete", about=case.event_id)
    assert said.reactions == ["✅"], said.text


async def _leave(case: Case) -> None:
    said = await CommandSender(case.user, case.room_id)("!reel settings on-leave erase")
    assert said.reactions == ["✅"], said.text
    await case.user.leave(case.room_id)


async def _kick(case: Case) -> None:
    said = await CommandSender(case.owner, case.room_id)("!reel room on-leave erase")
    assert said.reactions == ["✅"], said.text
    await case.owner.kick(case.room_id, case.user.user_id)


async def _ban(case: Case) -> None:
    await case.owner.ban(case.room_id, case.user.user_id)


async def _erase_own_data(case: Case) -> None:
    commands = CommandSender(case.user, await open_direct(case.user, case.reel))
    said = await commands("forget-me")
    assert "forget-me yes" in said.text
    assert await case.viewer.video(case.event_id), "the bot requires a confirmation"
    assert (await commands("forget-me yes")).reactions == ["✅"]


async def _erase_user(case: Case) -> None:
    code, said = await case.admin("erase", case.user.user_id)
    assert (code, "1 videos" in said) == (0, True), said


async def _erase_room(case: Case) -> None:
    code, said = await case.admin("erase", case.room_id)
    assert code == 0, said


WAYS: dict[str, tuple[Callable[[Case], Awaitable[None]], str]] = {
    "redaction-11": (_redact, "11"),
    "redaction-12": (_redact, "12"),
    "moderators-redaction": (_redact_as_moderator, "12"),
    "widget": (_delete_in_the_widget, "11"),
    "bot": (_delete_by_the_bot, "12"),
    "leave": (_leave, "11"),
    "kick": (_kick, "12"),
    "ban": (_ban, "11"),
    "forget-me": (_erase_own_data, "12"),
    "erase-user": (_erase_user, "11"),
    "erase-room": (_erase_room, "12"),
}
_UNDONE = {"widget", "bot"}
_BY_US = {"widget", "bot", "forget-me", "erase-user", "erase-room"}
_OF_A_PERSON = {"forget-me", "erase-user"}


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_left(
    way: str, reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    clip: Path,
) -> None:  # fmt: skip
    erase, version = WAYS[way]
    case = await _case(reel, synapse, http, alice, clip, version)
    await erase(case)
    if way in _UNDONE:
        assert not await case.viewer.video(case.event_id), "it is gone for everybody at once"

    await _gone(case, WITHIN_S + (UNDO_S if way in _UNDONE else 0))
    if way in _BY_US:

        async def redacted() -> bool:
            return not await case.message()

        await eventually(redacted, what="the bot redacting the message")
    if way in _OF_A_PERSON or way == "erase-room":
        whom = case.user.user_id if way in _OF_A_PERSON else case.room_id
        outputs: list[tuple[int, str]] = []

        async def nothing() -> bool:
            # It looks for files of nobody, too, and those of another test may be going at this time.
            outputs.append(await case.admin("remains", whom))
            return outputs[-1][0] == 0

        await eventually(nothing, seconds=WITHIN_S, what=f"{whom} being gone")
        assert outputs[-1][1].strip() == f"Nothing is left of {whom}."
        assert all(said.startswith("folders of no video") for _, said in outputs[:-1]), outputs


async def test_what_is_left_is_said_before(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    case = await _case(reel, synapse, http, alice, clip, "12")
    for whom in (case.user.user_id, case.room_id):
        code, said = await case.admin("remains", whom)
        assert (code, "videos: 1" in said) == (1, True), said
    code, said = await case.admin("remains", "nobody")
    assert (code, "neither a user id" in said) == (2, True), said
    # Another's erasure leaves this one's, though the files on the disk are the same.
    other = await _case(reel, synapse, http, alice, clip, "12")
    assert "forget-me yes" in (await CommandSender(other.user, other.room_id)("!reel forget-me")).text
    assert (await CommandSender(other.user, other.room_id)("!reel forget-me yes")).reactions == ["✅"]
    await _gone(other)
    assert [(await case.viewer.fetch(url))[0] for url in case.urls] == [200] * len(case.urls)
    said_again = await CommandSender(other.user, other.room_id)("!reel forget-me yes please")
    assert said_again.reactions == ["❓"]


@asynccontextmanager
async def _admin(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    yield await synapse.user(f"admin-{secrets.token_hex(4)}", admin=True)


async def test_a_crash_in_the_middle_is_finished(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    async with _admin(synapse) as admin:
        spare.write_config(homeserver={"admin_token": admin.access_token})
    await spare.start()
    own = with_padding(clip, tmp_path / "own.mp4", str(tmp_path).encode())
    case = await _case(spare, synapse, http, alice, own, "12")
    mxc = (await case.message())["url"]
    banned = await _case(spare, synapse, http, alice, clip, "11")
    await spare.kill()

    # The row is empty, and all that follows is still to be done.
    await _erase_user(case)
    assert (spare.media / case.video["id"]).exists()
    code, said = await case.admin("remains", case.user.user_id)
    assert (code, "folders of no video: 1" in said) == (1, True), said
    # No event was delivered for this one.
    await _ban(banned)
    # Files of a video that was never heard of.
    stray = spare.media / "00000000-0000-4000-8000-000000000000" / "a-stage"
    stray.mkdir(parents=True)
    (stray / "index.m3u8").write_text("#EXTM3U")

    await spare.start()
    await _gone(case)
    await _gone(banned)
    assert not stray.parent.exists()

    async def original_gone() -> bool:
        try:
            await alice.request("GET", f"/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}")
        except MatrixError as error:
            return error.status == 404
        except (aiohttp.ClientError, ValueError):
            return False
        return False

    await eventually(original_gone, what="the homeserver's own copy being deleted")
    assert not await case.message()
    code, said = await case.admin("remains", case.user.user_id)
    assert code == 0, said


async def test_a_kill_while_it_goes_on(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    case = await _case(spare, synapse, http, alice, clip, "12")
    await _redact(case)
    for _ in range(400):
        rows = await spare.rows("SELECT FROM videos WHERE id = $1 AND visibility = 'removed'", case.video["id"])
        if rows:
            break
        await asyncio.sleep(0.01)
    await spare.kill()
    await spare.start()
    await _gone(case)
