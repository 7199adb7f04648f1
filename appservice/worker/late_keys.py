"""Events that cannot be read: requests keys that do not come, and notifies senders when that does not help."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from appservice.core.errors import HomeserverError
from appservice.encryption.errors import KeyMissingError, KeyWithheldError
from appservice.store import Stores
from appservice.store.encrypted_events import EncryptedEvent

if TYPE_CHECKING:
    from appservice.encryption.device import Device

log = structlog.get_logger()

_LOOK_S = 2.0
_REQUEST_AFTER_S, _NOTIFY_AFTER_S = 4.0, 30.0
_NOTIFY_EVERY_S = 600.0
_MOST = 1000
"""Sessions that are looked after at a time: a key may never come for what a hostile client makes up."""


@dataclass
class _Late:
    event: EncryptedEvent
    since: float
    withheld: str | None
    requested: bool = False


@dataclass
class LateKeys:
    """Looks after sessions, each by the first event that needs it; one instance for a process."""

    stores: Stores
    _late: dict[tuple[str, str], _Late] = field(default_factory=dict)
    _notified: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, event: EncryptedEvent, error: KeyMissingError | KeyWithheldError) -> None:
        """Look after the session of an event that could not be decrypted."""
        # What was sent before the bot came was not meant for it.
        if event.of_before or len(self._late) >= _MOST:
            return
        code = error.code if isinstance(error, KeyWithheldError) else None
        late = self._late.setdefault((event.room_id, event.session_id), _Late(event, monotonic(), code))
        late.withheld = code or late.withheld

    async def run(self, device: "Device") -> None:
        """Look after them until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(_LOOK_S)
                for session, late in list(self._late.items()):
                    if not await self.stores.encrypted_events.is_waiting(late.event):
                        del self._late[session]
                    elif late.withheld or monotonic() - late.since > _NOTIFY_AFTER_S:
                        await self.notify(late.event, "bot-key-withheld" if late.withheld else "bot-key-missing")
                        del self._late[session]
                    elif not late.requested and monotonic() - late.since > _REQUEST_AFTER_S:
                        late.requested = True
                        group.create_task(self._request(device, late.event))

    async def _request(self, device: "Device", event: EncryptedEvent) -> None:
        try:
            await device.request_key(event.event)
        except HomeserverError as error:
            log.info("key_not_requested", reason=str(error))

    async def notify(self, event: EncryptedEvent, message: str) -> None:
        """Notify the sender of an event that it cannot be read; now and then: there may be many of them."""
        whose = event.room_id, event.sender
        if event.of_before or monotonic() - self._notified.get(whose, -_NOTIFY_EVERY_S) < _NOTIFY_EVERY_S:
            return
        room = await self.stores.rooms.room(event.room_id)
        # Else it was hardly meant for the bot.
        if room and (room.direct or room.takes_videos):
            if len(self._notified) >= _MOST:
                self._notified.clear()
            self._notified[whose] = monotonic()
            await self.stores.encrypted_events.notify_sender(event, message)
