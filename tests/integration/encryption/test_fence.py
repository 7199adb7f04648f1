"""A process that was stopped, and lost the device to another one meanwhile, writes nothing any more."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import asyncpg
import pytest
from mautrix.crypto import OlmAccount
from mautrix.types import SyncToken
from mautrix.util.async_db import Database

from appservice.core.errors import UnavailableError
from appservice.database import exclusive
from appservice.database.exclusive import Fence, do_alone
from appservice.encryption.crypto_store import CryptoStore
from tests.support.waiting import eventually

LOCK = 7430


@pytest.fixture(autouse=True)
def lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_LEASE_S", 2.5)


@asynccontextmanager
async def _store(dsn: str, fence: Fence) -> AsyncIterator[CryptoStore]:
    options = {"min_size": 1, "max_size": 2, "meow_exit_on_ice": False, "server_settings": fence.settings()}
    database = Database.create(dsn, db_args=options, upgrade_table=CryptoStore.upgrade_table)
    await database.start()
    try:
        store = CryptoStore("@reel:test.local", "pickle key of the tests", database)
        await store.put_up_fences()
        yield store
    finally:
        await database.stop()


class _Stopped:
    """An owner in a thread of its own, which stands still (as after SIGSTOP) between two steps of its work."""

    def __init__(self, dsn: str, then: Callable[[CryptoStore], Coroutine[None, None, None]], *, within: bool) -> None:
        self._dsn, self._then, self._within = dsn, then, within
        self.stands, self._go = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Stopped":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()

    def go_on(self) -> None:
        self._go.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._own())
        except BaseException as error:
            self.error = error

    async def _own(self) -> None:
        await do_alone(self._dsn, LOCK, self._work, {})

    async def _work(self, fence: Fence) -> None:
        async with _store(self._dsn, fence) as store:
            await store.put_account(OlmAccount())
            if self._within:
                async with store.transaction():
                    await store.put_next_batch(SyncToken("begun"))
                    self._stand_still()
            else:
                self._stand_still()
            # Shielded: what is written at this moment is not cancelled by what the loop finds out next.
            await asyncio.shield(asyncio.ensure_future(self._then(store)))

    def _stand_still(self) -> None:
        self.stands.set()
        self._go.wait()


async def _take_over(dsn: str, token: str) -> None:
    async def work(fence: Fence) -> None:
        async with _store(dsn, fence) as store:
            await store.put_next_batch(SyncToken(token))

    async def done() -> bool:
        return await do_alone(dsn, LOCK, work, {})

    await eventually(done, what="another owner")


async def _token(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SELECT sync_token FROM crypto_account"))
    finally:
        await connection.close()


@pytest.mark.parametrize("within", [False, True], ids=["between transactions", "within a transaction"])
async def test_who_lost_the_device_while_it_stood_still_writes_nothing(dsn: str, within: bool) -> None:
    written: list[bool] = []

    async def write(store: CryptoStore) -> None:
        await store.put_next_batch(SyncToken("of the one that stood still"))
        written.append(True)

    with _Stopped(dsn, write, within=within) as stopped:
        await asyncio.to_thread(stopped.stands.wait)
        await _take_over(dsn, "of the new owner")
        await asyncio.to_thread(stopped.go_on)
        assert isinstance(stopped.error, UnavailableError), stopped.error
        assert await _token(dsn) == "of the new owner"
        assert written == []


async def test_an_owner_writes_while_it_has_the_device(dsn: str) -> None:
    async def make(fence: Fence) -> None:
        async with _store(dsn, fence) as store:
            await store.put_account(OlmAccount())

    assert await do_alone(dsn, LOCK, make, {})
    for token in ("first", "second"):
        await _take_over(dsn, token)
        assert await _token(dsn) == token
