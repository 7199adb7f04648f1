"""An encrypted room beside a real homeserver: what the bot says there, what is taken, and what opting out leaves."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from appservice import resources
from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient
from appservice.demo.synapse import Synapse
from appservice.i18n import Texts
from tests.support.commands import CommandSender, response_to
from tests.support.encrypted_rooms import encrypting_user, plainly
from tests.support.installation import Installation
from tests.support.processes import suspended
from tests.support.rooms import make_room, wait_for_notice, wait_for_widget
from tests.support.uploads import Uploader
from tests.support.waiting import eventually
from transcode import Tools

MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": MEGOLM}
TEXTS = Texts(resources.locales(), "en")
WITHIN_S = 10


@pytest.fixture
async def encrypted(spare: Installation) -> AsyncIterator[Installation]:
    """A Roomreel whose operator has set up encrypted rooms."""
    spare.write_config(encryption={"key": "k" * 32})
    async with spare.running():
        yield spare


@pytest.fixture
async def people(synapse: Synapse) -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def anna(synapse: Synapse, people: AsyncExitStack) -> EncryptedClient:
    """Somebody in no other room."""
    return await encrypting_user(synapse, "anna", people)


@pytest.fixture
async def bob(synapse: Synapse, people: AsyncExitStack) -> EncryptedClient:
    return await encrypting_user(synapse, "bob", people)


@pytest.fixture
async def mallory(synapse: Synapse, people: AsyncExitStack) -> EncryptedClient:
    return await encrypting_user(synapse, "mallory", people)


async def _make_room(owner: MatrixClient, installation: Installation, *guests: MatrixClient) -> str:
    room_id = await owner.create_room(
        version="12", invite=[installation.bot, *(guest.user_id for guest in guests)], initial_state=[ENCRYPTION],
        user_levels={installation.bot: 50},
    )  # fmt: skip
    for guest in guests:
        await guest.join(room_id)
    await wait_for_widget(owner, room_id)
    return room_id


async def _remains(installation: Installation, room_id: str) -> str:
    return (await installation.command("admin", "-c", str(installation.config), "remains", room_id))[1]


def _sources(installation: Installation) -> list[Path]:
    """List the downloaded files of videos that are worked on."""
    # What is deleted meanwhile is passed over.
    return [Path(folder) / "source" for folder, _, names in os.walk(installation.folder / "data") if "source" in names]


async def _long_clip(tools: Tools, path: Path) -> Path:
    """Make a video that must be encoded: its container is not one that is copied from."""
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30",
        "-f", "lavfi", "-i", "sine=440", "-t", "40",
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


def _notices(events: list[dict[str, Any]], bot: str) -> list[str]:
    contents = [event["content"] for event in events if event["sender"] == bot]
    return [content["body"] for content in contents if content.get("msgtype") == "m.notice"]


async def test_videos_are_taken_from_enable_to_disable_and_nothing_is_left(
    encrypted: Installation, http: aiohttp.ClientSession, anna: EncryptedClient, bob: EncryptedClient, clip: Path
) -> None:
    room_id = await _make_room(anna, encrypted, bob)
    await wait_for_notice(anna, room_id, TEXTS.say("bot-encrypted", {"command": "!reel enable"}))
    early = await anna.send_video(room_id, clip)
    theirs, commands = CommandSender(bob, room_id), CommandSender(anna, room_id)
    # In order: what came after a command's response came after the video.
    refused = await theirs("!reel enable")
    assert (refused.reactions, refused.text) == (["❓"], TEXTS.say("bot-only-moderators"))
    viewer = await encrypted.viewer(http, anna, room_id)
    assert await viewer.video(early) is None
    enable = await anna.send_text(room_id, "!reel enable")
    said = await wait_for_notice(anna, room_id, "turned on videos in this encrypted room")
    assert anna.user_id in said
    assert "!reel disable" in said
    reactions = await anna.relations(room_id, enable, "m.annotation")
    assert [reaction["content"]["m.relates_to"]["key"] for reaction in reactions] == ["✅"]
    assert (await commands("!reel enable")).text.startswith("Videos are on here already: ")

    sent = await anna.send_video(room_id, clip)
    video = await viewer.video_in(sent, "ready")
    assert await viewer.video(early) is None
    assert (encrypted.media / video["id"]).exists()
    sure = await commands("!reel disable")
    assert "the copy of this room's one video" in sure.text
    assert "!reel disable yes" in sure.text
    assert await viewer.video(sent), "the bot requires a confirmation"
    await anna.send_text(room_id, "!reel disable yes")

    async def gone() -> bool:
        served = (await viewer.fetch(video["poster_url"]))[0] not in {403, 404, 410}
        return not (served or (encrypted.media / video["id"]).exists() or await viewer.videos())

    await eventually(gone, seconds=WITHIN_S, what="the videos of the room being gone")
    await wait_for_notice(anna, room_id, "the copy of one video that was kept here is erased")
    left = await _remains(encrypted, room_id)
    assert "video" not in left, left
    assert "upload" not in left, left
    # The message is its sender's, and so is its file.
    content = next(event["content"] for event in await anna.messages(room_id) if event["event_id"] == sent)
    assert await anna.download_encrypted(content["file"]) == clip.read_bytes()


async def test_a_video_in_progress_is_given_up(
    encrypted: Installation, http: aiohttp.ClientSession, anna: EncryptedClient, tools: Tools, tmp_path: Path
) -> None:
    room_id = await _make_room(anna, encrypted)
    await anna.send_text(room_id, "!reel enable")
    await wait_for_notice(anna, room_id, "turned on videos")
    viewer = await encrypted.viewer(http, anna, room_id)
    event_id = await anna.send_video(room_id, await _long_clip(tools, tmp_path / "long.mkv"))
    video = await viewer.video_in(event_id, "playable", "ready")
    folder = encrypted.media / video["id"]
    uploader = Uploader(viewer)
    assert (await uploader.create(10)).status == 201
    assert (await uploader.patch(0, b"12345")).status == 204

    async def encoding() -> list[psutil.Process]:
        return encrypted.ffmpegs()

    # Whatever the machine's speed, it is not done when the room is opted out.
    with suspended(await eventually(encoding, what="an ffmpeg")):
        assert folder.exists()
        assert _sources(encrypted)
        assert (await viewer.request("DELETE", f"/api/v1/rooms/{room_id}/opt-in"))[0] == 200

        async def nothing() -> bool:
            uploads = list(encrypted.uploads.iterdir())
            return not (folder.exists() or _sources(encrypted) or uploads or encrypted.ffmpegs())

        await eventually(nothing, seconds=WITHIN_S, what="nothing of it on the disk")
    assert encrypted.log_entries("video_superseded")
    left = await _remains(encrypted, room_id)
    assert "video" not in left, left
    assert "upload" not in left, left


async def test_who_joins_is_told_who_opted_in_together_with_the_others(
    encrypted: Installation, anna: EncryptedClient, bob: EncryptedClient, mallory: EncryptedClient
) -> None:
    room_id = await _make_room(anna, encrypted)
    await anna.send_text(room_id, "!reel enable")
    await wait_for_notice(anna, room_id, "turned on videos")
    for guest in (bob, mallory):
        await anna.invite(room_id, guest.user_id)
        await guest.join(room_id)
    text = await wait_for_notice(anna, room_id, f"{bob.user_id}, {mallory.user_id}: ")
    assert anna.user_id in text
    (told,) = [e["content"] for e in await anna.messages(room_id) if e.get("content", {}).get("body") == text]
    assert told["m.mentions"] == {"user_ids": [bob.user_id, mallory.user_id]}
    assert len([said for said in _notices(await anna.messages(room_id), encrypted.bot) if bob.user_id in said]) == 1


async def test_alone_with_the_bot_anybody_decides(encrypted: Installation, bob: EncryptedClient) -> None:
    room_id = await bob.create_room(invite=[encrypted.bot], direct=True, initial_state=[ENCRYPTION])
    await wait_for_notice(bob, room_id, TEXTS.say("bot-encrypted-direct", {"command": "enable"}))
    await bob.send_text(room_id, "enable")
    await wait_for_notice(bob, room_id, f"{bob.user_id} turned on videos")
    response = await response_to(bob, room_id, await bob.send_text(room_id, "help enable"))
    assert TEXTS.say("bot-help-enable") in response.text


async def test_a_room_that_is_encrypted_later_keeps_what_it_has_and_waits_for_consent(
    encrypted: Installation, http: aiohttp.ClientSession, anna: EncryptedClient, clip: Path
) -> None:
    room_id = await make_room(anna, encrypted)
    viewer = await encrypted.viewer(http, anna, room_id)
    plain = await anna.send_video(room_id, clip)
    await viewer.video_in(plain, "ready")
    await anna.send_state(room_id, "m.room.encryption", MEGOLM)
    await wait_for_notice(anna, room_id, TEXTS.say("bot-encrypted-since", {"command": "!reel enable"}))
    later = await anna.send_video(room_id, clip)
    assert (await CommandSender(anna, room_id)("!reel version")).text
    assert await viewer.video(later) is None
    assert (await viewer.video_in(plain, "ready"))["id"]


async def test_a_room_hears_of_it_when_the_operator_sets_it_up_later(
    spare: Installation, anna: EncryptedClient
) -> None:
    async with spare.running():
        room_id = await anna.create_room(
            version="12", invite=[spare.bot], initial_state=[ENCRYPTION], user_levels={spare.bot: 50}
        )
        await wait_for_notice(anna, room_id, TEXTS.say("bot-unserved"))
        async with plainly(anna) as plain:
            refused = await CommandSender(plain, room_id)("!reel enable")
        assert refused.text == TEXTS.say("bot-unserved-command")
    spare.write_config(encryption={"key": "k" * 32})
    async with spare.running():
        await wait_for_notice(anna, room_id, TEXTS.say("bot-encrypted", {"command": "!reel enable"}))
        await wait_for_widget(anna, room_id)


async def test_nothing_of_an_encrypted_room_is_said_where_nothing_is_encrypted(
    encrypted: Installation, http: aiohttp.ClientSession, anna: EncryptedClient, clip: Path
) -> None:
    room_id, plain = await _make_room(anna, encrypted), await make_room(anna, encrypted)
    direct = await anna.create_room(invite=[encrypted.bot], direct=True)
    await anna.send_text(room_id, "!reel enable")
    await wait_for_notice(anna, room_id, "turned on videos")
    viewer, other = await encrypted.viewer(http, anna, room_id), await encrypted.viewer(http, anna, plain)
    secret, said = await asyncio.gather(
        anna.send_video(room_id, clip, body="secret"), anna.send_video(plain, clip, body="said")
    )
    await asyncio.gather(viewer.video_in(secret, "ready"), other.video_in(said, "ready"))
    listed = await CommandSender(anna, direct)("mine")
    assert ("said" in listed.text, "secret" in listed.text) == (True, False)
    here = await CommandSender(anna, room_id)("!reel mine")
    assert "secret" in here.text
    waiting = await CommandSender(anna, direct)("queue")
    assert TEXTS.say("bot-not-said-here") in waiting.text
