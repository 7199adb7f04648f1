"""mautrix.crypto on our stand-in for libolm; a bot's device and a client of Element's, each with a user of its own."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from appservice.encryption.installation import install

install()

from appservice.demo.client import MatrixClient  # noqa: E402
from appservice.demo.synapse import Synapse  # noqa: E402
from appservice.encryption.machine import Machine  # noqa: E402
from tests.support.crypto_devices import machine_of  # noqa: E402
from tests.support.databases import CreateDatabase  # noqa: E402
from tests.support.encrypted_rooms import KEY, People, encrypting_user  # noqa: E402
from tests.support.installation import Installation  # noqa: E402
from tests.support.rust_client import RustClient, rust_client  # noqa: E402


@pytest.fixture
async def dsn(create_migrated: CreateDatabase) -> str:
    return await create_migrated("crypto")


@pytest.fixture
async def bot(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    async with await synapse.user(f"crypto-{secrets.token_hex(4)}") as user:
        yield user


@pytest.fixture
async def someone(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    """Another user, whose device has no keys yet."""
    async with await synapse.user(f"someone-{secrets.token_hex(4)}") as user:
        yield user


@pytest.fixture
async def machine(dsn: str, bot: MatrixClient) -> AsyncIterator[Machine]:
    """A machine that has uploaded its keys."""
    async with machine_of(dsn, bot) as machine:
        await machine.sync(0)
        yield machine


@pytest.fixture
async def element(synapse: Synapse, machine: Machine) -> AsyncIterator[RustClient]:
    """A client with the crypto of Element's, cross-signed, that knows the bot."""
    async with (
        await synapse.user(f"element-{secrets.token_hex(4)}") as user,
        rust_client(user) as client,
    ):
        await client.cross_sign()
        await client.learn(machine.client.mxid)
        yield client


@pytest.fixture
async def service(spare: Installation) -> Installation:
    """A Roomreel that serves encrypted rooms, not started yet."""
    spare.write_config(encryption={"key": KEY})
    return spare


@pytest.fixture
async def people(synapse: Synapse) -> AsyncIterator[People]:
    """Ada and Ben, who are in no other room."""
    async with AsyncExitStack() as stack:
        yield await encrypting_user(synapse, "ada", stack), await encrypting_user(synapse, "ben", stack)
