"""The plan of every named query in a database with many videos: none reads a table in full that grows with them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from appservice.database.migrate import Connection
from tests.support.databases import CreateDatabase
from tests.support.many_videos import fill
from tests.support.query_plans import EXCEPTIONS, full_reads, read_in_full

VIDEOS, ROOMS, USERS = 30_000, 3_000, 10_000


@pytest.fixture(scope="module")
async def connection(create_migrated: CreateDatabase) -> AsyncIterator[Connection]:
    opened = await asyncpg.connect(await create_migrated("plans"))
    await fill(opened, VIDEOS, rooms=ROOMS, users=USERS, seldom=5, rarely=5)
    yield opened
    await opened.close()


async def test_no_query_reads_a_growing_table_in_full(connection: Connection) -> None:
    found = await full_reads(connection)
    assert {name: tables for name, tables in found.items() if not tables <= EXCEPTIONS.get(name, (set(), ""))[0]} == {}
    assert set(EXCEPTIONS) <= set(found), "no exception any more"


async def test_numbering_a_change_reads_no_growing_table_in_full(connection: Connection) -> None:
    async with connection.transaction():
        video_id = await connection.fetchval("SELECT id FROM videos WHERE visibility <> 'removed' LIMIT 1")
        scans = "SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables WHERE relname LIKE 'room\\_%'"
        before = await connection.fetchval(scans)
        for _ in range(16):  # one of so many also deletes what is too old
            await connection.execute("UPDATE videos SET version = version + 1 WHERE id = $1::uuid", video_id)
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            await connection.execute("SET CONSTRAINTS ALL DEFERRED")
        assert await connection.fetchval(scans) == before


def test_reading_in_full_is_recognised() -> None:
    index = {"Node Type": "Index Scan", "Index Name": "i", "Relation Name": "t"}
    assert list(read_in_full({"Node Type": "Seq Scan", "Relation Name": "t"}, frozenset())) == ["t"]
    assert list(read_in_full(index, frozenset())) == ["t"]
    assert not list(read_in_full(index, frozenset({"i"})))
    assert not list(read_in_full({**index, "Index Cond": "(a = 1)"}, frozenset()))
    assert not list(read_in_full({"Node Type": "Limit", "Plans": [index]}, frozenset()))
    assert list(
        read_in_full({"Node Type": "Limit", "Plans": [{"Node Type": "Sort", "Plans": [index]}]}, frozenset())
    ) == ["t"]
