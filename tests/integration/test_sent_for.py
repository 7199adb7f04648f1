"""The rows of what the bot sends on behalf of people, on a real PostgreSQL; and what is read of a homeserver."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from appservice.behalf import NONCE, SentFor, SentKind
from appservice.demo.synapse import free_port
from appservice.errors import ConflictError, GoneError, HomeserverError
from appservice.intake import SentByBot
from appservice.jobs import Pool
from appservice.matrix.client import Homeserver
from appservice.model import EventId, UploadId, UserId, Video
from appservice.removal import erase_sent
from appservice.rows import SQL
from appservice.store import ErasingStore, SentForStore, Store
from appservice.web.said import SaidReader
from tests.integration.test_store import BOT, jobs, member, one_video
from tests.support import eventually, migrated_pool
from tests.unit.videos import ALICE, BOB, ROOM

EVENT = EventId("$said")
UPLOADS = [UploadId(f"1f0e7a2c-0000-4000-8000-00000000000{number}") for number in range(2)]


@pytest.fixture(scope="module")
async def pool(create_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("sent_for"), size=8) as pool:
        yield pool


@pytest.fixture
async def video(pool: Pool) -> Video:
    await pool.execute("TRUNCATE seen_events, rooms, members, videos, sent_for, pgqueuer, pgqueuer_log CASCADE")
    store = Store(pool)
    await store.apply([member(BOB)])
    return await one_video(store)


@pytest.fixture
def store(pool: Pool) -> SentForStore:
    return SentForStore(pool)


async def react(store: SentForStore, video: Video, user_id: UserId, nonce: str, key: str = "👍") -> SentFor:
    return (await store.reaction(video, user_id, nonce, key))[0]


async def redactions(pool: Pool) -> int:
    return sum('"said": true' in payload for _, payload in await jobs(pool))


# A nonce says one thing


async def test_a_nonce_is_not_used_for_something_else(store: SentForStore, video: Video) -> None:
    first = await store.comment(video, ALICE, "n", "hello")
    assert await store.comment(video, ALICE, "n", "hello") == first
    for again in (
        store.comment(video, ALICE, "n", "hello!"), store.comment(video, BOB, "n", "hello"),
        store.reaction(video, ALICE, "n", "👍"), store.video(ROOM, ALICE, "n", UPLOADS[0]),
    ):  # fmt: skip
        with pytest.raises(ConflictError):
            await again


async def test_a_reactions_nonce_is_of_one_emoji(store: SentForStore, video: Video) -> None:
    sent, is_new = await store.reaction(video, ALICE, "n", "❤️")
    assert is_new
    assert (await store.reaction(video, ALICE, "n", "❤"))[0].key == sent.key, "it looks the same"
    with pytest.raises(ConflictError):
        await store.reaction(video, ALICE, "n", "🎉")
    # Not even where the other one stands already.
    await react(store, video, ALICE, "m", "🎉")
    with pytest.raises(ConflictError):
        await store.reaction(video, ALICE, "n", "🎉")


async def test_a_videos_nonce_is_of_one_upload(store: SentForStore, video: Video) -> None:
    sent = await store.video(ROOM, ALICE, "n", UPLOADS[0])
    assert await store.video(ROOM, ALICE, "another", UPLOADS[0]) == sent
    with pytest.raises(ConflictError):
        await store.video(ROOM, ALICE, "n", UPLOADS[1])


# Which event it is


async def test_the_first_event_holds(store: SentForStore, video: Video) -> None:
    sent = await store.comment(video, ALICE, "n", "hello")
    for event_id in (EVENT, EventId("$later")):
        kept = await store.sent(sent, event_id)
        assert kept
        assert kept.event_id == EVENT


async def test_what_was_not_heard_of_is_known_by_its_nonce(store: SentForStore, video: Video) -> None:
    sent = await store.comment(video, ALICE, "n", "hello")
    assert await store.about(video.id, {EventId("$other"): "m", EventId("$none"): None}) == []
    (found,) = await store.about(video.id, {EVENT: "n"})
    assert (found.key, found.event_id) == (sent.key, EVENT)
    assert await store.take_back(video, ALICE, EVENT), "it can be taken back from here on"
    assert await store.about(video.id, {EVENT: "n"}) == []


async def test_what_nobody_was_told_of_yet_is_somebodys(store: SentForStore, video: Video) -> None:
    """Whoever finds it in the way of their own reaction leaves it there, and joins."""
    await react(store, video, BOB, "b")
    own = await react(store, video, ALICE, "a")
    assert not await store.is_attributed(ROOM, EVENT)
    assert not await store.is_attributed(ROOM, EVENT, "another")
    assert await store.is_attributed(ROOM, EVENT, "b")
    assert await store.join(video, own) == EVENT
    for user_id in (BOB, ALICE):
        assert await store.is_attributed(ROOM, EVENT, "b")
        assert await store.take_back(video, user_id, EVENT)
    assert not await store.is_attributed(ROOM, EVENT, "b")


async def test_what_failed_long_ago_does_not_come_with_anothers(store: SentForStore, video: Video, pool: Pool) -> None:
    failed = await react(store, video, ALICE, "a")
    await pool.execute("UPDATE sent_for SET sent_at = now() - interval '3 weeks'")
    others = await react(store, video, BOB, "b")
    assert await store.sent(others, EVENT)
    assert [each.user_id for each in await store.about(video.id, {EVENT: "b"})] == [BOB]
    # They try again: from now on, not since then.
    again, is_new = await store.reaction(video, ALICE, "c", "👍")
    assert (again.key, is_new) == (failed.key, False)
    assert again.sent_at > others.sent_at
    assert await store.join(video, again) == EVENT
    assert [each.user_id for each in await store.about(video.id, {EVENT: "b"})] == [ALICE, BOB]


async def test_who_joins_takes_the_form_that_is_there(store: SentForStore, video: Video) -> None:
    assert await store.sent(await react(store, video, BOB, "b", "❤️"), EVENT)
    own = await react(store, video, ALICE, "a", "❤")
    assert await store.join(video, own) == EVENT
    assert [each.reaction for each in await store.about(video.id, {EVENT: None})] == ["❤️", "❤️"]


async def test_whoever_joins_while_the_last_leaves_keeps_it(store: SentForStore, video: Video, pool: Pool) -> None:
    assert await store.sent(await react(store, video, BOB, "b"), EVENT)
    own = await react(store, video, ALICE, "a")
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await erase_sent(connection, user_id=BOB, redact=True)
        joining = asyncio.create_task(store.join(video, own))

        async def waits() -> bool:
            return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

        await eventually(waits, what="who joins waiting for who leaves")
        await transaction.commit()
    assert await joining is None, "that event goes"
    # And the other way round: what the job asks, it asks late.
    assert await store.sent(own, EVENT)
    assert await redactions(pool) == 1
    assert await ErasingStore(pool).is_attributed(ROOM, EVENT)


async def test_somebody_reacts_so_once(store: SentForStore, video: Video) -> None:
    keys = {"a": "❤️", "b": "❤", "c": "❤", "d": "❤️"}
    made = await asyncio.gather(*(store.reaction(video, ALICE, nonce, key) for nonce, key in keys.items()))
    assert len({sent.key for sent, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, False, True]


async def test_one_reacts_so_at_a_time(store: SentForStore, video: Video, pool: Pool) -> None:
    other = SentForStore(pool)  # as in another process
    order: list[str] = []

    async def wait_and_react() -> None:
        async with other.lock_reaction(video.id, "❤"):
            order.append("second")

    async with store.lock_reaction(video.id, "❤️"), store.lock_reaction(video.id, "👍"):
        second = asyncio.create_task(wait_and_react())

        async def waits() -> bool:
            rows = await pool.fetch("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return len(rows) == 1

        await eventually(waits, what="the second waiting")
        order.append("first")
    await second
    assert order == ["first", "second"]


async def test_an_event_is_of_what_was_to_be_sent(store: SentForStore, video: Video, pool: Pool) -> None:
    """The nonce of something else makes no event somebody's."""
    await react(store, video, ALICE, "n")
    await Store(pool).apply([SentByBot(ROOM, EVENT, "n", SentKind.COMMENT)])
    assert await pool.fetchval("SELECT event_id FROM sent_for") is None
    await Store(pool).apply([SentByBot(ROOM, EVENT, "n", SentKind.REACTION)])
    assert await pool.fetchval("SELECT event_id FROM sent_for") == EVENT


