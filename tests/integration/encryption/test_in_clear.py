"""Nothing of an encrypted room is sent in clear: neither before its event came, nor without the packages."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from appservice import resources
from appservice.core.errors import HomeserverError
from appservice.core.model import EventId, RoomId, UserId
from appservice.demo.client import MatrixClient
from appservice.encryption.keyring import new_keyring
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores, open_pool
from tests.support.commands import CommandSender
from tests.support.encrypted_rooms import People, make_encrypted_room, plainly
from tests.support.installation import Installation
from tests.support.launch import execute
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually

TEXTS = Texts(resources.locales(), "en")
MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}

Say = Callable[[HomeserverClient, RoomId, EventId], Awaitable[object]]
# Each way to say something in a room.
WAYS: dict[str, Say] = {
    "notice": lambda bot, room, event: bot.send_notice(room, "secret", once="a"),
    "answer": lambda bot, room, event: bot.send_notice(room, "secret", once="b", thread=event),
    "edit": lambda bot, room, event: bot.edit_notice(room, event, "secret", once="c"),
    "image": lambda bot, room, event: bot.send_image(room, {"url": "mxc://x/y"}, "secret", {}, once="d"),
    "reaction": lambda bot, room, event: bot.send_reaction(room, event, "secret"),
    "comment": lambda bot, room, event: bot.comment(room, {"msgtype": "m.text", "body": "secret"}, once="e"),
    "annotation": lambda bot, room, event: bot.annotate(room, {"secret": True}, once="f"),
}


async def _in_clear(reader: MatrixClient, room_id: str, sender: str) -> list[str]:
    """Return what somebody said in a room, and was not encrypted."""
    async with MatrixClient(reader.base_url, reader.access_token, reader.user_id) as plain:
        events = await plain.messages(room_id)
    return [
        str(event["content"].get("body", event["type"]))
        for event in events
        if event["sender"] == sender
        and "state_key" not in event
        and event["type"] not in {"m.room.encrypted", "m.room.redaction"}
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_a_room_is_encrypted_before_its_event_came(
    way: str, dsn: str, bot: MatrixClient, someone: MatrixClient, http: aiohttp.ClientSession
) -> None:
    """As after days of downtime, while the homeserver still holds back its transactions."""
    async with await open_pool(dsn, size=3) as pool:
        stores = Stores(pool, decrypting=True, sealing=new_keyring())
        homeserver = HomeserverClient(
            http, bot.base_url, bot.access_token, "id", UserId(bot.user_id), encrypting=stores.outgoing
        )
        room_id = RoomId(await someone.create_room(invite=[bot.user_id]))
        await bot.join(room_id)
        await homeserver.send_notice(room_id, "welcome", once="welcome")
        event_id = EventId(await someone.send_text(room_id, "Hello!"))
        await someone.send_state(room_id, "m.room.encryption", {**MEGOLM, "rotation_period_msgs": 7})
        with pytest.raises(HomeserverError, match="roomreel serve"):  # nobody encrypts here: it waits
            await WAYS[way](homeserver, room_id, event_id)
        assert await _in_clear(someone, room_id, bot.user_id) == ["welcome"]
        (waiting,) = await stores.outgoing.due(10)
        assert (waiting.room_id, "secret" in str(waiting.content)) == (room_id, True)
        rotation = await stores.rooms.rotation(room_id)
        assert rotation is not None
        assert rotation.period_msgs == 7
        assert await pool.fetch("SELECT FROM pgqueuer WHERE payload = convert_to($1, 'UTF8')", room_id)


async def test_a_worker_that_knows_of_no_encryption_yet_says_nothing_in_clear(
    service: Installation, people: People, tmp_path: Path
) -> None:
    ada, _ = people
    async with service.running():
        room_id = await make_room(ada, service)
        await wait_for_notice(ada, room_id, "has a screen now")
    # Nobody receives what the homeserver has to say, and a worker has something to say of a video.
    broken = tmp_path / "broken.mp4"
    await asyncio.to_thread(broken.write_bytes, b"no video at all")
    await service.start(command=("serve", "--no-worker"))
    event_id = await ada.send_video(room_id, broken)

    async def is_queued() -> bool:
        return bool(await service.rows("SELECT FROM videos WHERE room_id = $1", room_id))

    await eventually(is_queued, what="the video's row")
    await service.stop()
    await service.rows("DELETE FROM pgqueuer WHERE entrypoint <> 'video'")  # of the start, which read the rooms' state
    before = await _in_clear(ada, room_id, service.bot)
    await ada.encrypt_room(room_id)
    assert await service.rows("SELECT FROM rooms WHERE room_id = $1 AND NOT encrypted", room_id)
    await service.start(wait=False, command=("work",))

    async def waits() -> bool:
        return bool(await service.rows("SELECT FROM outgoing_events WHERE room_id = $1", room_id))

    await eventually(waits, what="something to be encrypted")
    await service.stop()
    assert await _in_clear(ada, room_id, service.bot) == before
    async with service.running():
        await wait_for_notice(ada, room_id, "", thread=event_id)
    assert await _in_clear(ada, room_id, service.bot) == before


def _without_packages(service: Installation, folder: Path) -> Installation:
    """Return it as if the extra's packages were not installed."""
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['vodozemac'] = None\n")
    launch = partial(execute, env={"PYTHONPATH": str(folder)})
    return Installation(service.folder, service.synapse, service.settings, launch=launch)


async def test_without_the_packages_nothing_is_said_but_that_they_are_missing(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path, tmp_path: Path
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        viewer = await service.viewer(http, ada, room_id)
        await viewer.video_in(await ada.send_video(room_id, clip, body="The lake"), "ready")
    before = await _in_clear(ada, room_id, service.bot)
    assert before == []
    unequipped = _without_packages(service, tmp_path)
    async with unequipped.running(), plainly(ada) as plain:
        assert unequipped.log_entries("encryption_not_installed")
        await wait_for_notice(plain, room_id, TEXTS.say("bot-unserved-since"))
        # In clear, as a client without encryption sends it.
        for command in (f"!reel list {ada.user_id}", "!reel mine", "!reel disable"):
            assert (await CommandSender(plain, room_id)(command)).text == TEXTS.say("bot-unserved-command")
    said = await _in_clear(ada, room_id, service.bot)
    assert set(said) == {TEXTS.say("bot-unserved-since"), TEXTS.say("bot-unserved-command")}


async def test_a_worker_needs_the_key_alone(
    service: Installation, people: People, clip: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """What it has to say, the process that has the packages encrypts."""
    ada, _ = people
    await service.start(command=("serve", "--no-worker"))
    unequipped = _without_packages(service, tmp_path)
    await unequipped.start(wait=False, command=("work",))
    try:
        room_id = await make_encrypted_room(ada, service)
        assert "!reel" in (await CommandSender(ada, room_id)("!reel help")).text
        viewer = await service.viewer(http, ada, room_id)
        await viewer.video_in(await ada.send_video(room_id, clip, body=secrets.token_hex(4)), "ready")
        assert await _in_clear(ada, room_id, service.bot) == []
    finally:
        await unequipped.stop()
        await service.stop()
