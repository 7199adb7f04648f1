"""Encrypted rooms: one process of all owns the bot's device, decrypts what comes and encrypts what is sent."""

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from appservice import metrics
from appservice.config import Config
from appservice.core.errors import (
    HomeserverError,
    MalformedEventError,
    UnavailableError,
)
from appservice.core.events.backfill import as_backfilled, as_of_before
from appservice.core.events.changes import MessageChange, NewGallery, NewVideo, VideoEdited
from appservice.core.events.intake import read_event
from appservice.database.exclusive import Fence, do_alone
from appservice.database.opening import OF_ONE
from appservice.encryption.errors import (
    CrossSigningError,
    DeviceLostError,
    DevicesUnknownError,
    KeyMissingError,
    KeyWithheldError,
    UnreadableError,
)
from appservice.service.recovery_key import RecoveryKey
from appservice.store import Stores
from appservice.store.encrypted_events import EncryptedEvent
from appservice.store.outgoing import DEVICE_LOCK
from appservice.worker.device_care import DeviceCare
from appservice.worker.late_keys import LateKeys
from appservice.worker.sending import Sending

if TYPE_CHECKING:
    from appservice.encryption.device import Device
    from appservice.encryption.opening import Rooms


class OpenDevice(Protocol):
    """Opens the device, with the settings of its connections to the database."""

    def __call__(self, rooms: "Rooms", *, settings: Mapping[str, str]) -> AbstractAsyncContextManager["Device"]:
        """Open it."""


log = structlog.get_logger()

_LOOK_S = 2.0
"""How often a process that owns nothing looks whether it may."""
_LONGEST_LOOK_S, _LOST_S = 8.0, 60.0
"""The same after failures, and once the device is lost, which does not come back."""
_SYNC_MS = 30_000
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_IDLE_S = 5.0
"""What a lost NOTIFY costs at most."""
_AT_ONCE = 50
_MOST_TXN_ID = 255
# What is sent encrypted by clients. Nothing else counts as said by its sender: a redaction would go by no power level.
_KINDS = frozenset({"m.room.message", "m.sticker", "m.reaction"})
# What a key may bring that somebody else shared with us: its sender has not said so, and commands are theirs alone.
_SHARED = NewVideo | NewGallery | VideoEdited


