"""Opens the bot's device, and makes it: the first time, or anew on request. Import after `installation.install`."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from mautrix.client import Client
from mautrix.crypto import StateStore
from mautrix.types import DeviceID, EncryptionAlgorithm, RoomEncryptionStateEventContent, RoomID, UserID
from mautrix.util.async_db import Database

from appservice.core.model import KeyRotation
from appservice.encryption.cross_signing import Keep, reset_cross_signing
from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.device import NOT_DONE, Device, not_done
from appservice.encryption.errors import CrossSigningError, DeviceLostError, NoDeviceError
from appservice.encryption.health import create_device, lost, new_device_id, renew_device
from appservice.encryption.machine import Machine
from appservice.encryption.verification import Verification

_CONNECTIONS = 4
_LEAST_MS = 3_600_000
"""As Element's crypto has it: a key that is replaced at once would be shared with everybody for each message."""
_MOST_MSGS = 10_000
"""As Element's crypto has it; more than 31 bits could not be stored."""


Kept = tuple[str | None, Keep]
"""The recovery key that is stored, if any, and what stores a new one."""


class Rooms(Protocol):
    """What the device asks of the service's own rooms."""

    async def rotation(self, room_id: str) -> KeyRotation | None:
        """Return when an encrypted room's keys are replaced; None: it is not encrypted."""

    async def encrypted_with(self, user_id: str) -> list[str]:
        """Return the encrypted rooms that a user reads."""


class _StateStore(StateStore):
    """What mautrix asks of rooms."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def is_encrypted(self, room_id: RoomID) -> bool:
        return await self._rooms.rotation(room_id) is not None

    async def get_encryption_info(self, room_id: RoomID) -> RoomEncryptionStateEventContent | None:
        rotation = await self._rooms.rotation(room_id)
        if rotation is None:
            return None
        return RoomEncryptionStateEventContent(
            EncryptionAlgorithm.MEGOLM_V1,
            rotation_period_ms=max(rotation.period_ms, _LEAST_MS),
            rotation_period_msgs=min(rotation.period_msgs, _MOST_MSGS),
        )

    async def find_shared_rooms(self, user_id: UserID) -> list[RoomID]:
        return [RoomID(room_id) for room_id in await self._rooms.encrypted_with(user_id)]


@dataclass(frozen=True)
class Account:
    """Whose device it is, and where: `pickle_key` encrypts what is stored of it in the database at `dsn`."""

    bot: str
    url: str
    as_token: str
    dsn: str
    pickle_key: str
    declined: str
    """What other clients show whose verification is declined: it says what to do instead."""
    may_verify: Callable[[str], bool]
    """Says whether somebody reads the service's log, and so may verify the device."""


@asynccontextmanager
async def open_device(
    account: Account, rooms: Rooms, session: aiohttp.ClientSession, settings: Mapping[str, str]
) -> AsyncIterator[Device]:
    """Open the device, which is made the first time. Raises DeviceLostError, HomeserverError.

    Its connections to the database have the `settings` of the fence under which it is opened (`database.exclusive`):
    once another process has the device nothing is written, so nothing is sent by a state that is not stored.
    """
    async with _open_store(account, session, settings) as (client, store):
        if not client.device_id:
            client.device_id = new_device_id()
        await store.put_device_id(client.device_id)
        machine = Machine(client, store, _StateStore(rooms))
        await machine.load()
        # Stored first: what is stopped here makes the same device later, and not a second one.
        is_new = machine.account is None or not machine.account.shared
        if is_new:
            await _create(client)
        client.api.as_device_id = client.device_id
        device = Device(machine, Verification(machine, reason=account.declined, may_verify=account.may_verify))
        # A new one is never made silently.
        if not is_new and not await device.is_there():
            raise DeviceLostError(lost(client))
        yield device


@asynccontextmanager
async def open_known_device(account: Account, rooms: Rooms, session: aiohttp.ClientSession) -> AsyncIterator[Device]:
    """Open the device to look at it. Raises NoDeviceError where there is none."""
    async with _open_store(account, session) as (client, store):
        if not client.device_id:
            raise NoDeviceError
        machine = Machine(client, store, _StateStore(rooms))
        await machine.load()
        yield Device(machine, Verification(machine, reason=account.declined, may_verify=account.may_verify))


async def make_anew(
    account: Account, rooms: Rooms, session: aiohttp.ClientSession, kept: Kept, *,
    reset: bool, settings: Mapping[str, str],
) -> tuple[str, str | None]:  # fmt: skip
    """Replace the device, as `renew_device` does, while nobody else uses it; `reset`: the cross-signing keys as well.

    Returns the new device's id, and the recovery key if there is a new one. Raises NoDeviceError, CrossSigningError,
    HomeserverError.
    """
    state = _StateStore(rooms)
    recovery_key, keep = kept
    async with _open_store(account, session, settings) as (client, store):
        if not client.device_id:
            raise NoDeviceError
        try:
            if not reset:
                device_id, made = await renew_device(client, store, state, recovery_key, keep)
                return str(device_id), made
            with suppress(CrossSigningError):  # which is what is reset
                await renew_device(client, store, state, recovery_key, keep)
            machine = Machine(client, store, state)
            await machine.load()
            return str(client.device_id), await reset_cross_signing(machine, keep)
        except NOT_DONE as error:
            raise not_done("a new device of the bot", error) from error


@asynccontextmanager
async def _open_store(
    account: Account, session: aiohttp.ClientSession, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Client, CryptoStore]]:
    """Open what the database has; the client's device id is empty where that is nothing."""
    # By default a broken connection to the database would end the process.
    options: dict[str, Any] = {"min_size": 1, "max_size": _CONNECTIONS, "meow_exit_on_ice": False}
    if settings:
        options["server_settings"] = dict(settings)
    database = Database.create(account.dsn, db_args=options, upgrade_table=CryptoStore.upgrade_table)
    await database.start()
    try:
        store = CryptoStore(account.bot, account.pickle_key, database)
        if settings:
            await store.put_up_fences()
        is_known = await store.get_account() is not None
        device_id = DeviceID(str(await store.get_device_id()) if is_known else "")
        client = Client(
            UserID(account.bot), device_id, base_url=account.url, token=account.as_token, client_session=session,
            as_user_id=account.bot, as_device_id=device_id or None,
        )  # fmt: skip
        yield client, store
    finally:
        await database.stop()


async def _create(client: Client) -> None:
    client.api.as_device_id = None  # it is not there yet
    try:
        await create_device(client)
    except NOT_DONE as error:
        raise not_done("a device of the bot", error) from error
