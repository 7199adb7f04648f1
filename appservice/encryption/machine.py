"""mautrix' machine without its ways to lose keys. Import after `installation.install`.

mautrix handles the to-device events of a response in parallel, so of several pre-key messages of a new session most
fail; it stores the sync token before it handles them, so what a crash interrupts never comes again; and it uploads
one-time keys before it stores them, so after a crash the homeserver gives out keys that nobody has.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from mautrix.client import Client, InternalEventType, SyncStream
from mautrix.crypto import InboundGroupSession, StateStore
from mautrix.crypto.unwedge import MIN_UNWEDGE_INTERVAL
from mautrix.errors import GroupSessionWithheldError, MatrixRequestError
from mautrix.types import (
    DecryptedOlmEvent,
    DeviceID,
    DeviceIdentity,
    DeviceLists,
    EventType,
    FilterID,
    IdentityKey,
    RoomID,
    RoomKeyEventContent,
    SessionID,
    SigningKey,
    SyncToken,
    ToDeviceEvent,
    UserID,
)
from mautrix.util.async_db.database import conn_var

from appservice.encryption import olm
from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.device_keys import upload_keys
from appservice.encryption.enums import trim_enums
from appservice.encryption.late_sharing import LateSharingMachine
from appservice.encryption.sharing import OF_ONE

log = structlog.get_logger()

_OF_WHAT_IS_STORED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
_MOST_UNWEDGED = 1000
_MAY_PASS = frozenset({401, 408, 429})
_ONLY_TO_DEVICE = FilterID('{"room":{"rooms":[]},"presence":{"types":[]},"account_data":{"types":[]}}')


class Machine(LateSharingMachine):
    """The crypto of one device, whose to-device events `receive` handles one after the other."""

    crypto_store: CryptoStore

    def __init__(self, client: Client, crypto_store: CryptoStore, state_store: StateStore) -> None:
        super().__init__(client, crypto_store, state_store)
        self._received: list[SessionID] = []
        self._decrypted: list[DecryptedOlmEvent] = []
        self._senders: set[tuple[UserID, IdentityKey]] = set()
        self.accepts_forwarded: Callable[[DecryptedOlmEvent], Awaitable[bool]] = _refuse
        """Says whether a forwarded key is one that we requested, from where we requested it."""
        self.stored_events: dict[EventType, Callable[[DecryptedOlmEvent], Awaitable[bool]]] = {}
        """What stores encrypted events of a type in the transaction that brings them, and says whether they go on."""
        self.keys_refused = ""
        """Why the homeserver refused the device's newest keys; empty: it did not."""
        # `receive` does it; as handlers they would run in parallel and unawaited.
        client.remove_event_handler(InternalEventType.DEVICE_OTK_COUNT, self.handle_otk_count)
        client.remove_event_handler(InternalEventType.DEVICE_LISTS, self.handle_device_lists)
        client.remove_event_handler(EventType.TO_DEVICE_ENCRYPTED, self.handle_to_device_event)
        client.remove_event_handler(EventType.ROOM_KEY_REQUEST, self.handle_room_key_request)
        client.remove_event_handler(EventType.BEEPER_ROOM_KEY_ACK, self.handle_beep_room_key_ack)

    async def sync(self, timeout_ms: int) -> list[SessionID]:
        """Send one request for what is new to the device, which may take `timeout_ms`, and receive the response.

        Returns as `receive`.
        """
        since = await self.crypto_store.get_next_batch()
        return await self.receive(
            await self.client.sync(since=since or None, timeout=timeout_ms, filter_id=_ONLY_TO_DEVICE)
        )

    async def receive(self, response: Mapping[str, Any]) -> list[SessionID]:
        """Handle a response to /sync, and return the sessions whose keys came.

        After an error nothing of it counts, and the same request brings it again. Its to-device events and its token
        are one transaction. An event that is no good is logged and skipped.
        """
        # Done again they do no harm, so they come first: once the token is stored, nobody tells us again.
        lists = response.get("device_lists") or {}
        await self.handle_device_lists(DeviceLists(changed=list(lists.get("changed") or [])))
        await self._keep_keys(response)
        events = (response.get("to_device") or {}).get("events") or []
        plain = await self._receive_all(events, SyncToken(response["next_batch"]))
        # mautrix tells who waits for a key as soon as it has written it; they could not see it before now.
        received, self._received = self._received, []
        for session_id in received:
            super()._mark_session_received(session_id)
        await self._learn_senders()
        await self._dispatch(plain)
        trim_enums()
        return received

    async def _keep_keys(self, response: Mapping[str, Any]) -> None:
        unused = response.get("device_unused_fallback_key_types")
        counts = response.get("device_one_time_keys_count") or {}
        try:
            await upload_keys(self, int(counts.get("signed_curve25519", 0)), fallback_used=unused == [])
            self.keys_refused = ""
        except MatrixRequestError as error:
            # Such as "One time key already exists" after a restored database: what was sent can still be read.
            log.warning("device_keys_refused", error=str(error))
            if error.http_status < 500 and error.http_status not in _MAY_PASS:
                self.keys_refused = str(error)

    async def _receive_all(self, events: Sequence[Any], token: SyncToken) -> list[ToDeviceEvent]:
        """Decrypt and store what is encrypted, and return the rest."""
        plain: list[ToDeviceEvent] = []
        try:
            # Nobody may encrypt by a session while it is changed: the older of two states could be stored last.
            async with self.olm_lock, self.crypto_store.transaction():
                for event in map(_read, events):
                    if event is None:
                        continue
                    if _is(event, EventType.TO_DEVICE_ENCRYPTED):
                        await self._receive_encrypted(event)
                    else:
                        plain.append(event)
                await self.crypto_store.put_next_batch(token)
        except BaseException:
            self._received.clear()
            self._decrypted.clear()
            self._senders.clear()
            # Also when we are being cancelled: the transaction is rolled back, so what is in memory is ahead of it.
            await asyncio.shield(self._reload())
            raise
        return plain

    async def _receive_encrypted(self, event: ToDeviceEvent) -> None:
        try:
            async with self.crypto_store.transaction():  # a savepoint
                await self._handle_or_skip(event)
        except _OF_WHAT_IS_STORED as error:
            _log_skipped(event, error)
            await self._reload()

    async def _handle_or_skip(self, event: ToDeviceEvent) -> None:
        # What was written before the error stays: in memory the session has moved on as well.
        try:
            await self.handle_to_device_event(event)
        except MatrixRequestError as error:
            if error.http_status >= 500 or error.http_status in _MAY_PASS:
                raise
            _log_skipped(event, error)
        except OF_ONE as error:
            _log_skipped(event, error)

    async def handle_to_device_event(self, evt: ToDeviceEvent) -> None:
        """Decrypt an event and store the key that it brings; what else it is waits for the end of the transaction."""
        decrypted = await self._decrypt_olm_event(evt)
        if _is(decrypted, EventType.ROOM_KEY):
            self._senders.add((decrypted.sender, decrypted.sender_key))
            await self._receive_room_key(decrypted)
        elif _is(decrypted, EventType.FORWARDED_ROOM_KEY):
            # mautrix would take any key from anybody, as whosever the sender says.
            if await self.accepts_forwarded(decrypted):
                await self._receive_forwarded_room_key(decrypted)
        elif (store := self.stored_events.get(decrypted.type)) is None or await store(decrypted):
            self._decrypted.append(decrypted)

    async def _learn_senders(self) -> None:
        """Query the devices that sent keys: those that are signed out before their messages are read are known then."""
        senders, self._senders = self._senders, set()
        await self.learn_devices(senders)

    async def _dispatch(self, plain: Sequence[ToDeviceEvent]) -> None:
        decrypted, self._decrypted = self._decrypted, []
        for event in (*plain, *decrypted):
            if _is(event, EventType.ROOM_KEY_REQUEST):
                if event.sender != self.client.mxid:
                    continue  # refused anyhow, after a query to the homeserver for each
                try:
                    await self.handle_room_key_request(event)
                except Exception as error:
                    _log_skipped(event, error)
            elif not _is(event, EventType.TO_DEVICE_ENCRYPTED):  # encrypted twice
                tasks = self.client.dispatch_event(event, source=SyncStream.TO_DEVICE)  # type: ignore[arg-type]
                await asyncio.gather(*tasks)

    async def handle_otk_count(self, otk_count: object) -> None:
        """Do nothing: `receive` keeps the keys up."""

    def wake(self, session_id: SessionID) -> None:
        """Let those go on who wait for a session's key: it is there, or refused."""
        super()._mark_session_received(session_id)

    async def wait_for_session(self, room_id: RoomID, session_id: SessionID, timeout: float = 3) -> bool:  # noqa: ASYNC109
        """Wait until a session's key is there or refused; return whether it is there."""
        try:
            await super().wait_for_session(room_id, session_id, timeout)
            return await self.crypto_store.has_group_session(room_id, session_id)
        finally:
            # mautrix keeps it for ever. Others that wait for the same see the key when their time is over.
            self._inbound_session_waiters.pop(session_id, None)

    async def renew_session(self, user_id: UserID, identity_key: IdentityKey) -> None:
        """Begin a new Olm session with a device, at most once an hour."""
        await self._unwedge_session(user_id, identity_key)

    async def devices_of(self, user_id: UserID, *, fresh: bool) -> dict[DeviceID, DeviceIdentity]:
        """Return a user's devices: `fresh` from their homeserver, else as they are known, if they are."""
        known = None if fresh else await self.crypto_store.get_devices(user_id)
        if known is None:
            async with self._fetch_keys_lock:
                known = (await self._fetch_keys([user_id], include_untracked=True)).get(user_id)
        return known or {}

    def _mark_session_received(self, session_id: SessionID) -> None:
        self._received.append(session_id)

    async def _unwedge_session(self, sender: UserID, sender_key: IdentityKey) -> None:
        if len(self._prev_unwedge) > _MOST_UNWEDGED:  # whoever sends to us names the keys
            now = time.monotonic()
            self._prev_unwedge = {key: at for key, at in self._prev_unwedge.items() if now - at < MIN_UNWEDGE_INTERVAL}
        conn_var.set(None)  # a task of its own: the connection of the transaction that began it is not its
        await super()._unwedge_session(sender, sender_key)

    async def _create_group_session(
        self,
        sender_key: IdentityKey,
        signing_key: SigningKey,
        room_id: RoomID,
        session_id: SessionID,
        session_key: str,
        *limits: Any,  # noqa: ANN401  # as mautrix has them
        **more_limits: Any,  # noqa: ANN401
    ) -> None:
        """Store a room key, unless the one that is there is as good: any member could replace it by a later one."""
        offered = olm.InboundGroupSession(session_key)
        if await self.crypto_store.room_of_key(SessionID(offered.id)) not in (None, room_id):
            log.info("room_key_of_another_room", room=room_id, session=offered.id)
            return
        try:
            known = await self.crypto_store.get_group_session(room_id, SessionID(offered.id))
        except GroupSessionWithheldError:
            known = None
        if known and known.forwarding_chain and known.sender_key == sender_key and _is_same(known, offered):
            # Others shared it as hers; now she has sent it herself.
            known.signing_key, known.forwarding_chain = signing_key, []
            await self.crypto_store.put_group_session(room_id, sender_key, SessionID(offered.id), known)
            self._mark_session_received(SessionID(offered.id))
            return
        if known and (known.sender_key != sender_key or known.first_known_index <= offered.first_known_index):
            log.info("room_key_known", room=room_id, session=offered.id)
            return
        await super()._create_group_session(
            sender_key, signing_key, room_id, session_id, session_key, *limits, **more_limits
        )

    async def _fill_encryption_info(self, evt: RoomKeyEventContent) -> None:
        """Do nothing: mautrix would ask the homeserver, within a transaction, for what nobody here reads."""

    async def _reload(self) -> None:
        self.account = await self.crypto_store.reload()


def _is_same(known: InboundGroupSession, offered: olm.InboundGroupSession) -> bool:
    """Say whether a session becomes another one, and is as early."""
    index = offered.first_known_index
    return bool(known.first_known_index <= index and known.export_session(index) == offered.export_session(index))


async def _refuse(_: DecryptedOlmEvent) -> bool:
    return False


def _read(raw: Any) -> ToDeviceEvent | None:  # noqa: ANN401  # hostile JSON
    try:
        event: object = ToDeviceEvent.deserialize(raw)
    except OF_ONE as error:
        log.warning("to_device_event_malformed", error=type(error).__name__)
        return None
    return event if isinstance(event, ToDeviceEvent) and isinstance(event.sender, str) else None


def _is(event: ToDeviceEvent | DecryptedOlmEvent, event_type: EventType) -> bool:
    return bool(event.type == event_type)


def _log_skipped(event: ToDeviceEvent | DecryptedOlmEvent, error: Exception) -> None:
    # Only the kind of error: its text may quote what was decrypted.
    log.warning("to_device_event_skipped", sender=event.sender, error=type(error).__name__)
