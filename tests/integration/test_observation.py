"""Queues, work in progress, failures and throughput, as the database has them."""

import uuid
from collections.abc import AsyncIterator

import pytest

from appservice.core.jobs import Queue
from appservice.core.model import State
from appservice.core.text.overview import Ended
from appservice.store.observation import ObservationStore
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool

HEARTBEAT_S = 10.0


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("observation"), size=2) as pool:
        yield pool


async def _add_job(pool: Pool, kind: str, due: str = "0 s", *, taken: str | None = None, payload: str = "x") -> None:
    """Add a job that has been due for an interval; `taken`: by a worker, whose last heartbeat is so old."""
    await pool.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after, heartbeat) VALUES (0,"
        " CASE WHEN $3::text IS NULL THEN 'queued' ELSE 'picked' END::pgqueuer_status, $1, convert_to($4, 'UTF8'),"
        " now() - $2::text::interval, now() - coalesce($3, '0 s')::interval)",
        kind, due, taken, payload,
    )  # fmt: skip


async def _add_video(pool: Pool, state: str, failure: str | None = None, percent: int | None = None) -> str:
    await pool.execute("INSERT INTO rooms (room_id) VALUES ('!r') ON CONFLICT DO NOTHING")
    video_id = uuid.uuid4()
    await pool.execute(
        "INSERT INTO videos (id, event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at, state,"
        " failure, percent) VALUES ($1, $2, '!r', '!r', '@a:x', 't', 'mxc://x/y', true, 1, 1, $3, $4, $5)",
        video_id, f"${video_id}", state, failure, percent,
    )  # fmt: skip
    return str(video_id)


async def test_depth_and_age_of_each_queue(pool: Pool) -> None:
    for due in ("100 s", "5 s", "-1 hour"):
        await _add_job(pool, "video", due)
    await _add_job(pool, "video", "1 hour", taken="1 s")
    await _add_job(pool, "status", "20 s")
    await _add_job(pool, "command", "30 s", taken="1 min")  # by a dead worker
    await _add_job(pool, "of-a-later-release", "1 day")
    depths = await ObservationStore(pool).queues(HEARTBEAT_S)
    assert set(depths) == set(Queue)
    videos, light, exports = depths[Queue.VIDEOS], depths[Queue.LIGHT], depths[Queue.EXPORTS]
    assert (videos.due, videos.later, videos.taken) == (2, 1, 1)
    assert 100 <= videos.oldest < 160
    assert (light.due, light.later, light.taken) == (2, 0, 0)
    assert 30 <= light.oldest < 90
    assert (exports.due, exports.later, exports.taken, exports.oldest) == (0, 0, 0, 0)


async def test_what_workers_are_at_that_are_alive(pool: Pool) -> None:
    begun, waiting, dead, ready = [
        await _add_video(pool, state, percent=percent)
        for state, percent in (("processing", 40), ("queued", None), ("playable", 70), ("ready", None))
    ]
    for video_id in (begun, waiting, ready):
        await _add_job(pool, "video", taken="1 s", payload=video_id)
    await _add_job(pool, "video", taken="1 min", payload=dead)
    await _add_job(pool, "video", taken="1 s", payload="no id")
    works = await ObservationStore(pool).works(HEARTBEAT_S)
    assert [(work.video_id, work.state, work.percent) for work in works] == [
        (begun, State.PROCESSING, 40), (waiting, State.QUEUED, None),
    ]  # fmt: skip


async def test_what_failed_and_ended_of_late(pool: Pool) -> None:
    for failure in ("internal", "internal", "disk-full"):
        await _add_video(pool, "failed", failure)
    old = await _add_video(pool, "failed", "internal")
    await pool.execute("UPDATE videos SET changed_at = now() - interval '2 hours' WHERE id = $1::uuid", old)
    for status, age in (("successful", "1 min"), ("exception", "1 min"), ("picked", "1 min"), ("successful", "1 hour")):
        await pool.execute(
            "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, created)"
            " VALUES (1, $1::text::pgqueuer_status, 0, 'video', now() - $2::text::interval)",
            status, age,
        )  # fmt: skip
    overview = await ObservationStore(pool).overview(HEARTBEAT_S)
    assert overview.failures == [("internal", 2), ("disk-full", 1)]
    assert overview.ended == [Ended("video", 2, 1)]


async def test_bytes_by_kind_and_the_age_of_a_video(pool: Pool) -> None:
    video_id = await _add_video(pool, "ready")
    await pool.execute("UPDATE videos SET bytes = 1000 WHERE id = $1::uuid", video_id)
    await _add_video(pool, "processing")
    await pool.execute("UPDATE videos SET bytes = 200 WHERE state = 'processing'")
    await pool.execute(
        "INSERT INTO uploads (room_id, owner, filename, metadata, length, state) VALUES ('!r', '@a:x', 'f', '', 30,"
        " 'uploading'), ('!r', '@a:x', 'f', '', 4, 'ready'), ('!r', '@a:x', 'f', '', NULL, 'uploading')"
    )
    assert await ObservationStore(pool).stored_bytes() == {"videos": 1200, "uploads": 30}
