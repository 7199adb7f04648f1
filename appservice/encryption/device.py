"""The bot's one device in encrypted rooms: decrypts and encrypts their events. Import after `installation.install`."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from mautrix.crypto import InboundGroupSession
from mautrix.errors import GroupSessionWithheldError, MatrixConnectionError, MatrixRequestError
from mautrix.types import EventID, EventType, IdentityKey, RoomID, SessionID, UserID

from appservice.core.errors import HomeserverError, MalformedEventError
from appservice.encryption import withheld
from appservice.encryption.cross_signing import Keep, ensure_cross_signed
from appservice.encryption.errors import KeyMissingError, KeyWithheldError, OlmError, UnreadableError
from appservice.encryption.health import Finding, examine, is_there
from appservice.encryption.key_bundle import Download, KeyBundles
from appservice.encryption.key_requests import KeyRequests
from appservice.encryption.machine import Machine
from appservice.encryption.retention import KeyRetention
from appservice.encryption.sas import Answer
from appservice.encryption.sharing import OF_ONE
from appservice.encryption.verification import Verification

log = structlog.get_logger()

Json = dict[str, Any]

_REQUEST_S = 20.0
_UNKNOWN_INDEX = "unknown message index"
NOT_DONE = (MatrixRequestError, MatrixConnectionError, aiohttp.ClientError, TimeoutError)
"""What requests raise that the homeserver does not do."""


@dataclass(frozen=True, slots=True)
class Decrypted:
    """An event that was decrypted; `of_sender`: its key came from its sender, and not from who shared it with us."""

    event: Json
    of_sender: bool


class Device:
    """The device; its methods raise HomeserverError when the homeserver does not do its part."""

    def __init__(self, machine: Machine, verification: Verification) -> None:
        self.machine = machine
        self._verification = verification
        self._requests = KeyRequests(machine)
        self._bundles = KeyBundles(machine)
        self._retention = KeyRetention(machine)
        self._refused: set[str] = set()
        verification.attach()
        self._bundles.attach()
        withheld.attach(machine, lambda session_id: self._refused.add(str(session_id)))
        self._sending: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        # Whom the keys that we send by were given to. After a start nobody knows, so there is a new key.
        self._readers: dict[str, frozenset[str]] = {}

    @property
    def id(self) -> str:
        """Its device id."""
        return str(self.machine.client.device_id)

    async def sync(self, timeout_ms: int) -> set[str]:
        """Receive what is new to the device within a time; return the sessions whose keys came, or were refused."""
        try:
            came = {str(session_id) for session_id in await self.machine.sync(timeout_ms)}
        except NOT_DONE as error:
            raise not_done("/sync", error) from error
        refused, self._refused = self._refused, set()
        return came | refused

    async def findings(self) -> list[Finding]:
        """Return what is wrong with the device."""
        try:
            return await examine(self.machine, round(time.time() * 1000))
        except NOT_DONE as error:
            raise not_done("a look at the bot's device", error) from error

    async def is_there(self) -> bool:
        """Say whether the homeserver has the device."""
        try:
            return await is_there(self.machine.client)
        except NOT_DONE as error:
            raise not_done("a look at the bot's device", error) from error

    async def erase_keys(self) -> int:
        """Erase the keys that are to be erased; return of how many rooms or people."""
        return await self._retention.erase()

    async def prune_keys(self) -> dict[str, int]:
        """Delete the keys that no message needs any more; return how many rows of each kind."""
        return await self._retention.prune()

    async def share_missed(self) -> None:
        """Share keys with those whose homeserver did not respond before."""
        try:
            await self.machine.share_missed()
        except (*NOT_DONE, *OF_ONE) as error:
            raise not_done("sharing a key later", error) from error

    async def cross_sign(self, kept: str | None, keep: Keep) -> str | None:
        """Cross-sign the device, as `ensure_cross_signed` does. Raises CrossSigningError as well."""
        try:
            return await ensure_cross_signed(self.machine, kept, keep)
        except NOT_DONE as error:
            raise not_done("cross-signing the bot's device", error) from error

    async def decrypt(self, event: Mapping[str, Any]) -> Decrypted:
        """Return a room's event as its sender's client had it before it encrypted it.

        Raises KeyMissingError, KeyWithheldError, DevicesUnknownError, or UnreadableError for what will never be read.
        """
        content, room_id = event["content"], RoomID(event["room_id"])
        session = await self._session(room_id, SessionID(content["session_id"]), UserID(event["sender"]))
        try:
            plaintext, index = session.decrypt(content["ciphertext"])
        except (OlmError, *OF_ONE) as error:
            if _UNKNOWN_INDEX in str(error).lower():  # the key is that of later messages: one of before may come
                raise KeyMissingError(content["session_id"], later=True) from error
            raise UnreadableError(f"its key does not decrypt it: {error}") from error
        await self._check_origin(event, session, index)
        return Decrypted(_read_plaintext(event, plaintext), await self._is_of_sender(event, session))

    async def learn_senders(self, events: Collection[Mapping[str, Any]]) -> None:
        """Learn whose devices sent the keys of events, before one after the other is decrypted."""
        found: set[tuple[UserID, IdentityKey]] = set()
        for event in events:
            with suppress(GroupSessionWithheldError, *OF_ONE):
                session_id = SessionID(event["content"]["session_id"])
                session = await self.machine.crypto_store.get_group_session(RoomID(event["room_id"]), session_id)
                if session and event["sender"] != self.machine.client.mxid:
                    found.add((UserID(event["sender"]), IdentityKey(session.sender_key)))
        await self.machine.learn_devices(found)

    async def _is_of_sender(self, event: Mapping[str, Any], session: InboundGroupSession) -> bool:
        """Say whether the key came from a device of the event's sender; else another's word says that it is theirs."""
        if not session.forwarding_chain:
            return True
        forwarder = IdentityKey(session.forwarding_chain[-1])
        return await self.machine.crypto_store.find_device_by_key(UserID(event["sender"]), forwarder) is not None

    async def _session(self, room_id: RoomID, session_id: SessionID, sender: UserID) -> InboundGroupSession:
        try:
            session = await self.machine.crypto_store.get_group_session(room_id, session_id)
        except GroupSessionWithheldError as error:
            if not await withheld.is_by(self.machine, session_id, sender):
                raise KeyMissingError(session_id) from error  # anybody can say that they refuse it
            raise KeyWithheldError(str(error.withheld_code)) from error
        if session is None:
            raise KeyMissingError(session_id)
        return session

    async def _check_origin(self, event: Mapping[str, Any], session: InboundGroupSession, index: int) -> None:
        """Raise UnreadableError for a repetition under another id, and for a key that is not of the sender's device."""
        store, sender = self.machine.crypto_store, UserID(event["sender"])
        is_first = await store.validate_message_index(
            session.sender_key, SessionID(session.id), EventID(event["event_id"]), index, event["origin_server_ts"]
        )
        if not is_first:
            raise UnreadableError("another event had the same ciphertext")
        if sender == self.machine.client.mxid:
            return
        try:
            device = await self.machine.device_by_key(sender, IdentityKey(session.sender_key))
        except NOT_DONE as error:
            raise not_done("/keys/query", error) from error
        if device is None:
            raise UnreadableError("its key came from no device of its sender's")
        if device.signing_key != session.signing_key:
            raise UnreadableError("its key was not signed by its sender's device")

    async def has_key(self, event: Mapping[str, Any]) -> bool:
        """Say whether the key of an event is there by now."""
        session_id = SessionID(event["content"]["session_id"])
        return await self.machine.crypto_store.has_group_session(RoomID(event["room_id"]), session_id)

    async def request_key(self, event: Mapping[str, Any]) -> bool:
        """Request the key of an event of its sender's devices, and wait a while; return whether it is there then."""
        content = event["content"]
        try:
            return await self._requests.request(
                RoomID(event["room_id"]), UserID(event["sender"]), SessionID(content["session_id"]),
                sender_key=content.get("sender_key"), timeout_s=_REQUEST_S,
            )  # fmt: skip
        except NOT_DONE as error:
            raise not_done("a request for a key", error) from error

    async def respond_to_verification(self, event: Mapping[str, Any]) -> list[Answer]:
        """Return what to send to the room of a decrypted event because of a verification; most ask for nothing."""
        try:
            return await self._verification.respond_in_room(event)
        except MalformedEventError:
            return []
        except NOT_DONE as error:
            raise not_done("a verification", error) from error

    async def import_bundle(self, room_id: str, inviter: str, download: Download) -> set[str]:
        """Import the keys that an inviter shared with the room's invitation; return their sessions."""
        try:
            imported = await self._bundles.import_from(RoomID(room_id), UserID(inviter), download)
        except NOT_DONE as error:
            raise not_done("a bundle of keys", error) from error
        return {*imported.keys, *imported.withheld} if imported else set()

    async def encrypt(self, room_id: str, kind: str, content: Mapping[str, Any], readers: Collection[str]) -> Json:
        """Return the content of an `m.room.encrypted` that these users can read, with all their devices."""
        async with self._sending[room_id]:
            try:
                return await self._encrypt(RoomID(room_id), kind, content, frozenset(readers))
            except (*NOT_DONE, *OF_ONE) as error:
                raise not_done("sharing a room's key", error) from error

    async def _encrypt(self, room_id: RoomID, kind: str, content: Mapping[str, Any], readers: frozenset[str]) -> Json:
        store = self.machine.crypto_store
        if self._readers.get(room_id) != readers:
            # Who left must not read on, and who came not what was before.
            await store.remove_outbound_group_session(room_id)
        session = await store.get_outbound_group_session(room_id)
        if session is None or session.expired or not session.shared:
            await self.machine.share_group_session(room_id, [UserID(user_id) for user_id in sorted(readers)])
            self._readers[room_id] = readers
        event_type = EventType.find(kind, EventType.Class.MESSAGE)
        encrypted: Json = (await self.machine.encrypt_megolm_event(room_id, event_type, dict(content))).serialize()
        if "m.relates_to" in content:
            encrypted["m.relates_to"] = content["m.relates_to"]  # the homeserver aggregates by it
        return encrypted


def _read_plaintext(event: Mapping[str, Any], plaintext: str) -> Json:
    try:
        inner = json.loads(plaintext)
        room_id, kind, content = inner["room_id"], inner["type"], inner["content"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise UnreadableError("what was encrypted is no event") from error
    if room_id != event["room_id"]:
        raise UnreadableError("it was encrypted for another room")
    if not isinstance(content, dict) or not isinstance(kind, str):
        raise UnreadableError("what was encrypted has no content, or no type")
    # Relations stay outside; one inside is only for clients that look there.
    outer = event["content"].get("m.relates_to")
    if outer is not None:
        content = {**content, "m.relates_to": outer}
    return {**event, "type": kind, "content": content}


def not_done(what: str, error: Exception) -> HomeserverError:
    """Return the error for what the homeserver did not do."""
    return HomeserverError(f"The homeserver did not do its part ({what}): {error or type(error).__name__}")
