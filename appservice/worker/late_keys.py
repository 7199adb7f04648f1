"""Events that cannot be read: requests keys that do not come, and notifies senders when that does not help."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
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
_FIRST_RETRY_S, _LONGEST_RETRY_S, _MOST_DOUBLED = 20.0, 600.0, 10
_MOST = 1000
"""Sessions that are looked after at a time: a key may never come for what a hostile client makes up."""

KeysCame = Callable[[Collection[str]], Awaitable[None]]


async def notify_nobody(_: Collection[str]) -> None:
    """Do nothing: who waits for keys is set once the device is owned."""


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
    keys_came: KeysCame = notify_nobody
    """Gets the sessions whose events can be tried again."""
    _late: dict[tuple[str, str], _Late] = field(default_factory=dict)
    _retries: dict[str, float] = field(default_factory=dict)
    """When to try the events of a session again."""
    _notified: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, event: EncryptedEvent, error: KeyMissingError | KeyWithheldError) -> None:
        """Look after the session of an event that could not be decrypted."""
        # What was sent before the bot came was not meant for it.
        if event.of_before or len(self._late) >= _MOST:
            return
        code = error.code if isinstance(error, KeyWithheldError) else None
        late = self._late.setdefault((event.room_id, event.session_id), _Late(event, monotonic(), code))
        late.withheld = code or late.withheld

    def retry(self, event: EncryptedEvent) -> None:
        """Have the events of a session tried again later: nobody says yet whose device sent its key."""
        if len(self._retries) < _MOST:  # else with the next start, or the next key
            pause = min(_FIRST_RETRY_S * 2 ** min(event.tries, _MOST_DOUBLED), _LONGEST_RETRY_S)
            self._retries.setdefault(event.session_id, monotonic() + pause)

    async def _retry_due(self) -> None:
        due = {session_id for session_id, at in self._retries.items() if at <= monotonic()}
        for session_id in due:
            del self._retries[session_id]
        await self.keys_came(due)

    async def run(self, device: "Device") -> None:
        """Look after them until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(_LOOK_S)
                await self._retry_due()
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
