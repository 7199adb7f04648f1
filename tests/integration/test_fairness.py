"""However many long videos somebody sends, the next one's clip is playable within seconds."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import EntrypointExecutionParameter
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from appservice.core.errors import TakenError
from appservice.core.events.changes import NewVideo
from appservice.core.jobs import TranscodeVideo
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.rules.fairness import RUNGS_PATIENCE
from appservice.demo.client import MatrixClient
from appservice.store import Stores
from appservice.store.outbox import Pool
from appservice.store.sql import query
from appservice.worker.fair_queue import FairQueries
from appservice.worker.taken_jobs import Offers, in_progress
from tests.support.clips import make_long_clips
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

LONG, SECONDS = 9, 40
PLACES = 18
TIMEOUT = timedelta(seconds=10)


@pytest.fixture(scope="module")
async def long_clips(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> list[Path]:
    """Videos that must be encoded, each of its own content."""
    return await make_long_clips(tools, tmp_path_factory.mktemp("long"), LONG, seconds=SECONDS)


@pytest.mark.timeout(300)
async def test_a_clip_beside_nine_long_videos_of_another(
    spare: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    bob: MatrixClient,
    clip: Path,
    long_clips: list[Path],
) -> None:
    await spare.start()
    rooms = [await make_room(alice, spare, bob), await make_room(bob, spare)]
    for path in long_clips:
        await alice.send_video(rooms[0], path)

    async def count(*states: str) -> int:
        query = "SELECT count(*) AS n FROM videos WHERE sender = $1 AND state = ANY ($2)"
        return int((await spare.rows(query, alice.user_id, states))[0]["n"])

    async def busy() -> bool:
        return await count("processing", "playable") >= 4

    await eventually(busy, what="the flood being worked on")
    finished = await count("ready")
    waits, sent = [], []
    for room_id in rooms:
        viewer = await spare.viewer(http, bob, room_id)
        started = time.monotonic()
        sent.append((viewer, await bob.send_video(room_id, clip)))
        await viewer.video_in(sent[-1][1], "playable", "ready")
        waits.append(round(time.monotonic() - started, 1))
    assert max(waits) < 15, waits
    assert await count("ready") <= finished + 1, "that is not because the flood is over"
    # Nor does his ladder wait for all of hers.
    for viewer, event_id in sent:
        await viewer.video_in(event_id, "ready", seconds=120)
    assert await count("ready") <= finished + 3


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("fairness"), size=5) as pool:
        yield pool


class _Process:
    """What one process takes from the queue."""

    def __init__(self, pool: Pool) -> None:
        self.queries = FairQueries(AsyncpgPoolDriver(pool))
        self.id = QueueManagerId(uuid.uuid4())
        self.jobs: dict[str, Job] = {}
        self._offers = Offers(pool)

    async def take(self, silence: timedelta = TIMEOUT) -> str | None:
        """Take a job and return its video; one without a heartbeat for that long is taken over."""
        jobs = await self.queries.dequeue(
            1,
            {QueueEntrypoint(TranscodeVideo.name): EntrypointExecutionParameter(concurrency_limit=0)},
            self.id,
            PLACES,
            silence,
        )
        if not jobs:
            return None
        video_id = (jobs[0].payload or b"").decode()
        self.jobs[video_id] = jobs[0]
        return video_id

    @asynccontextmanager
    async def waiting(self, video_id: str) -> AsyncIterator[None]:
        """Let a video that was taken wait for a slot."""
        in_progress.set(self.jobs[video_id])
        async with self._offers.waiting():
            yield

    async def end(self, video_id: str) -> None:
        """End the work on a video."""
        await self.queries.log_jobs([(self.jobs[video_id], "successful", None)])


async def _send(pool: Pool, sender: str, room: str, count: int, *, of_before: bool = False) -> None:
    room_id, user_id = RoomId(f"!{room}:x"), UserId(f"@{sender}:x")
    videos = [
        NewVideo(
            event_id=EventId(f"${sender}-{uuid.uuid4()}"), room_id=room_id, sender=user_id, title="", certain=True,
            mxc="mxc://x/y", encrypted_file=None, claimed_size=1, sent_at=1, of_before=of_before,
        )
        for _ in range(count)
    ]  # fmt: skip
    await Stores(pool).intake.apply(videos)


async def _senders(pool: Pool, taken: list[str]) -> list[str]:
    rows = await pool.fetch("SELECT id::text, sender FROM videos")
    by_id = {row["id"]: row["sender"][1:].partition(":")[0] for row in rows}
    return [by_id[each] for each in taken]


async def _take_all(process: _Process, silence: timedelta = TIMEOUT) -> list[str]:
    taken = []
    while (each := await process.take(silence)) is not None:
        taken.append(each)
    return taken


async def test_a_process_takes_fair_shares(pool: Pool) -> None:
    await _send(pool, "alice", "den", 30)
    process, idle = _Process(pool), _Process(pool)
    assert len(await _take_all(process)) == PLACES // 3
    await _send(pool, "carol", "den", 3)
    await _send(pool, "bob", "cave", 1)
    # A look in vain is not repeated at once.
    first = await eventually(lambda: process.take(TIMEOUT), what="a job")
    assert first
    assert await _senders(pool, [first, *await _take_all(process)]) == ["bob", "carol", "carol", "carol"]
    # Another process sees what is left, and nothing twice.
    left = await _take_all(idle)
    assert await _senders(pool, left) == ["alice"] * (PLACES // 3)
    picked = await pool.fetch("SELECT payload FROM pgqueuer WHERE status = 'picked'")
    assert len({row["payload"] for row in picked}) == len(picked) == 2 * (PLACES // 3) + 4


async def test_lower_rungs_take_nobodys_place_and_come_last(pool: Pool) -> None:
    await _send(pool, "alice", "den", 30)
    await pool.execute("UPDATE videos SET state = 'ready', finishing = 0, lower_rungs = 'wanted'")
    # However they were queued.
    await pool.execute("UPDATE pgqueuer SET priority = 10 WHERE id % 2 = 0")
    process = _Process(pool)
    assert len(await _take_all(process)) == 1
    wanted = await pool.fetchval("SELECT array_agg(id::text) FROM videos")
    await _send(pool, "alice", "den", 10)
    await _send(pool, "bob", "cave", 1)
    first = await eventually(lambda: process.take(TIMEOUT), what="a job")
    assert first
    taken = [first, *await _take_all(process)]
    assert not set(taken) & set(wanted)
    assert sorted(await _senders(pool, taken)) == ["alice"] * 6 + ["bob"]
    # Once there is nothing else.
    assert (await _take_all(_Process(pool)))[-1] in wanted


async def _left_out(pool: Pool, rungs: str, title: str) -> str:
    """A video that is ready, and has a job to make its lower rungs."""
    await _send(pool, title, "den", 1)
    video_id = await pool.fetchval(
        "UPDATE videos SET state = 'ready', finishing = 0, lower_rungs = $2 WHERE sender LIKE '%' || $1 || '%'"
        " RETURNING id::text",
        title, rungs,
    )  # fmt: skip
    return str(video_id)


async def test_lower_rungs_in_spare_time_hold_up_nobody_who_wants_some(pool: Pool) -> None:
    spare = await _left_out(pool, "spare", "alice")
    process = _Process(pool)
    assert await process.take() == spare
    wanted = await _left_out(pool, "wanted", "bob")
    # Beside the other one, which it then ends.
    assert await eventually(lambda: process.take(TIMEOUT), what="a job") == wanted
    # And before it, however they came.
    assert await _take_all(_Process(pool)) == []
    await pool.execute("UPDATE pgqueuer SET status = 'queued', queue_manager_id = NULL")
    assert await _take_all(_Process(pool)) == [wanted, spare]


async def test_lower_rungs_that_failed_in_passing_come_after_what_nobody_tried(pool: Pool) -> None:
    failing = await _left_out(pool, "wanted", "alice")
    other = await _left_out(pool, "wanted", "bob")
    await pool.execute("UPDATE pgqueuer SET execute_after = now() - interval '5 s'")
    await pool.execute(
        "UPDATE pgqueuer SET execute_after = now() - interval '1 s' WHERE payload = $1", failing.encode()
    )
    assert await _Process(pool).take() == other


async def test_lower_rungs_that_are_wanted_for_long_come_in_a_full_queue(pool: Pool) -> None:
    wanted = await _left_out(pool, "wanted", "alice")
    for number in range(40):
        await _send(pool, f"u{number}", f"r{number}", 1)
    process = _Process(pool)
    taken = await _take_all(process)
    assert len(taken) == PLACES
    assert wanted not in taken
    await pool.execute("UPDATE pgqueuer SET execute_after = now() - interval '11 minutes' WHERE status = 'queued'")
    # One has been done.
    await pool.execute("DELETE FROM pgqueuer WHERE payload = $1", taken[0].encode())
    assert await eventually(lambda: process.take(TIMEOUT), what="a job") == wanted


async def test_what_a_dead_worker_had_is_taken_over_and_what_is_not_due_is_left(pool: Pool) -> None:
    await _send(pool, "alice", "den", 2)
    await _send(pool, "bob", "den", 1, of_before=True)
    dead, alive = _Process(pool), _Process(pool)
    first = await dead.take()
    await pool.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 hour' WHERE status = 'queued'")
    assert await alive.take() is None
    await pool.execute("UPDATE pgqueuer SET heartbeat = now() - interval '11 seconds' WHERE status = 'picked'")
    assert await alive.take() == first
    await pool.execute("UPDATE pgqueuer SET execute_after = now()")
    # Of another priority, and of a video that is gone.
    await pool.execute("DELETE FROM videos WHERE sender = '@alice:x' AND id::text <> $1", first)
    rest = [await alive.take(), await alive.take()]
    assert await _senders(pool, [each for each in rest[1:] if each]) == ["bob"]
    assert await alive.take() is None


async def _rows(pool: Pool) -> list[tuple[str, str | None]]:
    rows = await pool.fetch("SELECT status::text, queue_manager_id::text AS owner FROM pgqueuer ORDER BY id")
    return [(row["status"], row["owner"]) for row in rows]


async def test_who_was_silent_for_too_long_ends_nothing_that_another_has_taken(pool: Pool) -> None:
    await _send(pool, "alice", "den", 1)
    stopped, other = _Process(pool), _Process(pool)
    video_id = await stopped.take()
    assert video_id
    await pool.execute("UPDATE pgqueuer SET heartbeat = now() - interval '11 seconds'")
    assert await other.take() == video_id
    theirs = [("picked", str(other.id))]
    await stopped.end(video_id)
    assert await _rows(pool) == theirs
    await stopped.queries.retry_job(stopped.jobs[video_id], timedelta(hours=1), None)
    assert await _rows(pool) == theirs
    await pool.execute("UPDATE pgqueuer SET heartbeat = now() - interval '11 seconds'")
    await stopped.queries.update_heartbeat([stopped.jobs[video_id].id])
    assert await pool.fetchval("SELECT heartbeat < now() - interval '10 seconds' FROM pgqueuer"), "it does not live"
    await other.queries.update_heartbeat([other.jobs[video_id].id])
    assert await pool.fetchval("SELECT heartbeat > now() - interval '10 seconds' FROM pgqueuer")
    await other.end(video_id)
    assert await _rows(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'") == 1


async def test_who_is_idle_takes_what_waits_elsewhere(pool: Pool) -> None:
    await _send(pool, "alice", "den", 3)
    busy, idle = _Process(pool), _Process(pool)
    taken = await _take_all(busy)
    assert len(taken) == 3
    assert await idle.take() is None, "nothing is offered"
    with pytest.raises(TakenError):  # noqa: PT012 - at the end of the wait
        async with busy.waiting(taken[1]), busy.waiting(taken[2]):
            assert await idle.take() == taken[1]
            # It is not idle any more.
            assert await _nothing_for(idle)
    assert [owner for _, owner in await _rows(pool)] == [str(busy.id), str(idle.id), str(busy.id)]
    # The offer of the other one is over.
    await idle.end(taken[1])
    assert await _nothing_for(idle)
    await busy.end(taken[2])
    assert [owner for _, owner in await _rows(pool)] == [str(busy.id)]


async def _nothing_for(process: _Process) -> bool:
    """Look for a job after the pause that follows a look in vain."""
    await asyncio.sleep(0.25)
    return await process.take() is None


async def test_who_waits_no_more_offers_nothing(pool: Pool) -> None:
    await _send(pool, "alice", "den", 1)
    busy, idle = _Process(pool), _Process(pool)
    video_id = await busy.take()
    assert video_id
    for reason in (asyncio.CancelledError, ValueError):
        with pytest.raises(reason):
            async with busy.waiting(video_id):
                raise reason
        assert await _nothing_for(idle)


async def test_an_offer_is_of_who_made_it(pool: Pool) -> None:
    await _send(pool, "alice", "den", 1)
    first, second, third = (_Process(pool) for _ in range(3))
    video_id = await first.take()
    assert video_id
    with pytest.raises(TakenError):  # noqa: PT012 - at the end of the wait
        async with first.waiting(video_id):
            # As after the first one was stopped and gave it back.
            await first.queries.retry_job(first.jobs[video_id], timedelta(0), None)
            assert await second.take() == video_id
            assert await third.take() is None, "the second one works on it"


async def test_of_many_who_are_idle_one_takes_what_is_offered_or_who_offers_it_begins(pool: Pool) -> None:
    busy = _Process(pool)

    async def offer(video_id: str, seconds: float) -> str | None:
        try:
            async with busy.waiting(video_id):
                await asyncio.sleep(seconds)
        except TakenError:
            return None
        return video_id

    for number in range(12):
        await _send(pool, f"u{number}", "den", 1)
        video_id = await eventually(lambda: busy.take(TIMEOUT), what="a job")
        assert video_id
        others = [_Process(pool) for _ in range(3)]
        got = await asyncio.gather(offer(video_id, 0.001 * (number % 4)), *(each.take() for each in others))
        assert [each for each in got if each] == [video_id], got
        await pool.execute("DELETE FROM pgqueuer")


async def test_many_processes_at_once_take_nothing_twice(pool: Pool) -> None:
    for number in range(8):
        await _send(pool, f"user{number}", "den", 5)
    processes = [_Process(pool) for _ in range(5)]
    taken: list[str] = []

    async def everything() -> bool:
        # Who was too slow for one job looks for others soon after.
        for each in await asyncio.gather(*(_take_all(process) for process in processes)):
            taken.extend(each)
        return len(taken) >= 40

    await eventually(everything, what="every job being taken")
    assert len(taken) == len(set(taken)) == 40


async def test_a_long_backlog_is_looked_through_once(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO rooms (room_id, bot_membership) SELECT '!' || n || ':x', 'join' FROM generate_series(1, 100) n"
    )
    await pool.execute(
        "WITH made AS (INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, sent_at, position)"
        " SELECT '$' || n, '!' || 1 + n % 100 || ':x', '', '@' || n % 1000 || ':x', '', '', true, n, n"
        " FROM generate_series(1, 20000) n RETURNING id)"
        " INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
        " SELECT 0, 'queued', 'video', convert_to(id::text, 'UTF8') FROM made"
    )
    await pool.execute("ANALYZE videos")
    await pool.execute("ANALYZE pgqueuer")
    text, *arguments = query(
        "videos_to_take", heartbeat_timeout=TIMEOUT, patience=RUNGS_PATIENCE, idle=True, queue_manager_id=uuid.uuid4()
    )
    plan = json.loads(await pool.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", *arguments))
    # Each page of both tables; fetching the video of each job by itself would take some 40,000.
    assert plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"] < 5_000
    # On a slow machine that takes longer than a heartbeat is waited for.
    taken = await _take_all(_Process(pool), timedelta(hours=1))
    assert len(set(taken)) == len(taken) == PLACES


async def test_a_job_that_names_no_video_holds_nobody_up(pool: Pool) -> None:
    await _send(pool, "alice", "one", 1)
    await pool.execute(
        "INSERT INTO pgqueuer (priority, entrypoint, payload, status)"
        " SELECT 0, 'video', payload, 'queued' FROM unnest($1::bytea[]) AS bad (payload)",
        [b"\xff\x00", b"nonsense", b"", b"\\377", None],
    )
    taken = await _Process(pool).take()
    assert taken
    assert await _senders(pool, [taken]) == ["alice"]


async def test_the_outcome_of_jobs_is_erased_after_a_week(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)"
        " SELECT now() - make_interval(days => n), n, 'successful', 0, 'video' FROM generate_series(1, 30) AS n;"
        "INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)"
        " SELECT now() - make_interval(days => n), n, 0, 'successful', 'video' FROM generate_series(1, 30) AS n"
    )
    await pool.execute("INSERT INTO offered_jobs VALUES (1, gen_random_uuid())")
    await Stores(pool).installation.prune_job_log()
    assert await pool.fetchval("SELECT count(*) FROM offered_jobs") == 0
    for table in ("pgqueuer_log", "pgqueuer_statistics"):
        days = await pool.fetchval(f"SELECT max(extract(day FROM now() - created)) FROM {table}")  # noqa: S608 - ours
        assert days == 6, table
