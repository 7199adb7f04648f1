"""Room keys that a device refuses to send (`m.room_key.withheld`): told apart from those that are only late.

Import after `installation.install`. Source: client-server API, "Reporting that decryption keys are withheld".
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from mautrix.types import EventType, IdentityKey, SessionID, ToDeviceEvent, UserID
from mautrix.util import background_task

from appservice.core.errors import MalformedEventError
from appservice.encryption.budget import Budget
from appservice.encryption.crypto_store import Withheld
from appservice.encryption.fields import content_of, key_of, room_of, session_of, text_of
from appservice.encryption.machine import Machine

log = structlog.get_logger()

MEGOLM = "m.megolm.v1.aes-sha2"
_NO_OLM = "m.no_olm"
# What another device answers to a request; the one that has the key may still send it.
_UNAVAILABLE = "m.unavailable"
_HOUR_S = 3600.0
_MOST_REASON = 500


def attach(machine: Machine, refused: Callable[[SessionID], None] | None = None) -> None:
    """Handle the device's `m.room_key.withheld`, also under the name that it had before it was specified.

    `refused` gets the session of each key that is stored as refused, whose events can be tried again.
    """
    receiver = _Receiver(machine, refused)
    for event_type in (EventType.ROOM_KEY_WITHHELD, EventType.ORG_MATRIX_ROOM_KEY_WITHHELD):
        machine.client.add_event_handler(event_type, receiver.receive, wait_sync=True)


async def is_by(machine: Machine, session_id: SessionID, user_id: UserID) -> bool:
    """Say whether a key that is stored as refused was refused by a device of the user, who sent what it decrypts.

    Anybody may claim to be whose session it is; who sent an event is known.
    """
    sender_key = await machine.crypto_store.withheld_by(session_id)
    return sender_key is not None and await machine.crypto_store.find_device_by_key(user_id, sender_key) is not None


class _Receiver:
    def __init__(self, machine: Machine, refused: Callable[[SessionID], None] | None) -> None:
        self._machine = machine
        self._refused = refused
        self._events = Budget(per_sender=500, in_all=20_000, window_s=_HOUR_S)
        self._queries = Budget(per_sender=3, in_all=200, window_s=_HOUR_S)
        self._cleaned_at = -_HOUR_S

    async def receive(self, event: ToDeviceEvent) -> None:
        """Store that a key is refused; a device that could begin no session with us gets one that we begin."""
        if not self._events.take(event.sender):
            return
        try:
            await self._receive(event.sender, content_of(event))
        except MalformedEventError as error:
            log.info("withheld_malformed", sender=event.sender, reason=str(error))

    async def _receive(self, sender: UserID, content: Mapping[str, Any]) -> None:
        if content.get("algorithm") != MEGOLM:
            return
        code, sender_key = text_of(content, "code"), key_of(content, "sender_key")
        if code == _UNAVAILABLE or not await self._is_device_of(sender, sender_key):
            return
        if code == _NO_OLM:
            log.info("olm_session_missing", sender=sender)
            # Once an hour for each device, which mautrix sees to.
            background_task.create(self._machine.renew_session(sender, sender_key))
            if "session_id" not in content:  # about all that the device sends
                return
        await self._store(read_withheld(content))

    async def _is_device_of(self, sender: UserID, sender_key: IdentityKey) -> bool:
        if await self._machine.crypto_store.find_device_by_key(sender, sender_key):
            return True
        if not self._queries.take(sender):
            return False
        devices = await self._machine.devices_of(sender, fresh=True)
        return any(device.identity_key == sender_key for device in devices.values())

    async def _store(self, withheld: Withheld) -> None:
        if time.monotonic() > self._cleaned_at + _HOUR_S:
            self._cleaned_at = time.monotonic()
            await self._machine.crypto_store.delete_old_refusals()
        if await self._machine.crypto_store.put_withheld(withheld):
            log.info("room_key_withheld", room=withheld.room_id, session=withheld.session_id, code=withheld.code)
            self._machine.wake(withheld.session_id)
            if self._refused is not None:
                self._refused(withheld.session_id)


def read_withheld(content: Mapping[str, Any]) -> Withheld:
    """Read the content of an `m.room_key.withheld` about a session. Raises MalformedEventError."""
    reason = content.get("reason")
    readable = "".join(filter(str.isprintable, reason)) if isinstance(reason, str) else ""
    return Withheld(
        room_of(content), session_of(content), key_of(content, "sender_key"), text_of(content, "code"),
        readable[:_MOST_REASON],
    )  # fmt: skip
