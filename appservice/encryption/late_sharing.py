"""Keys that we send by, for devices whose server did not respond when they were shared: they get them later.

Import after `installation.install`.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from mautrix.client import Client
from mautrix.types import DeviceID, DeviceIdentity, EventType, IdentityKey, RoomID, RoomKeyEventContent, UserID

from appservice.encryption.sharing import Missed, SharingMachine, by_user

log = structlog.get_logger()

_FIRST_RETRY_S, _LONGEST_RETRY_S = 30.0, 600.0
_PATIENCE_S = 86_400.0
_MOST = 1000


@dataclass
class _Late:
    """A session's key, as it was before its first message, and who has not got it."""

    room_id: RoomID
    key: RoomKeyEventContent
    users: set[UserID]
    devices: dict[IdentityKey, DeviceIdentity]
    since: float
    pause: float = _FIRST_RETRY_S
    due: float = field(init=False)

    def __post_init__(self) -> None:
        self.due = self.since + self.pause


class LateSharingMachine(SharingMachine):
    """Shares each key with those who could not get it, once they can; in memory: after a start there are new keys."""

    def __init__(self, client: Client, *stores: Any) -> None:  # noqa: ANN401  # as mautrix has them
        super().__init__(client, *stores)
        self._late: list[_Late] = []
        self.clock: Callable[[], float] = time.monotonic

    async def share_group_session(self, room_id: RoomID, users: list[UserID]) -> None:
        """Share a new key. Raises where the homeserver gave out no keys: mautrix would count it as shared."""
        with self.missing() as missed:
            await super().share_group_session(room_id, users)
        if missed.errors:
            await self.crypto_store.remove_outbound_group_session(room_id)
            raise missed.errors[0]
        await self._keep(room_id, missed)

    async def _keep(self, room_id: RoomID, missed: Missed) -> None:
        # Their devices may be known from before.
        users = {user_id for user_id in missed.users if await self.crypto_store.get_devices(user_id) is None}
        assert self.account is not None  # noqa: S101
        missed.devices.pop(self.account.identity_key, None)
        session = await self.crypto_store.get_outbound_group_session(room_id)
        if session and (users or missed.devices):
            log.info("key_shared_later", room=room_id, users=len(users), devices=len(missed.devices))
            self._late = self._late[-_MOST + 1 :]
            self._late.append(_Late(room_id, session.share_content, users, missed.devices, self.clock()))

    def drop_missed(self, room_id: RoomID) -> None:
        """Share none of a room's keys later."""
        self._late = [late for late in self._late if late.room_id != room_id]

    async def share_missed(self) -> None:
        """Share keys with those who could not get them, where that is to be tried again."""
        for late in [late for late in self._late if late.due <= self.clock()]:
            late.pause = min(2 * late.pause, _LONGEST_RETRY_S)
            late.due = self.clock() + late.pause
            await self._share_late(late)
        gone = self.clock() - _PATIENCE_S
        self._late = [late for late in self._late if (late.users or late.devices) and late.since > gone]

    async def _share_late(self, late: _Late) -> None:
        if late.users:
            found = await self._fetch_keys(sorted(late.users), include_untracked=True)
            for user_id, devices in found.items():
                late.users.discard(user_id)
                late.devices |= {device.identity_key: device for device in devices.values()}
        with self.missing() as missed:
            await self._create_outbound_sessions(by_user(late.devices.values()))
        able = [device for key, device in late.devices.items() if key not in missed.devices]
        if able:
            await self._send(late.key, able)
            log.info("key_shared", room=late.room_id, devices=len(able))
        for device in able:
            del late.devices[device.identity_key]

    async def _send(self, key: RoomKeyEventContent, devices: list[DeviceIdentity]) -> None:
        messages: defaultdict[UserID, dict[DeviceID, Any]] = defaultdict(dict)
        async with self.olm_lock:
            for device in devices:
                session = await self.crypto_store.get_latest_session(device.identity_key)
                if session is not None:
                    encrypted = await self._encrypt_olm_event(session, device, EventType.ROOM_KEY, key)
                    messages[device.user_id][device.device_id] = encrypted
            await self.client.send_to_device(EventType.TO_DEVICE_ENCRYPTED, messages)
