"""One device with keys of its own, in memory, on matrix-nio: syncs, encrypts and decrypts, and trusts on first use."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from nio import AsyncClient, AsyncClientConfig, ErrorResponse, Event, MegolmEvent, SyncResponse
from nio.crypto import decrypt_attachment
from nio.exceptions import EncryptionError
from nio.store import SqliteMemoryStore

from appservice.core.errors import RoomreelError
from appservice.core.model import KeyRotation
from appservice.demo.client import Content, MatrixError

_POLL_MS = 30_000
_WAIT_S = 60.0


class NotSyncingError(RoomreelError):
    """The device was closed or signed out, or the homeserver refuses its sync; what is waited for will not come."""


class CryptoDevice:
    """A device that is signed in: raises MatrixError as a client does, and NotSyncingError once it cannot sync.

    `received` are the events of rooms that came since it signed in, decrypted as soon as that could be, in this order.
    """

    def __init__(self, nio: AsyncClient) -> None:
        self._nio = nio
        self.access_token = str(nio.access_token)
        self.user_id = str(nio.user_id)
        self.device_id = str(nio.device_id)
        self.received: list[Content] = []
        self._undecrypted: list[MegolmEvent] = []
        self._synced = asyncio.Condition()
        self._sending = asyncio.Lock()
        self._syncing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Upload the device's keys, learn of its rooms, and go on syncing until it is stopped."""
        await self._sync(0)
        self._syncing = asyncio.create_task(self._sync_forever())

    async def stop(self) -> None:
        """Stop syncing."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)

    async def close(self) -> None:
        """Stop syncing, and close the connections."""
        await self.stop()
        await self._nio.close()

    async def wait_until(self, found: Callable[[], bool], seconds: float = _WAIT_S) -> None:
        """Wait until something is so after a sync; raises TimeoutError."""
        async with asyncio.timeout(seconds), self._synced:
            while not found():
                self._check_syncing()
                await self._synced.wait()

    async def send(
        self, room_id: str, event_type: str, content: Content, *, members: Collection[str], rotation: KeyRotation,
        transaction_id: str | None = None,
    ) -> str:  # fmt: skip
        """Encrypt and send an event to a room's members, replacing its key after `rotation`; return the event's id."""
        async with self._sending:
            await self._learn(room_id, members)
            if session := self._nio.olm.outbound_group_sessions.get(room_id):
                session.max_age = timedelta(milliseconds=rotation.period_ms)
                session.max_messages = rotation.period_msgs
            response = await _checked(
                self._nio.room_send(room_id, event_type, content, transaction_id, ignore_unverified_devices=True)
            )
        return str(response.event_id)

    def session_id(self, room_id: str) -> str | None:
        """Return the id of the key by which the device encrypts in a room; None before it has sent anything."""
        session = self._nio.olm.outbound_group_sessions.get(room_id)
        return str(session.id) if session else None

    def decrypted(self, source: Content, room_id: str) -> Content:
        """Return an event of a room decrypted if it is encrypted and its key is here, else as it is."""
        event = Event.parse_event(source)
        if not isinstance(event, MegolmEvent):
            return source
        event.room_id = room_id
        try:
            decrypted = self._nio.decrypt_event(event)
        except EncryptionError:
            return source
        unsigned = {"unsigned": source["unsigned"]} if "unsigned" in source else {}
        return {**decrypted.source, **unsigned, "room_id": room_id, "decrypted": True}

    async def upload(self, path: Path) -> Content:
        """Encrypt a file, upload it as a stream, and return its `EncryptedFile` (`file` of an event)."""
        size = (await asyncio.to_thread(path.stat)).st_size
        with await asyncio.to_thread(path.open, "rb") as file:
            response, keys = await self._nio.upload(file, "application/octet-stream", encrypt=True, filesize=size)
        return {**keys, "url": str(_check(response).content_uri)}

    async def download(self, file: Mapping[str, Any]) -> bytes:
        """Download an attachment by its `EncryptedFile`, and decrypt it. Raises ValueError unless it is whole."""
        response = await _checked(self._nio.download(file["url"]))
        try:
            return bytes(decrypt_attachment(response.body, file["key"]["k"], file["hashes"]["sha256"], file["iv"]))
        except EncryptionError as error:
            raise ValueError(str(error)) from error

    async def _learn(self, room_id: str, members: Collection[str]) -> None:
        """Wait until a sync told who is in a room, and query what devices they have.

        A person sends long after others came; a test at once.
        """

        def is_known() -> bool:
            room = self._nio.rooms.get(room_id)
            if room is None or not room.encrypted:
                return False
            return {user.user_id for user in room.users.values() if not user.invited} == set(members)

        await self.wait_until(is_known)
        self._nio.olm.users_for_key_query.update(members)
        await _checked(self._nio.keys_query())

    async def _sync_forever(self) -> None:
        try:
            while True:
                await self._sync(_POLL_MS)
        finally:
            async with self._synced:
                self._synced.notify_all()

    async def _sync(self, timeout_ms: int) -> None:
        response = await _checked(self._nio.sync(timeout_ms))
        await self._nio.send_to_device_messages()
        if self._nio.should_upload_keys:
            await _checked(self._nio.keys_upload())
        if self._nio.should_query_keys:
            await _checked(self._nio.keys_query())
        if self._nio.should_claim_keys:
            await _checked(self._nio.keys_claim(self._nio.get_users_for_key_claiming()))
        async with self._synced:
            self._receive(response)
            self._synced.notify_all()

    def _receive(self, response: SyncResponse) -> None:
        # A key may come after what it decrypts.
        waiting, self._undecrypted = self._undecrypted, []
        for event in waiting:
            found = self.decrypted(event.source, event.room_id)
            if found is event.source:
                self._undecrypted.append(event)
            else:
                self.received.append(found)
        for room_id, room in response.rooms.join.items():
            for event in room.timeline.events:
                decrypted = bool(getattr(event, "decrypted", False))
                self.received.append({**event.source, "room_id": room_id, "decrypted": decrypted})
                if isinstance(event, MegolmEvent):
                    self._undecrypted.append(event)

    def _check_syncing(self) -> None:
        if self._syncing is None or self._syncing.done():
            failed = self._syncing is not None and not self._syncing.cancelled()
            reason = self._syncing.exception() if self._syncing is not None and failed else "It was closed."
            raise NotSyncingError(f"{self.user_id}'s device {self.device_id} does not sync: {reason}")


async def sign_in(base_url: str, user: str, password: str, name: str) -> CryptoDevice:
    """Sign in with a new device called `name`, which is not started yet."""
    nio = AsyncClient(base_url, user, config=AsyncClientConfig(store=SqliteMemoryStore, encryption_enabled=True))
    try:
        await _checked(nio.login(password, device_name=name))
    except BaseException:
        await nio.close()
        raise
    return CryptoDevice(nio)


async def _checked(response: Awaitable[Any]) -> Any:  # noqa: ANN401 - nio is not typed
    return _check(await response)


def _check(response: Any) -> Any:  # noqa: ANN401 - nio is not typed
    """Return a response; raise MatrixError for what the homeserver refused."""
    if isinstance(response, ErrorResponse):
        status = getattr(response.transport_response, "status", 0)
        raise MatrixError(status, str(response.status_code or "M_UNKNOWN"), str(response.message))
    return response
