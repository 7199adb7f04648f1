"""What is wrong with the device is found and said, and a new one makes it right without losing what could be read."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Never

import asyncpg
import pytest
from mautrix.api import Method, Path
from mautrix.client import Client
from mautrix.client.state_store.asyncpg import PgStateStore
from mautrix.crypto import OlmAccount, PgCryptoStateStore
from mautrix.errors import MUserInUse
from mautrix.types import SessionID, UserID
from mautrix.util.async_db import Database

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.encryption.cross_signing import ensure_cross_signed, reset_cross_signing
from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.health import create_device, examine, new_device_id, renew_device
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Json, Sender, lacking, read
from tests.support.installation import Installation
from tests.support.rust_client import RustClient, rust_client

DAY_MS = 24 * 60 * 60 * 1000


class Bot:
    """The bot of an appservice, with a database that can be saved and restored."""

    def __init__(self, installation: Installation, dsn: str) -> None:
        self._installation = installation
        self.dsn = dsn
        self.device_id = new_device_id()
        self.recovery_key: str | None = None

    async def keep(self, recovery_key: str) -> None:
        self.recovery_key = recovery_key

    def client(self) -> Client:
        bot = UserID(self._installation.bot)
        return Client(
            bot, self.device_id, base_url=self._installation.synapse.base_url, token=self._installation.as_token,
            as_user_id=bot, as_device_id=self.device_id,
        )  # fmt: skip

    @asynccontextmanager
    async def store(self) -> AsyncIterator[tuple[Client, CryptoStore, PgCryptoStateStore]]:
        database = Database.create(
            self.dsn, db_args={"min_size": 1, "max_size": 4}, upgrade_table=CryptoStore.upgrade_table
        )
        await database.start()
        client = self.client()
        try:
            await PgStateStore.upgrade_table.upgrade(database)
            store = CryptoStore(client.mxid, "pickle key of the tests", database)
            await store.put_device_id(self.device_id)
            yield client, store, PgCryptoStateStore(database)
        finally:
            await client.api.session.close()
            await database.stop()

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Machine]:
        async with self.store() as (client, store, state_store):
            machine = Machine(client, store, state_store)
            await machine.load()
            yield machine

    async def save(self) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.dsn)
        try:
            rows: list[asyncpg.Record] = await connection.fetch("SELECT * FROM crypto_account")
            return rows
        finally:
            await connection.close()

    async def restore(self, saved: list[asyncpg.Record]) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("TRUNCATE crypto_account, crypto_olm_session")
            await connection.copy_records_to_table(
                "crypto_account", records=[tuple(row) for row in saved], columns=list(saved[0].keys())
            )
        finally:
            await connection.close()

    async def renew(self) -> None:
        async with self.store() as (client, store, state_store):
            before = self.device_id
            self.device_id, made = await renew_device(client, store, state_store, self.recovery_key, self.keep)
            assert made is None
            assert self.device_id != before


@pytest.fixture
async def ours(spare: Installation, dsn: str) -> Bot:
    ours = Bot(spare, dsn)
    async with ours.store() as (client, _, _):
        client.api.as_user_id = client.api.as_device_id = None
        register = {"type": "m.login.application_service", "username": spare.settings["appservice"]["bot_localpart"]}
        with contextlib.suppress(MUserInUse):  # an earlier test's
            await client.api.request(Method.POST, Path.v3.register, {**register, "inhibit_login": True})
        client.api.as_user_id = client.mxid
        await create_device(client)
    async with ours.machine() as machine:
        await machine.sync(0)
        await reset_cross_signing(machine, ours.keep)
    return ours


async def _codes(machine: Machine, days_later: int = 0) -> list[str]:
    return [finding.code for finding in await examine(machine, int(time.time() * 1000) + days_later * DAY_MS)]


async def _message(machine: Machine, client: RustClient) -> Json:
    """Let a client send something to the ours."""
    await client.learn(machine.client.mxid)
    await client.share_key(ROOM, [machine.client.mxid])
    event = await client.write(ROOM, "hello", f"$event-{secrets.token_hex(4)}")
    await machine.sync(0)
    return event


async def _is_read(machine: Machine, event: Json) -> bool:
    if await lacking(machine, [SessionID(event["content"]["session_id"])]):
        return False
    return await read(machine, event) == "hello"


async def _use_keys(machine: Machine, user: MatrixClient, count: int) -> None:
    """Begin sessions with the bot's device, and let it replace the keys that were used."""
    for _ in range(count):
        await Sender(user, machine).begin()
    await machine.sync(0)
    await machine.sync(0)


async def test_a_good_device_has_nothing_found(ours: Bot, alice: MatrixClient) -> None:
    async with ours.machine() as machine:
        assert await _codes(machine) == []
        for count in (3, 30):  # with the fallback key as well
            await _use_keys(machine, alice, count)
            assert await _codes(machine) == []
        # Requests of an appservice leave no trace at its device, unless Synapse is told to keep them.
        assert await _codes(machine, days_later=400) == []
    async with ours.machine() as again:
        assert await _codes(again) == []


