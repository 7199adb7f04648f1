"""What does a million videos take of the database, and what do its statements cost then? Bytes, plans, milliseconds.

Rooms, senders, kinds and states are those of chats (`tests/support/many_videos`), in the order in which they came, with
all indexes. `./run bench million [--videos N]`; a million takes some minutes and three gigabytes of disk for that time.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import asyncpg

from appservice.database.embedded import EmbeddedPostgres
from appservice.database.migrate import Connection
from appservice.store.sql import QUERIES
from tests.support.databases import apply_migrations
from tests.support.many_videos import fill
from tests.support.query_plans import EXCEPTIONS, full_reads, typical_arguments, variants

_GOAL = 1000.0  # bytes of a video
_RUNS, _SLOWEST = 5, 12
_SIZES = """
SELECT t.relname AS table, c.relname AS name, c.relkind = 'i' AS is_index,
    pg_relation_size(c.oid) + CASE WHEN c.relkind = 'r' AND c.reltoastrelid <> 0
        THEN pg_total_relation_size(c.reltoastrelid) ELSE 0 END AS bytes
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
ORDER BY sum(pg_relation_size(c.oid)) OVER (PARTITION BY t.oid) DESC, is_index, bytes DESC
"""


async def _sizes(connection: Connection, videos: int) -> None:
    """Print the bytes of each table and index for each video, and their sums against the goal."""
    rows = await connection.fetch(_SIZES)
    for row in rows:
        if row["bytes"] >= videos:
            print(f"  {row['bytes'] / videos:7.1f} B  {'  ' if row['is_index'] else ''}{row['name']}")
    of_videos = sum(row["bytes"] for row in rows if row["table"] == "videos") / videos
    total = sum(row["bytes"] for row in rows) / videos
    print(f"a row of videos with its indexes: {of_videos:.0f} B = {of_videos / _GOAL:.2f} of the goal ({_GOAL:.0f} B)")
    print(f"all tables: {total:.0f} B for each video, {total * videos / 1e9:.2f} GB")


async def _milliseconds(connection: Connection, text: str, arguments: list[object]) -> float | None:
    """Return the least time of a statement, whose changes are taken back; None: the database refuses the arguments."""
    best = float("inf")
    for _ in range(_RUNS):
        transaction = connection.transaction()
        await transaction.start()
        try:
            started = time.perf_counter()
            await connection.fetch(text, *arguments)
            best = min(best, time.perf_counter() - started)
        except asyncpg.PostgresError:
            return None
        finally:
            await transaction.rollback()
    return best * 1000


async def _statements(connection: Connection, videos: int) -> None:
    """Print which statements read in full what grows, and which take longest, with the floor of one of nothing."""
    found = await full_reads(connection, many=videos // 20)
    wrong = {name: tables for name, tables in found.items() if name not in EXCEPTIONS}
    print(f"statements that read in full a table that grows: {wrong or 'none'}; {len(EXCEPTIONS)} may")
    known, times = await typical_arguments(connection), list[tuple[float, str]]()
    floor = await _milliseconds(connection, "SELECT 1", [])
    for query in QUERIES.values():
        if "advisory" in query.text:
            continue  # a lock of the session's would stay
        types = [kind.name for kind in (await connection.prepare(query.text)).get_parameters()]
        taken = [await _milliseconds(connection, query.text, each) for each in variants(query, types, known)]
        if measured := [each for each in taken if each is not None]:
            times.append((max(measured), query.name))
    print(f"{len(times)} statements; SELECT 1 takes {floor:.2f} ms; the slowest of those in operation:")
    slowest = sorted(((ms, name) for ms, name in times if name not in EXCEPTIONS), reverse=True)
    for milliseconds, name in slowest[:_SLOWEST]:
        print(f"  {milliseconds:8.2f} ms  {name}")
    print(f"half of all take less than {sorted(times)[len(times) // 2][0]:.2f} ms; those that read all:")
    for milliseconds, name in sorted(((ms, name) for ms, name in times if name in EXCEPTIONS), reverse=True):
        print(f"  {milliseconds:8.2f} ms  {name}: {EXCEPTIONS[name][1]}")


async def main() -> None:
    """Fill a database, and print what it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=1_000_000)
    videos: int = parser.parse_args().videos
    with tempfile.TemporaryDirectory(prefix="roomreel-million-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as postgres:
            await apply_migrations(postgres.dsn)
            connection = await asyncpg.connect(postgres.dsn)
            # It may be lost.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                await connection.execute(f"ALTER SYSTEM SET {setting} = off")
            await connection.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
            await connection.execute("SELECT pg_reload_conf()")
            started = time.monotonic()
            await fill(connection, videos, rooms=max(20, videos // 400), users=max(50, videos // 30))
            print(f"{videos:,} videos loaded in {time.monotonic() - started:.0f} s")
            await _sizes(connection, videos)
            await _statements(connection, videos)
            await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
