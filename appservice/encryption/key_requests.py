"""Requests a missing room key of its sender's devices, and takes forwarded keys from those alone.

mautrix stores whatever key anybody forwards, as that of whomever they name. Import after `installation.install`.
Source: client-server API, "Key requests".
"""

import asyncio
import contextlib
import uuid
from typing import Any

import structlog
from mautrix.errors import MatrixConnectionError, MatrixRequestError
from mautrix.types import (
    DecryptedOlmEvent,
    DeviceID,
    DeviceIdentity,
    EventType,
    ForwardedRoomKeyEventContent,
    IdentityKey,
    RoomID,
    SessionID,
    TrustState,
    UserID,
)

from appservice.encryption.machine import Machine
from appservice.encryption.withheld import MEGOLM

log = structlog.get_logger()

_MOST_OPEN = 200
_MOST_DEVICES = 50
# Signed by its user's cross-signing keys, whether or not these were replaced since we saw them first: nobody is here
# who could approve of new ones.
CROSS_SIGNED = TrustState.CROSS_SIGNED_UNTRUSTED


class KeyRequests:
    """What we requested and have not got yet."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._open: dict[tuple[RoomID, SessionID], UserID] = {}
        machine.accepts_forwarded = self._accepts

    async def request(
        self, room_id: RoomID, sender: UserID, session_id: SessionID, *, sender_key: str | None, timeout_s: float
    ) -> bool:
        """Request a key of the devices of who sent what it encrypts, and wait; return whether it is there then.

        A key that is refused while we wait ends the wait. `sender_key` as in the event, if it is there.
        Returns False at once where the same is requested already, where too much is, or where there is no device.
        """
        key = room_id, session_id
        if key in self._open or len(self._open) >= _MOST_OPEN:
            return False
        self._open[key] = sender
        try:
            # From their homeserver: a device that is new has the key as well, and one that is gone does not answer.
            found = await self._machine.devices_of(sender, fresh=True)
            devices = list(found)[:_MOST_DEVICES]
            if not devices:
                return False
            return await self._ask_and_wait(room_id, sender, session_id, devices, sender_key, timeout_s)
        finally:
            del self._open[key]

    async def _ask_and_wait(
        self, room_id: RoomID, sender: UserID, session_id: SessionID, devices: list[DeviceID],
        sender_key: str | None, timeout_s: float,
    ) -> bool:  # fmt: skip
        request = {"request_id": uuid.uuid4().hex, "requesting_device_id": self._machine.client.device_id}
        body: dict[str, Any] = {"algorithm": MEGOLM, "room_id": room_id, "session_id": session_id}
        if sender_key:
            body["sender_key"] = sender_key
        arrival = asyncio.create_task(self._machine.wait_for_session(room_id, session_id, timeout_s))
        try:
            await asyncio.sleep(0)  # from here on nothing that comes is missed
            if not await self._machine.crypto_store.has_group_session(room_id, session_id):
                await self._send(sender, devices, {**request, "action": "request", "body": body})
                await arrival
                # Devices that are not online get request and cancellation together. Should it fail, they answer.
                with contextlib.suppress(MatrixRequestError, MatrixConnectionError):
                    await self._send(sender, devices, {**request, "action": "request_cancellation"})
        finally:
            arrival.cancel()
        return await self._machine.crypto_store.has_group_session(room_id, session_id)

    async def _send(self, user_id: UserID, devices: list[DeviceID], content: dict[str, Any]) -> None:
        messages: dict[UserID, dict[DeviceID, Any]] = {user_id: dict.fromkeys(devices, content)}
        await self._machine.client.send_to_device(EventType.ROOM_KEY_REQUEST, messages)

    async def _accepts(self, event: DecryptedOlmEvent) -> bool:
        """Say whether a key is one that we requested, from the device that has it or another of its user's."""
        key = event.content
        if not isinstance(key, ForwardedRoomKeyEventContent):
            return False
        if self._open.get((key.room_id, key.session_id)) != event.sender:
            log.info("forwarded_key_not_requested", sender=event.sender)
            return False
        device = await self._known_device(event.sender, event.sender_key, event.keys.ed25519)
        if device is None or not await self._may_forward(device, key):
            log.warning("forwarded_key_refused", sender=event.sender, session=key.session_id)
            return False
        key.forwarding_key_chain = []  # what it says is nobody's word; mautrix adds the device
        return True

    async def _known_device(
        self, user_id: UserID, identity_key: IdentityKey, signing_key: str
    ) -> DeviceIdentity | None:
        device = await self._machine.crypto_store.find_device_by_key(user_id, identity_key)
        return device if device and device.signing_key == signing_key else None

    async def _may_forward(self, device: DeviceIdentity, key: ForwardedRoomKeyEventContent) -> bool:
        if device.identity_key == key.sender_key:
            return bool(device.signing_key == key.signing_key)
        owner = await self._machine.crypto_store.find_device_by_key(device.user_id, key.sender_key)
        if owner is None or owner.signing_key != key.signing_key:
            return False
        return await self._machine.resolve_trust(device, allow_fetch=False) >= CROSS_SIGNED
