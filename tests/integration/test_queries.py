"""Every named query, on a real PostgreSQL with the schema of today."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from appservice.store.outbox import Pool
from appservice.store.sql import QUERIES
from tests.support.databases import CreateDatabase, migrated_pool


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("queries"), size=1) as pool:
        yield pool


async def test_postgresql_prepares_every_query_and_finds_the_parameters_that_were_read(pool: Pool) -> None:
    wrong: list[str] = []
    async with pool.acquire() as connection:
        for query in QUERIES.values():
            try:
                statement = await connection.prepare(query.text)
            except asyncpg.PostgresError as error:
                wrong.append(f"{query.name}: {error}")
                continue
            types = statement.get_parameters()
            if len(types) != len(query.parameters):
                wrong.append(f"{query.name}: {len(types)} parameters, not {query.parameters}")
    assert not wrong
    assert QUERIES
