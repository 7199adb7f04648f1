"""What keeps the bot's device well beside its work: a look at it, keys that come late, that are erased, or too old."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError
from appservice.core.model import RoomId, UserId
from appservice.encryption.errors import DeviceLostError
from appservice.store import Stores
from appservice.worker.late_keys import KeysCame, notify_nobody

if TYPE_CHECKING:
    from appservice.encryption.device import Device
    from appservice.encryption.key_bundle import Download

log = structlog.get_logger()

_LOOK_S = 2.0
_KEEP_DAYS = 30
"""How long an event waits for its key, and what was sent is known."""
_CHORES_S = 3600.0


@dataclass
class DeviceCare:
    """Looks after the device while this process owns it; one instance for a process."""

    stores: Stores
    download: "Download"
    keys_came: KeysCame = notify_nobody
    """Gets the sessions whose keys came, or were refused."""

    async def run(self, device: "Device") -> None:
        """Look after it until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (self._do_chores, self._import_bundles, self._erase_keys, self._share_missed):
                group.create_task(work(device))

    async def _do_chores(self, device: "Device") -> None:
        while True:
            await self.examine(device)
            if lost := await self.stores.encrypted_events.expire(_KEEP_DAYS):
                log.warning("encrypted_events_expired", events=lost)
            await self.stores.outgoing.expire(_KEEP_DAYS)
            if pruned := await device.prune_keys():
                log.info("keys_pruned", **pruned)
            await asyncio.sleep(_CHORES_S)

    async def examine(self, device: "Device") -> None:
        """Log what is wrong with the device. Raises DeviceLostError where it is gone."""
        try:
            findings = await device.findings()
        except HomeserverError:
            return  # who comes to it next says so
        for finding in findings:
            if finding.code == "device-gone":
                raise DeviceLostError(finding.text)
            log.log(logging.ERROR if finding.is_broken else logging.WARNING, "device_not_well", reason=finding.text)

    async def _erase_keys(self, device: "Device") -> None:
        while True:
            while await device.erase_keys():
                pass
            await asyncio.sleep(_LOOK_S)

    async def _share_missed(self, device: "Device") -> None:
        while True:
            try:
                await device.share_missed()
            except HomeserverError as error:
                log.info("keys_not_shared", reason=str(error))
            await asyncio.sleep(_LOOK_S)

    async def _import_bundles(self, device: "Device") -> None:
        """Import keys that were shared with the invitations which the bot accepted."""
        tried: dict[tuple[str, str], float] = {}
        while True:
            for room_id, inviter in await self.stores.encrypted_events.bundles():
                # One that cannot be trusted may be later: its sender may verify the device.
                if time.monotonic() - tried.get((room_id, inviter), -_CHORES_S) >= _CHORES_S:
                    tried[room_id, inviter] = time.monotonic()
                    await self._import_bundle(device, room_id, inviter)
            await asyncio.sleep(_LOOK_S)

    async def _import_bundle(self, device: "Device", room_id: RoomId, inviter: UserId) -> None:
        try:
            came = await device.import_bundle(room_id, inviter, self.download)
        except (HomeserverError, MediaError, NotYetUploadedError) as error:
            log.warning("key_bundle_not_read", room_id=room_id, inviter=inviter, reason=str(error))
            return
        await self.keys_came(came)