# Taking back


async def test_by_the_bare_id_what_stands_is_taken_back(store: SentForStore, video: Video, pool: Pool) -> None:
    for user_id, nonce in ((BOB, "b"), (ALICE, "a")):
        assert await store.sent(await react(store, video, user_id, nonce), EVENT)
    assert await store.take_back(video, ALICE, EVENT)
    again = await react(store, video, ALICE, "a2")
    assert await store.join(video, again) == EVENT
    assert await store.take_back(video, ALICE, EVENT)
    assert [each.user_id for each in await store.about(video.id, {EVENT: None})] == [BOB]
    with pytest.raises(GoneError):
        await store.reaction(video, ALICE, "a2", "👍")
    before = await redactions(pool)
    assert await store.take_back(video, ALICE, EVENT)
    assert await redactions(pool) == before, "a repetition does nothing more"


async def test_both_of_two_who_take_it_back_at_once_have_it_redacted(
    store: SentForStore, video: Video, pool: Pool
) -> None:
    for user_id, nonce in ((BOB, "b"), (ALICE, "a")):
        assert await store.sent(await react(store, video, user_id, nonce), EVENT)
    assert await asyncio.gather(*(store.take_back(video, user_id, EVENT) for user_id in (ALICE, BOB))) == [True, True]
    assert await redactions(pool) == 2
    assert not await ErasingStore(pool).is_attributed(ROOM, EVENT)


