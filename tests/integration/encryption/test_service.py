"""The service in encrypted rooms, with people's encrypting clients: what they send plays, what it says is encrypted."""

import base64
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.core.model import KeyRotation
from appservice.demo.client import Content, MatrixClient
from appservice.demo.encrypted_client import EncryptedClient, open_device
from appservice.demo.synapse import free_port
from tests.support.commands import CommandSender, response_to
from tests.support.encrypted_rooms import (
    PASSWORD,
    People,
    bot_joins,
    device_is_owned,
    has_logged,
    make_encrypted_room,
    opt_in,
    plainly,
)
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.waiting import eventually


async def _kinds_said(service: Installation, reader: MatrixClient, room_id: str) -> list[str]:
    """Return the types of the bot's messages as somebody sees them, oldest first."""
    said = [event for event in await reader.messages(room_id) if event["sender"] == service.bot]
    return [event["type"] for event in said if "state_key" not in event]


def says(part: str) -> Callable[[Content], bool]:
    return lambda event: part in event["content"].get("body", "")


async def test_a_video_plays_for_members_and_what_the_bot_says_is_encrypted(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        event_id = await ada.send_video(room_id, clip, body="The lake")
        viewer = await service.viewer(http, ben, room_id)
        video = await viewer.video_in(event_id, "ready")
        assert (video["title"], video["failure"]) == ("The lake", None)
        response = await CommandSender(ada, room_id)(f"!reel list {ada.user_id}")
        assert "The lake" in response.text
        assert (await ben.wait_for(room_id, says("The lake")))["decrypted"]
        async with plainly(ada) as plain:
            assert set(await _kinds_said(service, plain, room_id)) == {"m.room.encrypted"}
        # An edit of the caption, and a redaction.
        content = {"msgtype": "m.video", "body": "The frozen lake", "filename": clip.name}
        replaced = next(e for e in await ada.messages(room_id) if e["event_id"] == event_id)["content"]
        relation = {"rel_type": "m.replace", "event_id": event_id}
        await ada.send_event(
            room_id, "m.room.message", {**content, "m.new_content": {**replaced, **content}, "m.relates_to": relation}
        )

        async def is_renamed() -> bool:
            known = await viewer.video(event_id)
            return known is not None and known["title"] == "The frozen lake"

        await eventually(is_renamed, what="the edited caption")
        await ada.redact(room_id, event_id)

        async def is_gone() -> bool:
            return await viewer.video(event_id) is None

        await eventually(is_gone, what="the redacted video going")


async def test_a_direct_chat_that_a_client_makes(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with service.running():
        await device_is_owned(service)
        room_id = await bot_joins(ada, service, await ada.create_direct_chat(service.bot))
        ask = CommandSender(ada, room_id)
        assert "help [COMMAND]" in (await ask("help")).text  # alone with it, no prefix is needed
        await opt_in(ada, service, room_id)
        event_id = await ada.send_video(room_id, clip)
        await (await service.viewer(http, ada, room_id)).video_in(event_id, "ready")


async def test_what_is_sent_while_the_service_is_down_is_not_lost(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    """More new devices than the bot has one-time keys send a message each."""
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        await CommandSender(ada, room_id)("!reel help")
    video = await ada.send_video(room_id, clip)
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(open_device(ada.base_url, ada.user_id, PASSWORD, f"{number}"))
            for number in range(30)
        ]
        sent = [await device.send_text(room_id, "!reel help") for device in devices]
        async with service.running():
            await (await service.viewer(http, ben, room_id)).video_in(video, "ready")
            for event_id in sent:
                assert "!reel" in (await response_to(ben, room_id, event_id)).text


async def _sessions(service: Installation, user: EncryptedClient, room_id: str) -> list[str]:
    """Return the ids of the keys by which the bot's messages are encrypted, oldest first."""
    async with plainly(user) as plain:
        events = await plain.messages(room_id)
    return [
        event["content"]["session_id"] for event in events
        if event["sender"] == service.bot and event["type"] == "m.room.encrypted"
    ]  # fmt: skip


async def test_keys_are_replaced_after_as_many_messages_as_the_room_says(service: Installation, people: People) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben, rotation=KeyRotation(period_msgs=2))
        ask = CommandSender(ada, room_id)
        for _ in range(4):
            await ask("!reel help")
        sessions = await _sessions(service, ada, room_id)
        assert max(map(sessions.count, sessions)) == 2


async def test_keys_are_replaced_after_as_long_as_the_room_says(service: Installation, people: People) -> None:
    ada, ben = people
    age = "UPDATE crypto_megolm_outbound_session SET created_at = created_at - $1::interval"
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben, rotation=KeyRotation(period_ms=2 * 86_400_000))
        ask = CommandSender(ada, room_id)
        last = []
        for hours in (0, 47, 2):
            await service.rows(age, timedelta(hours=hours))
            await ask("!reel help")
            last.append((await _sessions(service, ada, room_id))[-1])
        assert last[0] == last[1] != last[2]


