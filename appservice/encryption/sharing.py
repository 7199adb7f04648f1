"""mautrix' machine, which one member's bad device or server must not keep from the others.

Import after `installation.install`.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from mautrix.client import Client
from mautrix.crypto import OlmMachine, Session
from mautrix.crypto.encrypt_olm import ClaimKeysList
from mautrix.errors import CryptoError, MatrixConnectionError, MatrixRequestError
from mautrix.types import (
    DeviceID,
    DeviceIdentity,
    EncryptedOlmEventContent,
    EventType,
    IdentityKey,
    SerializerError,
    SyncToken,
    UserID,
)

from appservice.encryption import olm
from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.errors import DevicesUnknownError
from appservice.encryption.servers import Servers, server_of

log = structlog.get_logger()

# What one event, device or user can be to blame for; after anything else a whole response is handled again.
OF_ONE = (
    CryptoError, olm.OlmError, SerializerError, ValueError, TypeError, LookupError, AttributeError,
    ArithmeticError, RecursionError,
)  # fmt: skip
_NO_TOKEN = SyncToken("")
_MAY_PASS = frozenset({401, 408, 429})
_SERVER_S = 4.0
"""How long others wait for a server that does not respond."""
_DEVICES_AT_ONCE = 100
_PATIENCE_S = 30.0
"""How long others wait for a server that responds, however many devices it says its members have."""
_SERVERS_AT_ONCE = 20
_MOST_LOCKS = 1000

Devices = dict[UserID, dict[DeviceID, DeviceIdentity]]


@dataclass
class Missed:
    """Whose devices are not known, and with which there is no session, as their server has not responded."""

    users: set[UserID] = field(default_factory=set)
    devices: dict[IdentityKey, DeviceIdentity] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    """Why our own homeserver did not hand on the requests."""


_MISSED: ContextVar[Missed | None] = ContextVar("missed", default=None)


class SharingMachine(OlmMachine):
    """Queries devices and begins sessions with each alone where that fails for all, and waits for no server long."""

    crypto_store: CryptoStore

    def __init__(self, client: Client, *stores: Any) -> None:  # noqa: ANN401  # as mautrix has them
        super().__init__(client, *stores)
        self.olm_lock = self._olm_lock
        """Whoever changes Olm sessions holds it."""
        self._servers = Servers()
        self._devices_lock = asyncio.Lock()
        self._server_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextmanager
    def missing(self) -> Iterator[Missed]:
        """Yield what is missed while the block runs; what has been missed is no error then."""
        missed = Missed()
        token = _MISSED.set(missed)
        try:
            yield missed
        finally:
            _MISSED.reset(token)

    async def device_by_key(self, user_id: UserID, identity_key: IdentityKey) -> DeviceIdentity | None:
        """Return a user's device by its identity key; None where there is none.

        Raises DevicesUnknownError where the user's homeserver does not respond.
        """
        known = await self.crypto_store.find_device_by_key(user_id, identity_key)
        if known is not None:
            return known
        with self.missing() as missed:
            devices = await self._fetch_keys([user_id], include_untracked=True)
        for device in devices.get(user_id, {}).values():
            if device.identity_key == identity_key:
                return device
        if user_id in missed.users:
            raise DevicesUnknownError(user_id)
        return None

    async def learn_devices(self, wanted: Collection[tuple[UserID, IdentityKey]]) -> None:
        """Query those of the devices that are not known, at once: each of their servers may take its time."""
        find = self.crypto_store.find_device_by_key
        unknown = {user_id for user_id, identity_key in wanted if await find(user_id, identity_key) is None}
        try:
            await self._fetch_keys(sorted(unknown), include_untracked=True)
        except (MatrixRequestError, MatrixConnectionError, TimeoutError, *OF_ONE) as error:
            log.info("devices_not_learnt", users=len(unknown), error=type(error).__name__)

    async def _create_outbound_sessions(self, users: ClaimKeysList, _force_recreate_session: bool = False) -> None:
        """Begin sessions, with the devices of each server by itself; see `missing` for those that do not respond."""
        by_server: defaultdict[str, Devices] = defaultdict(dict)
        for user_id, devices in users.items():
            by_server[server_of(user_id)][user_id] = devices
        slots = asyncio.Semaphore(_SERVERS_AT_ONCE)

        async def claim(server: str, part: Devices) -> None:
            async with slots:
                await self._claim(server, part, _force_recreate_session)

        ends = await asyncio.gather(*(claim(*each) for each in by_server.items()), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _claim(self, server: str, users: Devices, recreate: bool) -> None:
        if len(self._server_locks) > _MOST_LOCKS:
            for name in [name for name, lock in self._server_locks.items() if not lock.locked()]:
                del self._server_locks[name]
        async with self._server_locks[server]:
            began = time.monotonic()
            # What they take is stored as well, so one request for thousands would always be too late.
            for part in await self._without_session(users, recreate):
                await self._claim_in_time(server, part, recreate, began + _PATIENCE_S)
        if (missed := _MISSED.get()) is not None:
            for devices in users.values():
                for device in devices.values():
                    if not await self.crypto_store.has_session(device.identity_key):
                        missed.devices[device.identity_key] = device

    async def _claim_in_time(self, server: str, users: Devices, recreate: bool, until: float) -> None:
        """Begin sessions, unless their server has not responded, or has taken too long with others' before."""
        if server == server_of(self.client.mxid):
            try:
                await self._claim_or_begin_singly(users, recreate)
            except TimeoutError as error:
                _note_error(error)
                raise
        elif time.monotonic() < until and not self._servers.is_down(server):
            try:
                async with asyncio.timeout(_SERVER_S):
                    await self._claim_or_begin_singly(users, recreate)
            except TimeoutError:
                log.info("server_without_response", server=server, request="/keys/claim")
                self._servers.failed(server)

    async def _without_session(self, users: Devices, recreate: bool) -> list[Devices]:
        """Return the devices with which a session is to be begun, so many at a time."""
        wanted = [
            device
            for devices in users.values()
            for device in devices.values()
            if recreate or not await self.crypto_store.has_session(device.identity_key)
        ]
        return [by_user(wanted[at : at + _DEVICES_AT_ONCE]) for at in range(0, len(wanted), _DEVICES_AT_ONCE)]

    async def _claim_or_begin_singly(self, users: Devices, recreate: bool) -> None:
        """Begin sessions; what is wrong with one device, such as a key that is none, does not harm the others."""
        try:
            await self._create_outbound_sessions_locked(users, recreate)
        except (MatrixRequestError, MatrixConnectionError, aiohttp.ClientError) as error:
            if _may_pass(error):
                _note_error(error)
            raise
        except OF_ONE as error:
            several = [device for devices in users.values() for device in devices.values()]
            if len(several) == 1:
                raise
            log.warning("sessions_begun_singly", devices=len(several), error=type(error).__name__)
            for device in several:
                await self._begin_session(device, recreate)
        except Exception as error:
            # So it says, in no class of its own, that a device has no keys left.
            if _MISSED.get() is None or type(error) is not Exception:
                raise

    async def _begin_session(self, device: DeviceIdentity, recreate: bool) -> None:
        try:
            await self._create_outbound_sessions_locked({device.user_id: {device.device_id: device}}, recreate)
        except (MatrixRequestError, MatrixConnectionError, aiohttp.ClientError, *OF_ONE) as error:
            log.info("session_not_begun", user=device.user_id, device=device.device_id, error=type(error).__name__)
        except Exception as error:
            if type(error) is not Exception:
                raise

    async def _encrypt_olm_event(
        self, session: Session, recipient: DeviceIdentity, event_type: EventType, content: Any  # noqa: ANN401
    ) -> EncryptedOlmEventContent:  # fmt: skip
        # It was looked up before its turn came: by one that was reloaded since, a message key would be used twice.
        newest = await self.crypto_store.get_latest_session(recipient.identity_key)
        return await super()._encrypt_olm_event(newest or session, recipient, event_type, content)

    async def _fetch_keys(
        self, users: list[UserID], since: SyncToken = _NO_TOKEN, include_untracked: bool = False
    ) -> Devices:
        """Query devices; what is wrong with those of one user, or with their server, does not harm the others."""
        if not include_untracked:
            users = await self.crypto_store.filter_tracked_users(users)
        wanted = []
        for user_id in dict.fromkeys(users):
            if self._servers.is_down(server_of(user_id)):
                _note_unknown(user_id)
            else:
                wanted.append(user_id)
        return await self._query(wanted, since) if wanted else {}

    async def _query(self, users: list[UserID], since: SyncToken) -> Devices:
        try:
            response = await self.client.query_keys(users, token=since, timeout=round(_SERVER_S * 1000))
        except OF_ONE as error:
            if len(users) == 1:
                log.warning("devices_malformed", user=users[0], error=type(error).__name__)
                return {}
            half = len(users) // 2
            return await self._query(users[:half], since) | await self._query(users[half:], since)
        found: Devices = {}
        for user_id in users:
            if (devices := response.device_keys.get(user_id)) is not None:
                try:
                    # Of two at a time for one user, the devices of one could not be stored.
                    async with self._devices_lock, self.crypto_store.transaction():
                        found[user_id] = await self._process_fetched_keys(user_id, devices, response)
                except OF_ONE as error:
                    log.warning("devices_malformed", user=user_id, error=type(error).__name__)
            elif (server := server_of(user_id)) in response.failures:
                log.info("server_without_response", server=server, request="/keys/query")
                self._servers.failed(server)
                _note_unknown(user_id)
        return found


def by_user(devices: Iterable[DeviceIdentity]) -> Devices:
    """Return devices as mautrix takes them."""
    found: defaultdict[UserID, dict[DeviceID, DeviceIdentity]] = defaultdict(dict)
    for device in devices:
        found[device.user_id][device.device_id] = device
    return found


def _note_unknown(user_id: UserID) -> None:
    if (missed := _MISSED.get()) is not None:
        missed.users.add(user_id)


def _note_error(error: Exception) -> None:
    if (missed := _MISSED.get()) is not None:
        missed.errors.append(error)


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, MatrixRequestError) or error.http_status >= 500 or error.http_status in _MAY_PASS