async def test_events_and_answers_do_not_block_each_other(store: SentForStore, video: Video, pool: Pool) -> None:
    """The homeserver tells of events while the answers to their requests come, in any order."""
    for turn in range(20):
        sent = [await react(store, video, user, f"{user[1]}{turn}", f"{turn}") for user in (ALICE, BOB)]
        changes = [SentByBot(ROOM, EventId(f"${turn}"), each.nonce, each.kind) for each in reversed(sent)]
        await asyncio.gather(
            Store(pool).apply(changes), *(store.sent(each, EventId(f"${turn}")) for each in sent),
        )  # fmt: skip


# What is forgotten


async def test_what_nobody_asks_about_any_more_goes(store: SentForStore, video: Video, pool: Pool) -> None:
    kinds = {
        "pending": (None, None),
        "sent": ("$sent", None),
        "taken": ("$taken", "30 hours"),
        "late": ("$l", "1 hour"),
    }
    for nonce, (event_id, taken_back) in kinds.items():
        await store.comment(video, ALICE, nonce, nonce)
        await pool.execute(
            "UPDATE sent_for SET event_id = $2, sent_at = now() - interval '400 days',"
            " taken_back_at = now() - $3::text::interval WHERE nonce = $1",
            nonce, event_id, taken_back,
        )  # fmt: skip
    await ErasingStore(pool).forget_old_sent()
    rows = await pool.fetch("SELECT nonce FROM sent_for ORDER BY nonce")
    assert [row["nonce"] for row in rows] == ["late", "sent"]
    assert await redactions(pool) == 0
    # The room's own lifetime ends the message as well.
    await pool.execute("UPDATE rooms SET max_lifetime = 86400000 * 399::bigint")
    await ErasingStore(pool).forget_old_sent()
    assert await pool.fetchval("SELECT count(*) FROM sent_for") == 0
    assert await redactions(pool) == 1


async def test_what_is_asked_often_is_read_by_index(store: SentForStore, video: Video, pool: Pool) -> None:
    await pool.execute("INSERT INTO rooms (room_id) SELECT '!r' || n FROM generate_series(1, 2000) AS n")
    await pool.execute(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at) "
        "SELECT '$' || n, '!r' || (n % 200 + 1), '!r', '@u', 't', 'm', true, n, n FROM generate_series(1, 5000) AS n"
    )
    await pool.execute(
        "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, video_id, reaction, event_id, taken_back_at) "
        "SELECT v.room_id, '@u' || n, n || v.event_id, '', 'reaction', v.id, 'x', '$' || n || v.event_id,"
        " CASE WHEN n > 2 THEN now() END FROM videos v, generate_series(1, 5) AS n"
    )
    await pool.execute("ANALYZE rooms, videos, sent_for")
    questions: dict[str, tuple[object, ...]] = {
        "sent_about": (video.id, ["$1"], ["n"], 9), "newest_comments": (video.id, 9),
        "standing_reaction": (video.id, "x"), "react_again": (video.id, ALICE, "x"), "is_attributed": (ROOM, "$1"),
        "own_sent": (video.id, ALICE, "$1"), "forget_sent_of_user": (ALICE, ROOM),
        "forget_spent_sent": (86400.0, 9),
    }  # fmt: skip
    for name, arguments in questions.items():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = str(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {SQL[name].rstrip(';')}", *arguments))
        assert '"Seq Scan"' not in plan, f"{name}: {plan}"


# What is read of a homeserver


@dataclass
class Pages:
    """A homeserver that has only relations, and answers as soon as it may."""

    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: int = 0
    most_at_once: int = 0
    status: int = 200
    open: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = field(default_factory=free_port)
    _now: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.open.wait()
        self._now -= 1
        if self.status != 200:
            return web.json_response({"errcode": "M_UNKNOWN"}, status=self.status)
        start, limit = int(request.query.get("from", "0")), int(request.query["limit"])
        events = self.events.get(request.match_info["rel_type"], [])
        answer: dict[str, Any] = {"chunk": events[start : start + limit]}
        if start + limit < len(events):
            answer["next_batch"] = str(start + limit)
        return web.json_response(answer)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    pages = Pages()
    pages.open.set()
    app = web.Application()
    app.router.add_get("/_matrix/client/v1/rooms/{room}/relations/{event}/{rel_type}/{kind}", pages.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()

    await web.TCPSite(runner, "127.0.0.1", pages.port).start()
    try:
        yield pages
    finally:
        pages.open.set()
        await runner.cleanup()


@pytest.fixture
async def reader(pages: Pages, store: SentForStore) -> AsyncIterator[SaidReader]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        url = f"http://127.0.0.1:{pages.port}"
        yield SaidReader(Homeserver(session, url, "token", "reel", BOT), store)


def replies(count: int, length: int) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"${number}", "sender": ALICE, "type": "m.room.message", "origin_server_ts": 1,
            "content": {"msgtype": "m.text", "body": "x" * length, "padding": "y" * 30_000},
        }
        for number in range(count)
    ]  # fmt: skip


