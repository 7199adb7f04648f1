"""Encrypted rooms of people's encrypting clients with a Roomreel that serves them."""

import base64
import hashlib
import secrets
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from appservice.core.model import KeyRotation
from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient, open_device
from appservice.demo.synapse import Synapse
from tests.support.installation import Installation
from tests.support.waiting import eventually

PASSWORD = "secret"
KEY = "a key of the tests, long enough to be one"

People = tuple[EncryptedClient, EncryptedClient]


async def encrypting_user(synapse: Synapse, name: str, stack: AsyncExitStack) -> EncryptedClient:
    """Sign in a new user on a device that encrypts."""
    async with await synapse.user(f"{name}-{secrets.token_hex(4)}", PASSWORD) as user:
        return await stack.enter_async_context(open_device(synapse.base_url, user.user_id, PASSWORD, "phone"))


async def device_is_owned(service: Installation) -> None:
    """Wait until the service, since its last start, has a device whose keys others can query.

    The homeserver may have older ones of the bot: who sends before encrypts for these alone.
    """

    async def is_owned() -> bool:
        events = [entry.get("event") for entry in service.log_entries()]
        return "encryption_owned" in events[max(n for n, event in enumerate(events) if event == "listening") :]

    await eventually(is_owned, what="the bot's device")


async def bot_joins(owner: MatrixClient, service: Installation, room_id: str) -> str:
    """Wait until the bot is in a room, and return the room."""

    async def is_there() -> bool:
        return service.bot in await owner.joined_members(room_id)

    await device_is_owned(service)
    await eventually(is_there, what="the bot in an encrypted room")
    return room_id


async def opt_in(owner: EncryptedClient, service: Installation, room_id: str) -> str:
    """Opt a room in by the command once the bot has explained that, and return the room."""
    # It may join before its first device is there, which alone could get the key of the command.
    await owner.wait_for(room_id, lambda event: event["sender"] == service.bot and event["type"] == "m.room.message")
    await owner.send_text(room_id, "!reel enable")

    async def is_opted_in() -> bool:
        return bool(await service.rows("SELECT FROM rooms WHERE room_id = $1 AND opted_in_by <> ''", room_id))

    await eventually(is_opted_in, what="the room being opted in")
    return room_id


async def make_encrypted_room(
    owner: EncryptedClient, service: Installation, *guests: MatrixClient, rotation: KeyRotation | None = None
) -> str:
    """Create an encrypted room with the bot and guests, which its owner opts in."""
    await device_is_owned(service)
    room_id = await owner.create_encrypted_room(
        invite=[service.bot, *(guest.user_id for guest in guests)], user_levels={service.bot: 50},
        rotation=rotation or KeyRotation(),
    )  # fmt: skip
    for guest in guests:
        await guest.join(room_id)
    await bot_joins(owner, service, room_id)
    return await opt_in(owner, service, room_id)


async def has_logged(service: Installation, event: str) -> bool:
    """Say whether the service has logged an event by now."""
    return bool(service.log_entries(event))


def plainly(user: EncryptedClient) -> MatrixClient:
    """Return a client of the user's that decrypts nothing."""
    return MatrixClient(user.base_url, user.access_token, user.user_id)


async def renew_device(service: Installation) -> None:
    """Give the bot a new device, and cross-signing keys of this database, while the service is stopped."""
    # The bot is other tests' as well, whose databases have its recovery key.
    code, output = await service.command("admin", "-c", str(service.config), "renew-device", "--reset-cross-signing")
    assert code == 0, output
    assert "The new recovery key, which is not shown again: " in output


async def _at_homeserver(user: MatrixClient, http: aiohttp.ClientSession, mxc: str) -> tuple[str, bytes]:
    """Return the media type and the bytes that the homeserver has of a file."""
    path = f"/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"
    headers = {"Authorization": f"Bearer {user.access_token}"}
    async with http.get(user.base_url + path, headers=headers) as response:
        assert response.status == 200
        return response.content_type, await response.read()


async def check_ciphertext(user: EncryptedClient, http: aiohttp.ClientSession, file: dict[str, Any]) -> bytes:
    """Check that the homeserver has nothing but the ciphertext of a file, and return the file."""
    kind, stored = await _at_homeserver(user, http, file["url"])
    assert kind == "application/octet-stream"
    assert file["hashes"]["sha256"] == base64.b64encode(hashlib.sha256(stored).digest()).decode().rstrip("=")
    plain = await user.download_encrypted(file)
    assert len(stored) == len(plain)
    assert stored[:64] != plain[:64]
    return plain
