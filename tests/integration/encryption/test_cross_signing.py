"""The device is cross-signed once, by keys that a kept recovery key opens, so that verifying clients send to it."""

import json
from collections.abc import Callable

import pytest

from appservice.demo.client import MatrixClient, login
from appservice.demo.synapse import Synapse
from appservice.encryption.cross_signing import (
    ensure_cross_signed,
    is_cross_signed,
    master_key,
    published_keys,
)
from appservice.encryption.errors import CrossSigningError
from appservice.encryption.keyring import new_keyring
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Json, machine_of
from tests.support.databases import CreateDatabase
from tests.support.rust_client import RustClient

RECOVERY_KEY = "recovery key"


class Kept:
    """The recovery key as the service keeps it: sealed."""

    def __init__(self) -> None:
        self._keyring = new_keyring()
        self.sealed: bytes | None = None

    async def keep(self, recovery_key: str) -> None:
        self.sealed = self._keyring.seal(recovery_key.encode(), RECOVERY_KEY)

    @property
    def recovery_key(self) -> str | None:
        return self._keyring.open(self.sealed, RECOVERY_KEY).decode() if self.sealed else None


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def test_it_is_signed_once(machine: Machine, kept: Kept) -> None:
    keys = await published_keys(machine.client)
    assert not is_cross_signed(keys, machine)
    made = await ensure_cross_signed(machine, kept.recovery_key, kept.keep)
    assert made
    assert kept.recovery_key == made
    keys = await published_keys(machine.client)
    assert is_cross_signed(keys, machine)
    master = master_key(keys, machine.client.mxid)
    assert await ensure_cross_signed(machine, kept.recovery_key, kept.keep) is None
    assert master_key(await published_keys(machine.client), machine.client.mxid) == master
    assert kept.recovery_key == made


async def test_what_is_published_is_checked(machine: Machine, kept: Kept) -> None:
    await ensure_cross_signed(machine, None, kept.keep)
    keys = await published_keys(machine.client)
    user_id, device_id = machine.client.mxid, machine.client.device_id
    damages: list[Callable[[Json], object]] = [
        lambda keys: keys["master_keys"].pop(user_id),
        lambda keys: keys["self_signing_keys"][user_id].pop("signatures"),
        lambda keys: keys["self_signing_keys"][user_id].update(signatures=[]),
        lambda keys: keys["self_signing_keys"][user_id].update(usage=["other"]),
        lambda keys: keys["device_keys"][user_id][device_id]["keys"].update({f"curve25519:{device_id}": "A" * 43}),
        lambda keys: keys.update(device_keys=None),
    ]
    for damage in damages:
        damaged = json.loads(json.dumps(keys))
        damage(damaged)
        assert not is_cross_signed(damaged, machine)


async def test_a_new_device_is_signed_by_the_same_keys(
    machine: Machine, bot: MatrixClient, synapse: Synapse, create_migrated: CreateDatabase, kept: Kept
) -> None:
    await ensure_cross_signed(machine, None, kept.keep)
    master = master_key(await published_keys(machine.client), bot.user_id)
    async with (
        await login(synapse.base_url, bot.user_id, "secret") as user,
        machine_of(await create_migrated("crypto-b"), user) as other,
    ):
        await other.sync(0)
        with pytest.raises(CrossSigningError, match="Roomreel did not make"):
            await ensure_cross_signed(other, None, kept.keep)
        with pytest.raises(CrossSigningError, match="does not open"):
            await ensure_cross_signed(other, "EsTE s92N EtaX s2h6 VQYF 9Kao tHYL mkyL GKMh isZb KJ4E tvoC", kept.keep)
        assert not is_cross_signed(await published_keys(other.client), other)
        assert await ensure_cross_signed(other, kept.recovery_key, kept.keep) is None
        keys = await published_keys(other.client)
        assert is_cross_signed(keys, other)
        assert is_cross_signed(keys, machine)
        assert master_key(keys, bot.user_id) == master


async def test_a_recovery_key_is_kept_before_anything_is_published(machine: Machine, kept: Kept) -> None:
    async def fail(*_: object) -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # the one above
        await ensure_cross_signed(machine, None, fail)
    assert master_key(await published_keys(machine.client), machine.client.mxid) is None
    # Stopped right after they were published: the next start signs by them.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine.crypto_store, "put_cross_signing_key", fail)
        with pytest.raises(OSError):  # noqa: PT011  # the same
            await ensure_cross_signed(machine, None, kept.keep)
    keys = await published_keys(machine.client)
    master = master_key(keys, machine.client.mxid)
    assert master
    assert not is_cross_signed(keys, machine)
    assert await ensure_cross_signed(machine, kept.recovery_key, kept.keep) is None
    keys = await published_keys(machine.client)
    assert is_cross_signed(keys, machine)
    assert master_key(keys, machine.client.mxid) == master


async def test_a_client_that_sends_to_verified_devices_only_sends_to_it(
    machine: Machine, element: RustClient, kept: Kept
) -> None:
    bot = machine.client.mxid
    await element.share_key(ROOM, [bot], "identityBasedStrategy")
    session_id = (await element.write(ROOM, "unread"))["content"]["session_id"]
    await machine.sync(0)
    assert not await machine.crypto_store.has_group_session(ROOM, session_id)
    await ensure_cross_signed(machine, None, kept.keep)
    await element.learn(bot)
    await element.device.call("invalidate_room_key", ROOM)
    await element.share_key(ROOM, [bot], "identityBasedStrategy")
    session_id = (await element.write(ROOM, "read"))["content"]["session_id"]
    await machine.sync(0)
    assert await machine.crypto_store.has_group_session(ROOM, session_id)
