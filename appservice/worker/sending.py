"""Encrypts and sends what the bot says in encrypted rooms: each room in its order, and none held up by another."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from appservice.core.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.core.model import RoomId
from appservice.database.opening import OF_ONE
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores
from appservice.store.outgoing import Outgoing

if TYPE_CHECKING:
    from appservice.encryption.device import Device

log = structlog.get_logger()

_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_IDLE_S = 5.0
"""What a lost NOTIFY costs at most."""
_AT_ONCE = 50


@dataclass
class Sending:
    """Sends what is queued; one instance for a process."""

    stores: Stores
    homeserver: HomeserverClient
    _queued: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: set[RoomId] = field(default_factory=set)
    """Rooms whose next event is being sent, or waits to be tried again."""
    _pauses: dict[RoomId, float] = field(default_factory=dict)

    def wake(self) -> None:
        """Look at once what is queued."""
        self._queued.set()

    async def run(self, device: "Device") -> None:
        """Send until cancelled."""
        self._busy.clear()
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                self._queued.clear()
                # One of each room: there they are to appear in the order in which they were sent.
                for event in await self.stores.outgoing.due(_AT_ONCE, busy=self._busy):
                    self._busy.add(event.room_id)
                    group.create_task(self._send_next(device, event, slots))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_S):
                        await self._queued.wait()

    async def _send_next(self, device: "Device", event: Outgoing, slots: asyncio.Semaphore) -> None:
        try:
            async with slots:
                sent = await self._send(device, event)
            pause = self._pauses.pop(event.room_id, _FIRST_RETRY_S)
            if not sent:
                self._pauses[event.room_id] = min(2 * pause, _LONGEST_RETRY_S)
                await asyncio.sleep(pause)
        finally:
            self._busy.discard(event.room_id)
            self._queued.set()

    async def _send(self, device: "Device", event: Outgoing) -> bool:
        """Encrypt and send an event; False where that has to be tried again."""
        try:
            content = event.encrypted
            if content is None:
                readers = await self.stores.rooms.readers(event.room_id)
                content = await device.encrypt(event.room_id, event.kind, event.content, readers)
                await self.stores.outgoing.encrypted(event, content)
            event_id = await self.homeserver.put_event(event.room_id, "m.room.encrypted", content, event.txn_id)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            await self.stores.outgoing.refused(event, error)
        except HomeserverError as error:
            log.warning("event_not_sent", room_id=event.room_id, reason=str(error))
            return False
        except OF_ONE:
            log.exception("sending_broken", room_id=event.room_id)
            return False
        else:
            await self.stores.outgoing.sent(event, event_id)
        return True
