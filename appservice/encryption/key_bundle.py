"""Keys of a room's history that a member shares with an invitation (MSC4268). Import after `installation.install`.

An encrypted to-device event says where a file with the keys is. It is kept, and the file is downloaded only once the
bot has accepted an invitation of its sender's: else anybody could make us download anything, or name wrong senders.
Who reads what such a key decrypts has the inviter's word alone for who wrote it; the homeserver says so as well.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from mautrix.crypto import InboundGroupSession
from mautrix.errors import GroupSessionWithheldError
from mautrix.types import DecryptedOlmEvent, EventType, IdentityKey, RoomID, SessionID, SigningKey, UserID

from appservice.core.errors import MalformedEventError
from appservice.core.events.encrypted_files import read_encrypted_file
from appservice.core.model import EncryptedFile
from appservice.encryption.budget import Budget
from appservice.encryption.bundle_store import Bundle, BundleStore
from appservice.encryption.errors import OlmError
from appservice.encryption.fields import content_of, key_of, room_of, session_of, text_of
from appservice.encryption.key_requests import CROSS_SIGNED
from appservice.encryption.machine import Machine
from appservice.encryption.withheld import MEGOLM, read_withheld

log = structlog.get_logger()

# Returns a file decrypted and verified, of at most so many bytes; raises an error of its own otherwise.
Download = Callable[[str, EncryptedFile, int], Awaitable[bytes]]
Arrived = Callable[[RoomID, UserID], Awaitable[None]]

_TYPES = ("m.room_key_bundle", "io.element.msc4268.room_key_bundle")
_MOST_BYTES = 8 * 2**20
_MOST_KEYS = 10_000
_HOUR_S = 3600.0


@dataclass
class Imported:
    """What came of a bundle: the sessions whose keys are there now or refused, and how many entries were no good."""

    keys: list[SessionID] = field(default_factory=list)
    withheld: list[SessionID] = field(default_factory=list)
    skipped: int = 0


class KeyBundles:
    """The bundles that were sent to the device."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._store = BundleStore(machine.crypto_store)
        self._budget = Budget(per_sender=30, in_all=1000, window_s=_HOUR_S)
        self._arrived: Arrived | None = None

    def attach(self, arrived: Arrived | None = None) -> None:
        """Keep bundles that come from now on; `arrived` gets the room and the sender of each once it is stored."""
        self._arrived = arrived
        for name in _TYPES:
            self._machine.stored_events[EventType.find(name, EventType.Class.TO_DEVICE)] = self._keep
            self._machine.client.add_event_handler(
                EventType.find(name, EventType.Class.TO_DEVICE), self._tell, wait_sync=True
            )

    async def _keep(self, event: DecryptedOlmEvent) -> bool:
        if not self._budget.take(event.sender):
            return False
        try:
            bundle = _read_event(event)
        except MalformedEventError as error:
            log.info("key_bundle_malformed", sender=event.sender, reason=str(error))
            return False
        await self._store.put(bundle)
        log.info("key_bundle_received", room=bundle.room_id, sender=bundle.sender)
        return True

    async def _tell(self, event: object) -> None:
        # One that came without encryption was not stored, and counts for nothing.
        if self._arrived is not None and isinstance(event, DecryptedOlmEvent):
            await self._arrived(room_of(content_of(event)), event.sender)

    async def import_from(self, room_id: RoomID, inviter: UserID, download: Download) -> Imported | None:
        """Import the keys that the sender of an accepted invitation sent for the room.

        None: there are none that can be trusted, or not yet. The bundle is gone afterwards, unless `download` raises.
        Keys that are there already stay.
        """
        bundle = await self._store.find(room_id, inviter)
        if bundle is None or not await self._is_trusted(bundle):
            return None
        imported = Imported()
        body = await download(text_of(bundle.file, "url"), read_encrypted_file(bundle.file), _MOST_BYTES)
        try:
            content = await asyncio.to_thread(_parse, body)
        except MalformedEventError as error:
            log.warning("key_bundle_malformed", sender=inviter, reason=str(error))
        else:
            await self._import(bundle, content, imported)
        await self._store.delete(room_id, inviter)
        log.info(
            "key_bundle_imported", room=room_id, sender=inviter,
            keys=len(imported.keys), withheld=len(imported.withheld), skipped=imported.skipped,
        )  # fmt: skip
        return imported

    async def _is_trusted(self, bundle: Bundle) -> bool:
        """Say whether a device that its user has cross-signed sent it, as their homeserver has it now."""
        devices = await self._machine.devices_of(bundle.sender, fresh=True)
        for device in devices.values():
            if (device.identity_key, device.signing_key) == (bundle.sender_key, bundle.signing_key):
                if await self._machine.resolve_trust(device) >= CROSS_SIGNED:
                    return True
                log.warning("key_bundle_of_unverified_device", sender=bundle.sender, device=device.device_id)
                return False
        log.warning("key_bundle_of_unknown_device", sender=bundle.sender)
        return False

    async def _import(self, bundle: Bundle, content: Mapping[str, Any], imported: Imported) -> None:
        for entry in _entries(content, "room_keys"):
            try:
                session = _read_key(entry, bundle)
                if await self._is_better(session):
                    await self._machine.crypto_store.put_group_session(
                        bundle.room_id, session.sender_key, SessionID(session.id), session
                    )
                    imported.keys.append(SessionID(session.id))
            except (MalformedEventError, OlmError):
                imported.skipped += 1
        for entry in _entries(content, "withheld"):
            try:
                withheld = read_withheld(entry)
                if withheld.room_id == bundle.room_id and await self._machine.crypto_store.put_withheld(withheld):
                    imported.withheld.append(withheld.session_id)
            except MalformedEventError:
                imported.skipped += 1
        for session_id in (*imported.keys, *imported.withheld):
            self._machine.wake(session_id)

    async def _is_better(self, offered: InboundGroupSession) -> bool:
        """Say whether to store a key; one that is there counts more, unless it is of the same session and later."""
        store, session_id = self._machine.crypto_store, SessionID(offered.id)
        if await store.room_of_key(session_id) not in (None, offered.room_id):
            return False
        try:
            known = await store.get_group_session(offered.room_id, session_id)
        except GroupSessionWithheldError:
            known = None
        if known is None:
            return True
        if known.first_known_index <= offered.first_known_index:
            return False
        # Who sent the key that is there is known. The earlier one is theirs too if it becomes that one.
        index = known.first_known_index
        if known.export_session(index) != offered.export_session(index):
            return False
        offered.sender_key, offered.signing_key = known.sender_key, known.signing_key
        offered.forwarding_chain = known.forwarding_chain
        return True


