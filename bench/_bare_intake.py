"""The floors of intake, a bare aiohttp handler each: `python -m bench._bare_intake PORT DSN`.

`/insert/…` inserts the events of a transaction by asyncpg, one statement each in one database transaction, into a table
with nothing but its primary key; `/set/…` all of them in one statement; `/parse/…` parses the body, and no more.
"""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from aiohttp import web

_CREATE = """CREATE TABLE IF NOT EXISTS bare (
    event_id text PRIMARY KEY, room_id text NOT NULL, sender text NOT NULL, title text NOT NULL, mxc text NOT NULL,
    size bigint, sent_at bigint NOT NULL
)"""
_INSERT = "INSERT INTO bare VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
_SET = """INSERT INTO bare SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]
) ON CONFLICT DO NOTHING"""


def _row(event: dict[str, Any]) -> tuple[object, ...]:
    content = event["content"]
    return (
        event["event_id"], event["room_id"], event["sender"], content["body"], content["url"], content["info"]["size"],
        event["origin_server_ts"],
    )  # fmt: skip


def main(port: int, dsn: str) -> None:
    """Serve until terminated."""
    pool: Any = None

    async def opened(_: web.Application) -> AsyncIterator[None]:
        nonlocal pool
        async with asyncpg.create_pool(dsn, min_size=1) as pool:
            await pool.execute(_CREATE)
            yield

    async def insert(request: web.Request) -> web.Response:
        events = json.loads(await request.read())["events"]
        async with pool.acquire() as connection, connection.transaction():
            for event in events:
                await connection.execute(_INSERT, *_row(event))
        return web.json_response({})

    async def insert_set(request: web.Request) -> web.Response:
        rows = [_row(event) for event in json.loads(await request.read())["events"]]
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_SET, *zip(*rows, strict=True))
        return web.json_response({})

    async def parse(request: web.Request) -> web.Response:
        assert isinstance(json.loads(await request.read())["events"], list)
        return web.json_response({})

    app = web.Application(client_max_size=2**26)
    app.cleanup_ctx.append(opened)
    app.router.add_put("/insert/{txn}", insert)
    app.router.add_put("/set/{txn}", insert_set)
    app.router.add_put("/parse/{txn}", parse)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
