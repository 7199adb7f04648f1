"""A transaction is written as a set: it leaves what its events would, one by one, in as many statements as a few need."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import asyncpg
import pytest

from appservice.core.events.changes import (
    Change,
    CommandSent,
    EncryptedSent,
    MemberChanged,
    NewVideo,
    Reacted,
    Redacted,
    RoomNamed,
)
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.room import Membership
from appservice.core.rules.quotas import Allowance, Quotas
from appservice.store import Stores
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.intake_scenarios import CHOOSY, OPTED_IN, PLAIN, USERS, draw, dump, prepare

_SEEDS = range(24)


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("intake_sets"), size=1) as pool:
        yield pool


@pytest.mark.parametrize("seed", _SEEDS)
async def test_a_set_leaves_what_its_events_leave_one_by_one(pool: Pool, seed: int) -> None:
    scenario = draw(seed)
    stores = Stores(pool, quotas=scenario.quotas, decrypting=True)
    await prepare(pool)
    for transaction in scenario.transactions:
        for change in transaction:
            await stores.intake.apply([change])
    one_by_one = await dump(pool)
    await prepare(pool)
    for transaction in scenario.transactions:
        await stores.intake.apply(transaction)
    assert await dump(pool) == one_by_one