def _read_event(event: DecryptedOlmEvent) -> Bundle:
    content = content_of(event)
    file = content.get("file")
    if not isinstance(file, dict):
        raise MalformedEventError("file is missing")
    read_encrypted_file(file)
    text_of(file, "url")
    return Bundle(
        room_of(content), event.sender, event.sender_key, SigningKey(event.keys.ed25519),
        {name: file[name] for name in ("v", "url", "key", "iv", "hashes")},
    )  # fmt: skip


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError("it is no JSON") from error
    if not isinstance(content, dict):
        raise MalformedEventError("it is no object")
    return content


def _entries(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = content.get(name)
    return [each for each in entries[:_MOST_KEYS] if isinstance(each, dict)] if isinstance(entries, list) else []


def _read_key(entry: Mapping[str, Any], bundle: Bundle) -> InboundGroupSession:
    if entry.get("algorithm") != MEGOLM or room_of(entry) != bundle.room_id:
        raise MalformedEventError("it is for another room or of another algorithm")
    claimed = entry.get("sender_claimed_keys")
    signing_key = key_of(claimed if isinstance(claimed, dict) else {}, "ed25519")
    sender_key: IdentityKey = key_of(entry, "sender_key")
    session = InboundGroupSession.import_session(
        text_of(entry, "session_key", most=1000), SigningKey(signing_key), sender_key, bundle.room_id,
        [bundle.sender_key],
    )  # fmt: skip
    if session.id != session_of(entry):
        raise MalformedEventError("session_id is that of another key")
    return session