@dataclass
class EncryptedRooms:
    """Owns the device while no other process does; one instance for a process."""

    config: Config
    dsn: str
    stores: Stores
    open_device: OpenDevice
    recovery_key: RecoveryKey
    care: DeviceCare
    late_keys: LateKeys
    sending: Sending
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Wait for the device, and own it, until cancelled."""
        self.care.keys_came = self._keys_came
        self.late_keys.keys_came = self._keys_came
        pause = _LOOK_S
        while True:
            began = time.monotonic()
            try:
                await do_alone(
                    self.dsn, DEVICE_LOCK, self._own,
                    {"roomreel_encrypted": self._arrived.set, "roomreel_outgoing": self.sending.wake},
                )  # fmt: skip
            except (UnavailableError, HomeserverError) as error:
                log.warning("encryption_interrupted", reason=str(error))
            except DeviceLostError as error:
                log.error("device_lost", reason=str(error))  # noqa: TRY400 - the reason says all
                metrics.ENCRYPTION_OWNED.set(0)
                await asyncio.sleep(_LOST_S)
            except Exception:
                log.exception("encryption_broken")
            else:
                began = 0.0
            metrics.ENCRYPTION_OWNED.set(0)
            pause = _LOOK_S if time.monotonic() - began > _LONGEST_RETRY_S else min(2 * pause, _LONGEST_LOOK_S)
            await asyncio.sleep(pause)

    async def _own(self, fence: Fence) -> None:
        async with self.open_device(self.stores.rooms, settings=fence.settings()) as device:
            await device.sync(0)  # uploads its keys
            await self._cross_sign(device)
            log.info("encryption_owned", device_id=device.id)
            metrics.ENCRYPTION_OWNED.set(1)
            await self.stores.encrypted_events.retry_all()
            try:
                async with asyncio.TaskGroup() as group:
                    for work in (
                        self._receive, self._decrypt_all, self.sending.run, self.care.run, self.late_keys.run,
                    ):  # fmt: skip
                        group.create_task(work(device))
            except ExceptionGroup as errors:
                raise first_of(errors) from errors

    async def _cross_sign(self, device: "Device") -> None:
        try:
            made = await device.cross_sign(await self.recovery_key.kept(), self.recovery_key.keep)
        except (CrossSigningError, HomeserverError) as error:
            log.warning("device_not_cross_signed", reason=str(error))
            return
        if made:
            log.warning("recovery_key_made", recovery_key=made, hint="Keep it; it is not shown again.")

    async def _receive(self, device: "Device") -> None:
        pause = _FIRST_RETRY_S
        while True:
            try:
                came = await device.sync(_SYNC_MS)
            except HomeserverError as error:
                log.warning("keys_not_received", reason=str(error), retry_seconds=pause)
                await self.care.examine(device)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RETRY_S)
                continue
            pause = _FIRST_RETRY_S
            await self._keys_came(came)

    async def _keys_came(self, session_ids: Collection[str]) -> None:
        if session_ids:
            await self.stores.encrypted_events.keys_came(session_ids)
            self._arrived.set()

    # What comes

    async def _decrypt_all(self, device: "Device") -> None:
        while True:
            self._arrived.clear()
            failed = False
            while not failed and (events := await self.stores.encrypted_events.due(_AT_ONCE)):
                if len(events) > 1:
                    await device.learn_senders([event.event for event in events])
                for event in events:
                    failed |= not await self._decrypt_or_leave(device, event)
            await _within(self._arrived, _IDLE_S)

    async def _decrypt_or_leave(self, device: "Device", event: EncryptedEvent) -> bool:
        """Decrypt an event; False where that has to be tried again. What is wrong with one harms no other."""
        try:
            await self._decrypt(device, event)
        except HomeserverError as error:
            log.warning("event_postponed", event_id=event.event_id, room_id=event.room_id, reason=str(error))
            return False
        except OF_ONE:
            log.exception("event_broken", event_id=event.event_id, room_id=event.room_id)
            await self.stores.encrypted_events.key_missing(event)  # until the next start
        return True

    async def _decrypt(self, device: "Device", event: EncryptedEvent) -> None:
        try:
            decrypted = await device.decrypt(event.event)
        except (KeyMissingError, KeyWithheldError) as error:
            outcome = "withheld" if isinstance(error, KeyWithheldError) else "key_missing"
            log.info("event_not_decrypted", event_id=event.event_id, room_id=event.room_id, reason=str(error))
            await self.stores.encrypted_events.key_missing(event)
            later = isinstance(error, KeyMissingError) and error.later
            if not later and await device.has_key(event.event):  # it came before this was stored
                await self.stores.encrypted_events.keys_came({event.session_id})
            self.late_keys.add(event, error)
        except DevicesUnknownError as error:
            outcome = "postponed"
            log.info("event_postponed", event_id=event.event_id, room_id=event.room_id, reason=str(error))
            await self.stores.encrypted_events.key_missing(event)
            self.late_keys.retry(event)
        except UnreadableError as error:
            outcome = "unreadable"
            log.warning("event_unreadable", event_id=event.event_id, room_id=event.room_id, reason=str(error))
            await self.stores.encrypted_events.decrypted(event, [])
            await self.late_keys.notify(event, "bot-key-missing")
        else:
            outcome = "decrypted"
            if decrypted.of_sender:
                await self._respond_to_verification(device, event, decrypted.event)
            change = self._read(event, decrypted.event)
            # What was sent before the bot came, as well: a command of then is not to be followed now.
            if (event.of_before or not decrypted.of_sender) and not isinstance(change, _SHARED):
                change = None
            await self.stores.encrypted_events.decrypted(event, [] if change is None else [change])
        metrics.ENCRYPTED_EVENTS.labels(outcome).inc()

    async def _respond_to_verification(self, device: "Device", event: EncryptedEvent, plain: dict[str, Any]) -> None:
        try:
            answers = await device.respond_to_verification(plain)
        except HomeserverError as error:
            log.info("verification_not_answered", reason=str(error))
            return
        for answer in answers:
            txn_id = f"{answer.type}|{event.event_id}"[:_MOST_TXN_ID]
            await self.stores.outgoing.queue(event.room_id, answer.type, answer.content, txn_id)

    def _read(self, event: EncryptedEvent, plain: dict[str, Any]) -> MessageChange | None:
        if plain["type"] not in _KINDS:
            return None
        try:
            change = read_event(plain, bot=self.config.bot, permissions=self.config.permissions)
        except MalformedEventError as error:
            log.warning("event_malformed", event_id=event.event_id, reason=str(error))
            return None
        if change is None or not isinstance(change, MessageChange):
            return None
        if event.of_before and isinstance(change, NewVideo | NewGallery):
            change = as_of_before(change)
        return as_backfilled(change, event.found) if event.found else change


def first_of(errors: Exception) -> Exception:
    """Return what ended the first of the works: some of them have groups of their own."""
    while isinstance(errors, ExceptionGroup):
        errors = errors.exceptions[0]
    return errors


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