async def test_a_deleted_device_is_found_and_replaced(
    ours: Bot, admin_token: str, synapse: Synapse, someone: MatrixClient
) -> None:
    async with rust_client(someone) as client:
        async with ours.machine() as machine:
            before = await _message(machine, client)
            assert await _is_read(machine, before)
            async with MatrixClient(synapse.base_url, admin_token, "") as admin:
                path = f"/_synapse/admin/v2/users/{machine.client.mxid}/devices/{ours.device_id}"
                await admin.request("DELETE", path)
            (finding,) = await examine(machine, 0)
            assert (finding.code, finding.is_broken) == ("device-gone", True)
            assert ours.device_id in finding.text
            assert "`roomreel admin -c FILE renew-device`" in finding.text
        await ours.renew()
        async with ours.machine() as machine:
            assert await _codes(machine) == []
            assert await _is_read(machine, before)
            assert await _is_read(machine, await _message(machine, client))


async def test_a_restored_database_is_found_and_mended(
    ours: Bot, alice: MatrixClient, someone: MatrixClient, synapse: Synapse
) -> None:
    async with rust_client(someone) as client:
        async with ours.machine() as machine:
            before = await _message(machine, client)
            saved = await ours.save()
            await _use_keys(machine, alice, 5)
        await ours.restore(saved)
        async with ours.machine() as machine:
            assert await _codes(machine) == ["database-older"]
            # Numbers that are free are found at some time; new devices still get keys that it does not have.
            await _use_keys(machine, alice, 5)
            assert await _codes(machine) == ["database-older"]
        async with ours.machine() as machine:
            assert await _codes(machine) == ["database-older"]
        await ours.renew()
        devices = await _devices(ours)
        assert ours.device_id in devices
        async with ours.machine() as machine:
            assert await _codes(machine) == []
            assert await _is_read(machine, before)
            for _ in range(4):
                async with await synapse.user(f"new-{secrets.token_hex(4)}") as user, rust_client(user) as new:
                    assert await _is_read(machine, await _message(machine, new))


async def test_a_restored_database_is_found_by_what_the_homeserver_refuses(ours: Bot, alice: MatrixClient) -> None:
    async with ours.machine() as machine:
        saved = await ours.save()
        await _use_keys(machine, alice, 5)
        await machine.client.set_account_data("chat.roomreel.one_time_keys", {})  # as before there was any
    await ours.restore(saved)
    async with ours.machine() as machine:
        assert await _codes(machine) == []
        await _use_keys(machine, alice, 5)
        assert await _codes(machine) == ["database-older"]


async def test_keys_that_are_refused_are_found(ours: Bot, alice: MatrixClient) -> None:
    async with ours.machine() as machine:
        machine.keys_refused = "M_TOO_LARGE"
        (finding,) = await examine(machine, 0)
        assert finding.code == "keys-refused"
        assert "M_TOO_LARGE" in finding.text
        await _use_keys(machine, alice, 1)
        assert await _codes(machine) == []


async def _devices(ours: Bot) -> set[str]:
    async with ours.store() as (client, _, _):
        client.api.as_device_id = None
        response = await client.api.request(Method.GET, Path.v3.devices)
        return {str(each["device_id"]) for each in response["devices"]}


async def test_a_renewal_that_was_stopped_can_be_run_again(ours: Bot) -> None:
    old = ours.device_id
    async with ours.store() as (client, store, state_store):
        failing = _Failing(client.mxid, ours.device_id, base_url=client.api.base_url, token=client.api.token)
        failing.api.session, session = client.api.session, failing.api.session
        await session.close()
        failing.api.as_user_id = client.mxid
        with pytest.raises(ConnectionError):
            await renew_device(failing, store, state_store, ours.recovery_key, ours.keep)
        assert old not in await _devices(ours)
    await ours.renew()
    assert old not in await _devices(ours)
    async with ours.machine() as machine:
        assert await _codes(machine) == []


class _Failing(Client):
    """A client that is stopped after it has deleted the device."""

    async def query_keys(self, *_: object, **__: object) -> Never:
        raise ConnectionError


async def test_another_installation_with_the_same_device_is_found(ours: Bot) -> None:
    other = OlmAccount()
    async with ours.machine() as machine:
        keys = other.get_device_keys(machine.client.mxid, machine.client.device_id)
        await machine.client.upload_keys(device_keys=keys)
        assert await _codes(machine) == ["keys-differ"]


async def test_a_device_that_is_not_signed_or_may_be_deleted_is_found(machine: Machine) -> None:
    async def keep(_: str) -> None:
        pass

    assert await _codes(machine) == ["not-cross-signed"]
    await ensure_cross_signed(machine, None, keep)
    assert await _codes(machine) == []
    # A homeserver that notes requests of this device, and has seen none for a week.
    assert await _codes(machine, days_later=8) == ["may-be-deleted"]