async def test_a_tampered_attachment_is_refused_with_a_reason_of_its_own(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service)
        file = await ada.upload_encrypted(clip)
        hashes = {"sha256": base64.b64encode(bytes(32)).decode().rstrip("=")}
        content = {"msgtype": "m.video", "body": "v.mp4", "file": {**file, "hashes": hashes}, "info": {}}
        event_id = await ada.send_event(room_id, "m.room.message", content)
        video = await (await service.viewer(http, ada, room_id)).video_in(event_id, "failed")
        assert video["failure"]["code"] == "hash-mismatch"


def _beside(service: Installation) -> Installation:
    """Return another process of the same installation, with ports of its own."""
    second = Installation(service.folder / "second", service.synapse, dict(service.settings), launch=service.launch)
    second.folder.mkdir()
    port = free_port()
    second.write_config(
        web={"port": port, "public_url": f"http://127.0.0.1:{port}"}, metrics={"port": free_port()},
        data_dir=str(service.folder / "data"),
    )  # fmt: skip
    return second


@asynccontextmanager
async def _balanced(service: Installation, second: Installation, http: aiohttp.ClientSession) -> AsyncIterator[None]:
    """Pass on to the second process what the homeserver sends to the first, which is gone, as a load balancer does."""

    async def handle(request: web.Request) -> web.Response:
        return await pass_on(http, second.url, request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, port=service.settings["web"]["port"]):
        yield


def _device_ids(service: Installation) -> set[str]:
    """Return which devices the service had; one may be taken again by whom a check of its lock came too late."""
    return {entry["device_id"] for entry in service.log_entries("encryption_owned")}


async def test_another_process_takes_over_when_the_owner_is_killed(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        second = _beside(service)
        async with second.running():
            await service.kill()
            owns = partial(has_logged, second, "encryption_owned")
            await eventually(owns, seconds=20, what="the other process owning the device")
            async with _balanced(service, second, http):
                event_id = await ada.send_video(room_id, clip)
                await (await second.viewer(http, ben, room_id)).video_in(event_id, "ready")
            assert _device_ids(second) == _device_ids(service)


async def test_a_process_that_was_stopped_has_lost_the_device_when_it_goes_on(
    service: Installation, people: People
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        second = _beside(service)
        async with second.running():
            assert service.process
            service.process.send_signal(signal.SIGSTOP)
            owns = partial(has_logged, second, "encryption_owned")
            try:
                await eventually(owns, what="the other process owning the device")
            finally:
                service.process.send_signal(signal.SIGCONT)
            has_noticed = partial(has_logged, service, "encryption_interrupted")
            await eventually(has_noticed, what="the stopped process knowing that it owns nothing any more")
            await response_to(ben, room_id, await ada.send_text(room_id, "!reel help"))
            for each in (service, second):
                assert not each.log_entries("encryption_broken")
            assert _device_ids(second) == _device_ids(service)