async def test_long_replies_are_fewer(reader: SaidReader, pages: Pages, video: Video) -> None:
    pages.events["m.thread"] = replies(600, 8000)
    said = await reader.about(video)
    assert 131 <= len(said) < 200, "about a million characters"
    assert pages.asked == len(said) / 50 + 1, "no page more than that, and one of reactions"


async def test_short_replies_are_as_many_as_are_shown(reader: SaidReader, pages: Pages, video: Video) -> None:
    pages.events["m.thread"] = replies(600, 5)
    assert [each.event_id for each in await reader.about(video)] == [f"${number}" for number in range(500)]


async def test_who_asks_meanwhile_shares_the_next(reader: SaidReader, pages: Pages, video: Video) -> None:
    pages.open.clear()
    first = asyncio.create_task(reader.about(video))

    async def asked() -> bool:
        return pages.asked == 2

    await eventually(asked, what="the first having asked for replies and reactions")
    others = [asyncio.create_task(reader.about(video)) for _ in range(20)]
    await asyncio.sleep(0)
    # What came after the first asked is told to who asked after it came.
    pages.events["m.thread"] = replies(1, 5)
    pages.open.set()
    await first
    assert [len(each) for each in await asyncio.gather(*others)] == [1] * 20
    assert pages.asked == 4


async def test_few_are_asked_about_at_once(
    reader: SaidReader, pages: Pages, video: Video, pool: Pool, store: SentForStore
) -> None:
    videos = [await one_video(Store(pool), number) for number in range(10, 20)]
    pages.open.clear()
    asking = [asyncio.create_task(reader.about(each)) for each in videos]

    async def full() -> bool:
        return pages.asked == 8

    await eventually(full, what="four of them asking for replies and reactions")
    pages.open.set()
    await asyncio.gather(*asking)
    assert (pages.asked, pages.most_at_once) == (20, 8)


async def test_a_failure_is_everybodys_and_not_kept(reader: SaidReader, pages: Pages, video: Video) -> None:
    pages.status = 502
    answers = await asyncio.gather(*(reader.about(video) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, HomeserverError) for answer in answers)
    pages.status = 200
    assert await reader.about(video) == []


async def test_who_goes_away_takes_nobody_along(reader: SaidReader, pages: Pages, video: Video) -> None:
    pages.open.clear()
    first, second = (asyncio.create_task(reader.about(video)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    pages.open.set()
    assert await second == []


async def test_the_bots_own_reaction_is_found_behind_many(reader: SaidReader, pages: Pages, video: Video) -> None:
    def annotation(number: int, sender: str, key: str) -> dict[str, Any]:
        relation = {"rel_type": "m.annotation", "event_id": video.event_id, "key": key}
        content = {"m.relates_to": relation, NONCE: f"n{number}"}
        return {
            "event_id": f"${number}", "sender": sender, "type": "m.reaction", "origin_server_ts": 1, "content": content,
        }  # fmt: skip

    pages.events["m.annotation"] = [
        *(annotation(number, ALICE, "👍") for number in range(1500)), annotation(1500, BOT, "🎉"),
        annotation(1501, BOT, "👍"),
    ]  # fmt: skip
    found = await reader.own_reaction(video, "👍")
    assert found
    assert (found.event_id, found.nonce) == ("$1501", "n1501")
    assert await reader.own_reaction(video, "👻") is None
