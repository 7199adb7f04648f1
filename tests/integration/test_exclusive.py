"""Work that one process does at a time: who loses the lock stops, and who is silent loses it."""

import asyncio

import asyncpg
import pytest

from appservice.core.errors import UnavailableError
from appservice.database import exclusive
from appservice.database.exclusive import Fence, do_alone
from tests.support.databases import CreateDatabase

LOCK = 1


class _Work:
    """Work that has no end."""

    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Fence) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_CHECK_S", 3600.0)


@pytest.fixture
async def dsn(create_migrated: CreateDatabase) -> str:
    return await create_migrated("exclusive")


async def test_who_loses_the_lock_stops_at_once(dsn: str) -> None:
    work, other = _Work(), _Work()
    first = asyncio.create_task(do_alone(dsn, LOCK, work, {}))
    await asyncio.wait_for(work.began.wait(), 30)
    assert not await do_alone(dsn, LOCK, other, {})
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    finally:
        await connection.close()
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(first, 30)
    assert work.ended.is_set()
    assert not other.began.is_set()


async def test_the_lock_of_who_is_silent_is_given_away(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_LEASE_S", 0.5)
    work = _Work()
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(do_alone(dsn, LOCK, work, {}), 30)
    assert work.ended.is_set()
