"""Keys that a member's client shares with the bot's invitation (MSC4268) let it read what was sent before it came."""

import base64
import secrets
from pathlib import Path
from typing import Any

import aiohttp

from appservice.demo.synapse import Synapse
from tests.support.encrypted_rooms import has_logged, renew_device
from tests.support.installation import Installation
from tests.support.rust_client import RustClient, rust_client
from tests.support.waiting import eventually

_ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


async def _send(client: RustClient, room_id: str, members: list[str], content: dict[str, Any]) -> str:
    for member in members:
        await client.learn(member)
    await client.share_key(room_id, members)
    encrypted = await client.device.call("encrypt", room_id, "m.room.message", content)
    return await client.user.send_event(room_id, "m.room.encrypted", encrypted)


async def _video(client: RustClient, clip: Path) -> dict[str, Any]:
    sealed = await client.device.call("encrypt_attachment", base64.b64encode(clip.read_bytes()).decode())
    url = await client.user.upload(base64.b64decode(sealed["data"]), "application/octet-stream")
    info = {"mimetype": "video/mp4", "size": clip.stat().st_size}
    return {"msgtype": "m.video", "body": clip.name, "file": {**sealed["file"], "url": url}, "info": info}


async def test_a_video_of_before_plays_once_its_history_is_asked_for(
    service: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path
) -> None:
    async with service.running():
        await eventually(lambda: has_logged(service, "encryption_owned"), what="the bot's device")
    await renew_device(service)  # cross-signed by keys of this database: Element shares with no other
    async with service.running(), await synapse.user(f"element-{secrets.token_hex(4)}") as user, rust_client(
        user
    ) as element:  # fmt: skip
        await element.cross_sign()
        room_id = await user.create_room(initial_state=[_ENCRYPTED], user_levels={service.bot: 50})
        old = await _send(element, room_id, [user.user_id], {"msgtype": "m.text", "body": "!reel help"})
        before = await _send(element, room_id, [user.user_id], await _video(element, clip))
        await element.learn(service.bot)
        await element.send_bundle(room_id, service.bot)
        await user.invite(room_id, service.bot)

        async def is_there() -> bool:
            # The homeserver knows of it before the service does.
            known = await service.rows("SELECT FROM rooms WHERE room_id = $1 AND bot_membership = 'join'", room_id)
            return bool(known) and service.bot in await user.joined_members(room_id)

        await eventually(is_there, what="the bot in the room")
        members = [user.user_id, service.bot]
        for command in ("!reel enable", "!reel room history 10"):
            await _send(element, room_id, members, {"msgtype": "m.text", "body": command})
        viewer = await service.viewer(http, user, room_id)
        await viewer.video_in(before, "ready")
        # What was said before the bot came was not said to it.
        assert await service.rows("SELECT FROM encrypted_events WHERE event_id = $1", old) == []
        assert await service.rows("SELECT FROM commands WHERE event_id = $1", old) == []
