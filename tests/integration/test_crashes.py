"""Nothing acknowledged is lost or doubled: the service and PostgreSQL are killed at many different times."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

SERVICE_KILLS = 16
POSTGRES_KILLS = 12


def _event(room_id: str, sender: str, mxc: str, number: int) -> dict[str, Any]:
    return {
        "type": "m.room.message",
        "event_id": f"$video-{number}",
        "room_id": room_id,
        "sender": sender,
        "origin_server_ts": 1_700_000_000_000 + number,
        "content": {"msgtype": "m.video", "body": f"clip {number}.mp4", "url": mxc, "info": {}},
    }


async def _upload(user: MatrixClient, clip: Path, folder: Path, number: int) -> str:
    # Each its own file: the same one would be ready at once from the second time on.
    return await user.upload(with_padding(clip, folder / "clip.mp4", bytes([number])), "video/mp4", "clip.mp4")


async def _send_once(spare: Installation, http: aiohttp.ClientSession, event: dict[str, Any]) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(5):
            status, _ = await spare.transaction(http, [event], txn_id="1")
            return status == 200
    return False


async def _deliver(spare: Installation, http: aiohttp.ClientSession, event: dict[str, Any]) -> None:
    """Repeat a transaction until it is acknowledged, as a homeserver does."""

    async def is_acknowledged() -> bool:
        return await _send_once(spare, http, event)

    await eventually(is_acknowledged, what=f"{event['event_id']} being acknowledged")


async def _all_ready_once(spare: Installation, count: int) -> None:
    async def all_ready() -> bool:
        rows = await spare.rows(
            "SELECT count(*) AS n FROM videos WHERE state NOT IN ('ready', 'failed') AND event_id LIKE '$video-%'"
        )
        return int(rows[0]["n"]) == 0

    await eventually(all_ready, seconds=120, what="the end of all work")
    rows = await spare.rows(
        "SELECT event_id, state, failure FROM videos WHERE event_id LIKE '$video-%' ORDER BY sent_at"
    )
    assert [row["event_id"] for row in rows] == [f"$video-{number}" for number in range(count)]
    assert {(row["state"], row["failure"]) for row in rows} == {("ready", None)}
    served = await spare.rows("SELECT id, stage FROM videos WHERE event_id LIKE '$video-%'")
    for row in served:
        assert (spare.media / str(row["id"]) / row["stage"] / "poster.jpg").exists()


@pytest.mark.timeout(420)
async def test_the_service_is_killed_between_the_response_and_the_end_of_the_job(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    # Attempts are limited against poisonous videos; these are interrupted from outside, many times.
    spare.write_config(worker={"attempts": 1000, "heartbeat_timeout": 1})
    await spare.start()
    room_id = await make_room(alice, spare)
    for number in range(SERVICE_KILLS):
        mxc = await _upload(alice, clip, tmp_path, number)
        event = _event(room_id, alice.user_id, mxc, number)
        if number % 3 == 2:
            # In the middle of the request itself: the homeserver does not know whether it was taken.
            sending = asyncio.create_task(_send_once(spare, http, event))
            await asyncio.sleep(number * 0.0005)
            await spare.kill()
            await sending
            await spare.start()
        await _deliver(spare, http, event)
        await asyncio.sleep(number / SERVICE_KILLS * 0.6)
        await spare.kill()
        await spare.start()
    await _all_ready_once(spare, SERVICE_KILLS)
    await spare.stop()
    assert not list((spare.folder / "data" / "scratch").iterdir())


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(tmp_path / "pg") as server:
        yield server


@pytest.mark.timeout(300)
async def test_postgres_is_killed_during_intake(
    spare: Installation,
    own_postgres: EmbeddedPostgres,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    clip: Path,
    tmp_path: Path,
) -> None:
    spare.write_config(database=own_postgres.dsn, worker={"attempts": 1000, "heartbeat_timeout": 1})
    await spare.start()
    room_id = await make_room(alice, spare)
    for number in range(POSTGRES_KILLS):
        mxc = await _upload(alice, clip, tmp_path, number)
        event = _event(room_id, alice.user_id, mxc, number)
        sending = asyncio.create_task(_send_once(spare, http, event))
        await asyncio.sleep(number * 0.0006)
        assert own_postgres.pid
        os.kill(own_postgres.pid, signal.SIGKILL)
        await sending
        await own_postgres.stop()
        await own_postgres.start()
        await _deliver(spare, http, event)
    await _all_ready_once(spare, POSTGRES_KILLS)


async def test_the_service_is_killed_between_the_last_stage_and_the_fingerprint(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    spare.write_config(worker={"heartbeat_timeout": 1})
    await spare.start()
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    connection = await asyncpg.connect(spare.settings["database"])
    try:
        # Whoever is about to keep a fingerprint waits for us.
        await connection.execute(
            "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';"
            "CREATE TRIGGER wait_for_test BEFORE UPDATE OF fingerprint ON videos FOR EACH ROW"
            " WHEN (NEW.fingerprint IS NOT NULL) EXECUTE FUNCTION wait_for_test();"
            "SELECT pg_advisory_lock(1)"
        )
        event_id = await alice.send_video(room_id, clip)
        await viewer.video_in(event_id, "ready")

        async def waits() -> bool:
            return bool(
                await connection.fetchval(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )

        await eventually(waits, what="a fingerprint that is about to be kept")
        await spare.kill()
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        await connection.execute("DROP TRIGGER wait_for_test ON videos")
    finally:
        await connection.close()
    await spare.start()

    async def learnt() -> bool:
        rows = await spare.rows("SELECT fingerprint, finishing FROM videos WHERE event_id = $1", event_id)
        return [(row["fingerprint"] is None, row["finishing"]) for row in rows] == [(False, None)]

    await eventually(learnt, what="the fingerprint")
    assert (await viewer.video_in(event_id, "ready"))["state"] == "ready"
