"""A person's Matrix client that encrypts, for the demo and the tests: on matrix-nio, nothing of ours.

Source: client-server API, "End-to-end encryption", https://spec.matrix.org/v1.17/client-server-api/#end-to-end-encryption.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from appservice.core.model import DEFAULT_ROTATION, KeyRotation
from appservice.demo.client import Content, MatrixClient, MatrixError
from appservice.demo.crypto_device import CryptoDevice, sign_in

_ENCRYPTION = "m.room.encryption"
_WAIT_S = 60.0
# A key comes to this device apart from the event, of which whoever wants it decrypted may have heard first.
_KEY_WAIT_S = 5.0


class EncryptedClient(MatrixClient):
    """A user on one device: what it sends to encrypted rooms is encrypted, and what it reads there is decrypted.

    It trusts every device on first use. Made by `open_device`.
    """

    def __init__(self, base_url: str, device: CryptoDevice) -> None:
        super().__init__(base_url, device.access_token, device.user_id)
        self._device = device

    @property
    def device_id(self) -> str:
        """The device's id."""
        return self._device.device_id

    async def close(self) -> None:
        """Stop syncing and close the connections: its keys are gone, the device stays at the homeserver."""
        await self._device.close()
        await super().close()

    async def logout(self) -> None:
        """Sign out, with which the homeserver deletes the device."""
        await self._device.stop()
        await self.request("POST", "/_matrix/client/v3/logout", json={})

    async def delete_device(self, device_id: str, password: str) -> None:
        """Delete a device of this user's, by their password."""
        user = {"type": "m.id.user", "user": self.user_id}
        auth = {"type": "m.login.password", "identifier": user, "password": password}
        await self.request("POST", "/_matrix/client/v3/delete_devices", json={"devices": [device_id], "auth": auth})

    async def create_encrypted_room(
        self,
        *,
        name: str | None = None,
        invite: Sequence[str] = (),
        user_levels: Mapping[str, int] | None = None,
        rotation: KeyRotation = DEFAULT_ROTATION,
    ) -> str:
        """Create a room that is encrypted from the beginning, and return its id."""
        state = {"type": _ENCRYPTION, "state_key": "", "content": _content_of(rotation)}
        return await self.create_room(name=name, invite=invite, user_levels=user_levels, initial_state=[state])

    async def create_direct_chat(self, user_id: str) -> str:
        """Invite a user to an encrypted direct chat, as clients begin one, and return its id."""
        state = {"type": _ENCRYPTION, "state_key": "", "content": _content_of(DEFAULT_ROTATION)}
        room_id = await self.create_room(
            invite=[user_id], preset="trusted_private_chat", direct=True, initial_state=[state]
        )
        path = f"/_matrix/client/v3/user/{quote(self.user_id, safe='')}/account_data/m.direct"
        await self.request("PUT", path, json={user_id: [room_id]})
        return room_id

    async def encrypt_room(self, room_id: str, rotation: KeyRotation = DEFAULT_ROTATION) -> None:
        """Turn on encryption in a room, or change after how much its keys are replaced."""
        await self.send_state(room_id, _ENCRYPTION, _content_of(rotation))

    async def send_event(
        self, room_id: str, event_type: str, content: Mapping[str, Any], transaction_id: str | None = None
    ) -> str:
        """Send an event, encrypted where the room is, and return its id.

        Clients send reactions in clear everywhere: the homeserver aggregates them.
        """
        rotation = await self._rotation(room_id)
        if rotation is None or event_type == "m.reaction":
            return await super().send_event(room_id, event_type, content, transaction_id)
        members = await self.joined_members(room_id)
        return await self._device.send(
            room_id, event_type, dict(content), members=members.keys(), rotation=rotation, transaction_id=transaction_id
        )

    async def attach(self, room_id: str, path: Path, content_type: str) -> Content:
        """As `MatrixClient.attach`, encrypted where the room is.

        An encrypted thumbnail is `thumbnail_file` and `thumbnail_info` of a video's `info`.
        """
        if await self._rotation(room_id) is None:
            return await super().attach(room_id, path, content_type)
        return {"filename": path.name, "file": await self.upload_encrypted(path)}

    async def upload_encrypted(self, path: Path) -> Content:
        """Encrypt a file, upload it as a stream, and return its `EncryptedFile` (`file` of an event)."""
        return await self._device.upload(path)

    async def download_encrypted(self, file: Mapping[str, Any]) -> bytes:
        """Download an attachment by its `EncryptedFile`, and decrypt it. Raises ValueError unless it is whole."""
        return await self._device.download(file)

    async def messages(self, room_id: str, limit: int = 100) -> list[Content]:
        """Return the newest events of the timeline, oldest first, decrypted as far as this device has the keys."""
        return self.decrypted(room_id, await super().messages(room_id, limit))

    async def decrypt(self, room_id: str, events: Sequence[Content], *, seconds: float = _KEY_WAIT_S) -> list[Content]:
        """Return events of a room decrypted, and those as they are whose keys do not come within `seconds`."""
        found = self.decrypted(room_id, events)

        def are_decrypted() -> bool:
            found[:] = self.decrypted(room_id, events)
            return not any(event["type"] == "m.room.encrypted" and event["content"] for event in found)

        with suppress(TimeoutError):
            await self._device.wait_until(are_decrypted, seconds)
        return found

    def decrypted(self, room_id: str, events: Sequence[Content]) -> list[Content]:
        """Return events of a room decrypted, and those as they are whose keys are not here by now."""
        return [self._device.decrypted(event, room_id) for event in events]

    async def wait_for(
        self, room_id: str, predicate: Callable[[Content], bool], *, seconds: float = _WAIT_S
    ) -> Content:
        """Return the first event of a room, of those that came since it signed in, that fits; raises TimeoutError.

        `decrypted` of it is true where it was encrypted. What cannot be decrypted is an `m.room.encrypted`, and comes
        once more when its key has come.
        """
        found: list[Content] = []

        def is_there() -> bool:
            found[:] = [event for event in self._device.received if event["room_id"] == room_id and predicate(event)]
            return bool(found)

        await self._device.wait_until(is_there, seconds)
        return found[0]

    def session_id(self, room_id: str) -> str | None:
        """Return the id of the key by which this device encrypts in a room; None before it has sent anything."""
        return self._device.session_id(room_id)

    async def _rotation(self, room_id: str) -> KeyRotation | None:
        """Return after how much keys are replaced in a room; None where it is not encrypted."""
        try:
            content = await self.get_state(room_id, _ENCRYPTION)
        except MatrixError as error:
            if error.status != 404:
                raise
            return None
        return KeyRotation(
            int(content.get("rotation_period_ms", DEFAULT_ROTATION.period_ms)),
            int(content.get("rotation_period_msgs", DEFAULT_ROTATION.period_msgs)),
        )


def _content_of(rotation: KeyRotation) -> Content:
    return {
        "algorithm": "m.megolm.v1.aes-sha2",
        "rotation_period_ms": rotation.period_ms,
        "rotation_period_msgs": rotation.period_msgs,
    }


@asynccontextmanager
async def open_device(base_url: str, user_id: str, password: str, name: str = "") -> AsyncIterator[EncryptedClient]:
    """Sign in with a new device, which has its keys until the end of the block; another call is a second device."""
    device = await sign_in(base_url.rstrip("/"), user_id, password, name)
    async with EncryptedClient(base_url, device) as client:
        await device.start()
        yield client
