"""The rows of what the bot sends on behalf of people, on a real PostgreSQL; and what is read of a homeserver."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from appservice.core.errors import ConflictError, GoneError, HomeserverError
from appservice.core.events.behalf import NONCE, SentFor, SentKind
from appservice.core.events.changes import SentByBot
from appservice.core.model import EventId, RoomId, UploadId, UserId, Video
from appservice.demo.synapse import free_port
from appservice.matrix.client import HomeserverClient
from appservice.store import ErasureStore, SentForStore, Stores
from appservice.store.outbox import TALK_CHANNEL, Pool
from appservice.store.removal import erase_sent
from appservice.store.sql import query
from appservice.web import behalf
from appservice.web.context import Context
from appservice.web.relations import RelationReader
from tests.integration.test_store import BOT, jobs, member, one_video
from tests.support.databases import migrated_pool
from tests.support.factories import ALICE, BOB, ROOM
from tests.support.waiting import eventually

EVENT = EventId("$said")
UPLOADS = [UploadId(f"1f0e7a2c-0000-4000-8000-00000000000{number}") for number in range(2)]


@pytest.fixture(scope="module")
async def pool(create_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("sent_for"), size=8) as pool:
        yield pool


@pytest.fixture
async def video(pool: Pool) -> Video:
    await pool.execute("TRUNCATE seen_events, rooms, members, videos, sent_for, pgqueuer, pgqueuer_log CASCADE")
    store = Stores(pool)
    await store.intake.apply([member(BOB)])
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
    assert await store.about(video, {EventId("$other"): "m", EventId("$none"): None}) == []
    (found,) = await store.about(video, {EVENT: "n"})
    assert (found.key, found.event_id) == (sent.key, EVENT)
    assert await store.take_back(video, ALICE, EVENT), "it can be taken back from here on"
    assert await store.about(video, {EVENT: "n"}) == []


async def test_what_nobody_was_notified_of_yet_is_somebodys(store: SentForStore, video: Video) -> None:
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
    assert [each.user_id for each in await store.about(video, {EVENT: "b"})] == [BOB]
    # They try again: from now on, not since then.
    again, is_new = await store.reaction(video, ALICE, "c", "👍")
    assert (again.key, is_new) == (failed.key, False)
    assert again.sent_at > others.sent_at
    assert await store.join(video, again) == EVENT
    assert [each.user_id for each in await store.about(video, {EVENT: "b"})] == [ALICE, BOB]


async def test_who_joins_takes_the_form_that_is_there(store: SentForStore, video: Video) -> None:
    assert await store.sent(await react(store, video, BOB, "b", "❤️"), EVENT)
    own = await react(store, video, ALICE, "a", "❤")
    assert await store.join(video, own) == EVENT
    assert [each.reaction for each in await store.about(video, {EVENT: None})] == ["❤️", "❤️"]


async def test_whoever_joins_while_the_last_leaves_keeps_it(store: SentForStore, video: Video, pool: Pool) -> None:
    assert await store.sent(await react(store, video, BOB, "b"), EVENT)
    own = await react(store, video, ALICE, "a")
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await erase_sent(connection, user_id=BOB, redact=True)
        joining = asyncio.create_task(store.join(video, own))

        async def waits() -> bool:
            # A row's lock is waited for as its transaction's, which belongs to no database.
            return bool(
                await pool.fetchval(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock')"
                )
            )

        await eventually(waits, what="who joins waiting for who leaves")
        await transaction.commit()
    assert await joining is None, "that event goes"
    # And the other way round: what the job requests, it requests late.
    assert await store.sent(own, EVENT)
    assert await redactions(pool) == 1
    assert await ErasureStore(pool).is_attributed(ROOM, EVENT)


async def test_somebody_reacts_so_once(store: SentForStore, video: Video) -> None:
    keys = {"a": "❤️", "b": "❤", "c": "❤", "d": "❤️"}
    made = await asyncio.gather(*(store.reaction(video, ALICE, nonce, key) for nonce, key in keys.items()))
    assert len({sent.key for sent, _ in made}) == 1
    assert sorted(is_new for _, is_new in made) == [False, False, False, True]


async def test_one_reacts_so_at_a_time(store: SentForStore, video: Video, pool: Pool) -> None:
    other = SentForStore(pool)  # as in another process
    order: list[str] = []

    async def wait_and_react() -> None:
        async with other.lock_reaction(video, "❤"):
            order.append("second")

    async with store.lock_reaction(video, "❤️"), store.lock_reaction(video, "👍"):
        second = asyncio.create_task(wait_and_react())

        async def waits() -> bool:
            rows = await pool.fetch(
                "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            return len(rows) == 1

        await eventually(waits, what="the second waiting")
        order.append("first")
    await second
    assert order == ["first", "second"]


async def test_an_event_is_of_what_was_to_be_sent(store: SentForStore, video: Video, pool: Pool) -> None:
    """The nonce of something else makes no event somebody's."""
    await react(store, video, ALICE, "n")
    await Stores(pool).intake.apply([SentByBot(ROOM, EVENT, "n", SentKind.COMMENT)])
    assert await pool.fetchval("SELECT event_id FROM sent_for") is None
    await Stores(pool).intake.apply([SentByBot(ROOM, EVENT, "n", SentKind.REACTION)])
    assert await pool.fetchval("SELECT event_id FROM sent_for") == EVENT


async def test_what_the_homeserver_sends_once_more_goes(store: SentForStore, video: Video, pool: Pool) -> None:
    """It lost the transaction id, and delivers the first event after it responded with the second."""
    for sent in (await store.comment(video, ALICE, "n", "hello"), await react(store, video, ALICE, "m")):
        first, second = (EventId(f"${sent.nonce}{number}") for number in range(2))
        assert await store.sent(sent, second)
        before = await redactions(pool)
        await Stores(pool).intake.apply([SentByBot(ROOM, event, sent.nonce, sent.kind) for event in (second, first)])
        assert await redactions(pool) == before + 1
        assert [await ErasureStore(pool).is_attributed(ROOM, event) for event in (first, second)] == [False, True]
    # As well where a response has it.
    kept = await store.sent(sent, first)
    assert kept
    assert kept.event_id == second
    assert await redactions(pool) == before + 2


async def test_ones_own_goes_that_was_joined_before_it_was_heard_of(
    store: SentForStore, video: Video, pool: Pool
) -> None:
    """To the homeserver two forms of an emoji are two reactions."""
    own = await react(store, video, ALICE, "a", "❤️")
    assert await store.sent(await react(store, video, BOB, "b", "❤"), EVENT)
    assert await store.join(video, own) == EVENT
    await Stores(pool).intake.apply([SentByBot(ROOM, EventId("$unheard"), "a", SentKind.REACTION)])
    assert await redactions(pool) == 1
    assert {each.user_id for each in await store.about(video, {EVENT: None})} == {ALICE, BOB}


async def test_what_comes_after_it_was_erased_goes(store: SentForStore, video: Video, pool: Pool) -> None:
    sent = [await store.comment(video, ALICE, f"n{number}", "hello") for number in range(2)]
    await ErasureStore(pool).erase_user(ALICE, by=ALICE)
    assert await ErasureStore(pool).remains(user_id=ALICE) == {}
    # By a transaction of the homeserver, or by its response.
    await Stores(pool).intake.apply([SentByBot(ROOM, EventId("$told"), "n0", SentKind.COMMENT)])
    assert await redactions(pool) == 1
    assert await store.sent(sent[1], EventId("$answered")) is None
    assert await redactions(pool) == 2
    assert not await ErasureStore(pool).is_attributed(ROOM, EventId("$told"))
    # Nor does anybody else get it by its nonce.
    with pytest.raises(ConflictError):
        await store.comment(video, BOB, "n0", "hello")


async def test_a_reaction_is_to_the_message_that_is_there(store: SentForStore, video: Video) -> None:
    """A video may pass on to the next message that brings it."""
    assert await store.sent(await react(store, video, ALICE, "a"), EVENT)
    later = replace(video, event_id=EventId("$second"))
    assert await store.join(later, await react(store, later, BOB, "b")) is None
    own, is_new = await store.reaction(later, ALICE, "a2", "👍")
    assert (own.event_id, is_new) == (None, True)
    assert await store.sent(own, EventId("$again"))
    assert await store.take_back(later, ALICE, EVENT), "what was said before can be taken back as well"
    comment = await store.comment(video, ALICE, "c", "hello")
    assert await store.sent(comment, EventId("$c"))
    assert [await store.newest_comments(each, 9) for each in (video, later)] == [["$c"], []]


async def test_who_reacts_and_takes_it_back_at_once_is_not_refused(store: SentForStore, video: Video) -> None:
    async def again(turn: int) -> None:
        sent = await react(store, video, ALICE, f"n{turn}")
        event_id = EventId(f"$e{sent.key}")
        if await store.sent(sent, event_id):
            await store.take_back(video, ALICE, event_id)

    await asyncio.gather(*(again(turn) for turn in range(40)))


async def test_one_slow_room_leaves_places_for_others(store: SentForStore, video: Video) -> None:
    held, over = [], asyncio.Event()

    async def hold(key: str) -> None:
        async with store.lock_reaction(video, key):
            held.append(key)
            await over.wait()

    slow = [asyncio.create_task(hold(key)) for key in "aaabcdefg"]

    async def some() -> bool:
        return bool(held)

    await eventually(some, what="somebody reacting in the slow room")
    async with store.lock_reaction(replace(video, event_id=EventId("$other"), sent_in=RoomId("!other:here")), "a"):
        assert not over.is_set()
    over.set()
    await asyncio.gather(*slow)
    assert len(held) == len(slow)


# Taking back


async def test_by_the_bare_id_what_stands_is_taken_back(store: SentForStore, video: Video, pool: Pool) -> None:
    for user_id, nonce in ((BOB, "b"), (ALICE, "a")):
        assert await store.sent(await react(store, video, user_id, nonce), EVENT)
    assert await store.take_back(video, ALICE, EVENT)
    again = await react(store, video, ALICE, "a2")
    assert await store.join(video, again) == EVENT
    assert await store.take_back(video, ALICE, EVENT)
    assert [each.user_id for each in await store.about(video, {EVENT: None})] == [BOB]
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
    assert not await ErasureStore(pool).is_attributed(ROOM, EVENT)


async def test_events_and_responses_do_not_block_each_other(store: SentForStore, video: Video, pool: Pool) -> None:
    """The homeserver delivers events while the responses to their requests come, in any order."""
    for turn in range(20):
        sent = [await react(store, video, user, f"{user[1]}{turn}", f"{turn}") for user in (ALICE, BOB)]
        changes = [SentByBot(ROOM, EventId(f"${turn}"), each.nonce, each.kind) for each in reversed(sent)]
        await asyncio.gather(
            Stores(pool).intake.apply(changes), *(store.sent(each, EventId(f"${turn}")) for each in sent),
        )  # fmt: skip


# What is erased


async def test_who_watches_is_notified_that_it_is_gone(store: SentForStore, video: Video, pool: Pool) -> None:
    for user_id, nonce in ((BOB, "b"), (ALICE, "a")):
        assert await store.sent(await react(store, video, user_id, nonce), EVENT)
    notifications: asyncio.Queue[object] = asyncio.Queue()

    def notify(*relations: object) -> None:
        notifications.put_nowait(json.loads(str(relations[-1])))

    async with pool.acquire() as connection:
        await connection.add_listener(TALK_CHANNEL, notify)
        try:
            await ErasureStore(pool).erase_user(BOB, by=BOB)
            assert await asyncio.wait_for(notifications.get(), 30) == {"room_id": ROOM, "event_id": video.event_id}
        finally:
            await connection.remove_listener(TALK_CHANNEL, notify)


async def test_what_nobody_requests_any_more_goes(store: SentForStore, video: Video, pool: Pool) -> None:
    kinds = {
        "pending": (None, None, "400 days"),
        "unheard": (None, None, "7 days"),
        "sent": ("$sent", None, "400 days"),
        "taken": ("$taken", "30 hours", "400 days"),
        "forgotten": (None, "30 hours", "400 days"),
        "late": ("$l", "1 hour", "400 days"),
    }
    for nonce, (event_id, taken_back, sent) in kinds.items():
        await store.comment(video, ALICE, nonce, nonce)
        await pool.execute(
            "UPDATE sent_for SET event_id = $2, sent_at = now() - $4::text::interval,"
            " taken_back_at = now() - $3::text::interval WHERE nonce = $1",
            nonce, event_id, taken_back, sent,
        )  # fmt: skip
    await ErasureStore(pool).expire_sent()
    rows = await pool.fetch("SELECT nonce FROM sent_for ORDER BY nonce")
    assert [row["nonce"] for row in rows] == ["forgotten", "late", "sent", "unheard"]
    assert await redactions(pool) == 0
    # The room's own lifetime ends the message as well.
    await pool.execute("UPDATE rooms SET max_lifetime = 86400000 * 399::bigint")
    await ErasureStore(pool).expire_sent()
    assert await pool.fetchval("SELECT string_agg(nonce, ' ') FROM sent_for WHERE user_id <> ''") == "unheard"
    assert await redactions(pool) == 1
    await ErasureStore(pool).expire_sent()
    assert await redactions(pool) == 1, "once"


async def test_frequent_queries_use_an_index(store: SentForStore, video: Video, pool: Pool) -> None:
    await pool.execute("INSERT INTO rooms (room_id) SELECT '!r' || n FROM generate_series(1, 2000) AS n")
    await pool.execute(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at) "
        "SELECT '$' || n, '!r' || (n % 200 + 1), '!r', '@u', 't', 'm', true, n, n FROM generate_series(1, 5000) AS n"
    )
    await pool.execute(
        "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, video_id, target, reaction, event_id,"
        " taken_back_at) "
        "SELECT v.room_id, '@u' || n, n || v.event_id, '', 'reaction', v.id, v.event_id, 'x', '$' || n || v.event_id,"
        " CASE WHEN n > 2 THEN now() END FROM videos v, generate_series(1, 5) AS n"
    )
    await pool.execute("ANALYZE rooms, videos, sent_for")
    target = video.event_id
    questions = [
        query("sent_about", room_id=ROOM, target=target, event_ids=["$1"], nonces=["n"], limit=9),
        query("newest_comments", room_id=ROOM, target=target, limit=9),
        query("standing_reaction", room_id=ROOM, target=target, reaction="x"),
        query("react_again", room_id=ROOM, target=target, user_id=ALICE, reaction="x"),
        query("is_attributed", room_id=ROOM, event_id="$1"),
        query("sent_by_bot", room_id=ROOM, nonce="n", kind="reaction"),
        query("own_sent", video_id=video.id, target=target, user_id=ALICE, event_id="$1"),
        query("sent_of_user", user_id=ALICE, room_id=ROOM),
        query("erase_sent_rows", keys=[1]),
        query("delete_spent_sent", seconds=86400.0, unheard_seconds=86400.0 * 8, most=9),
    ]
    for text, *arguments in questions:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = str(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *arguments))
        assert '"Seq Scan"' not in plan, f"{text}: {plan}"


# What is read of a homeserver


@dataclass
class RelationsServer:
    """A homeserver that has only relations, and responds as soon as it may."""

    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: int = 0
    most_at_once: int = 0
    status: int = 200
    open: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = field(default_factory=free_port)
    _now: int = 0

    async def relations(self, request: web.Request) -> web.Response:
        self.requests += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.open.wait()
        self._now -= 1
        if self.status != 200:
            return web.json_response({"errcode": "M_UNKNOWN"}, status=self.status)
        start, limit = int(request.query.get("from", "0")), int(request.query["limit"])
        events = self.events.get(request.match_info["rel_type"], [])
        relations: dict[str, Any] = {"chunk": events[start : start + limit]}
        if start + limit < len(events):
            relations["next_batch"] = str(start + limit)
        return web.json_response(relations)

    async def take(self, _: web.Request) -> web.Response:
        self.requests += 1
        await self.open.wait()
        return web.json_response({"event_id": EVENT})


@pytest.fixture
async def server(aiohttp_server: AiohttpServer) -> AsyncIterator[RelationsServer]:
    server = RelationsServer()
    server.open.set()
    app = web.Application()
    app.router.add_put("/{path:.*}", server.take)
    app.router.add_get("/_matrix/client/v1/rooms/{room}/relations/{event}/{rel_type}/{kind}", server.relations)
    await aiohttp_server(app, port=server.port)
    yield server
    server.open.set()


@pytest.fixture
async def reader(server: RelationsServer, store: SentForStore) -> AsyncIterator[RelationReader]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        url = f"http://127.0.0.1:{server.port}"
        yield RelationReader(HomeserverClient(session, url, "token", "reel", BOT), store)


def replies(count: int, length: int) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"${number}", "sender": ALICE, "type": "m.room.message", "origin_server_ts": 1,
            "content": {"msgtype": "m.text", "body": "x" * length, "padding": "y" * 30_000},
        }
        for number in range(count)
    ]  # fmt: skip


async def test_long_replies_are_fewer(reader: RelationReader, server: RelationsServer, video: Video) -> None:
    server.events["m.thread"] = replies(600, 8000)
    relations = await reader.about(video)
    assert 131 <= len(relations) < 200, "about a million characters"
    assert server.requests == len(relations) / 50 + 1, "no page more than that, and one of reactions"


async def test_short_replies_are_as_many_as_are_shown(
    reader: RelationReader, server: RelationsServer, video: Video
) -> None:
    server.events["m.thread"] = replies(600, 5)
    assert [each.event_id for each in await reader.about(video)] == [f"${number}" for number in range(500)]


async def test_requests_meanwhile_share_the_next_query(
    reader: RelationReader, server: RelationsServer, video: Video
) -> None:
    server.open.clear()
    first = asyncio.create_task(reader.about(video))

    async def is_requested() -> bool:
        return server.requests == 2

    await eventually(is_requested, what="the first request for replies and reactions")
    others = [asyncio.create_task(reader.about(video)) for _ in range(20)]
    await asyncio.sleep(0)
    # What came after the first request is in the response to requests after it came.
    server.events["m.thread"] = replies(1, 5)
    server.open.set()
    await first
    assert [len(each) for each in await asyncio.gather(*others)] == [1] * 20
    assert server.requests == 4


async def test_few_are_requested_at_once(
    reader: RelationReader, server: RelationsServer, video: Video, pool: Pool, store: SentForStore
) -> None:
    videos = [await one_video(Stores(pool), number) for number in range(10, 20)]
    server.open.clear()
    readers = [asyncio.create_task(reader.about(each)) for each in videos]

    async def full() -> bool:
        return server.requests == 8

    await eventually(full, what="requests of four of them for replies and reactions")
    server.open.set()
    await asyncio.gather(*readers)
    assert (server.requests, server.most_at_once) == (20, 8)


async def test_a_failure_is_everybodys_and_not_kept(
    reader: RelationReader, server: RelationsServer, video: Video
) -> None:
    server.status = 502
    outcomes = await asyncio.gather(*(reader.about(video) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, HomeserverError) for outcome in outcomes)
    server.status = 200
    assert await reader.about(video) == []


async def test_who_goes_away_takes_nobody_along(reader: RelationReader, server: RelationsServer, video: Video) -> None:
    server.open.clear()
    first, second = (asyncio.create_task(reader.about(video)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    server.open.set()
    assert await second == []


async def test_the_bots_own_reaction_is_found_behind_many(
    reader: RelationReader, server: RelationsServer, video: Video
) -> None:
    def annotation(number: int, sender: str, key: str) -> dict[str, Any]:
        relation = {"rel_type": "m.annotation", "event_id": video.event_id, "key": key}
        content = {"m.relates_to": relation, NONCE: f"n{number}"}
        return {
            "event_id": f"${number}", "sender": sender, "type": "m.reaction", "origin_server_ts": 1, "content": content,
        }  # fmt: skip

    server.events["m.annotation"] = [
        *(annotation(number, ALICE, "👍") for number in range(1500)), annotation(1500, BOT, "🎉"),
        annotation(1501, BOT, "👍"),
    ]  # fmt: skip
    found = await reader.own_reaction(video, "👍")
    assert found
    assert (found.event_id, found.nonce) == ("$1501", "n1501")
    assert await reader.own_reaction(video, "👻") is None


async def test_nobody_reacts_for_ever(
    reader: RelationReader, server: RelationsServer, store: SentForStore, video: Video
) -> None:
    server.open.clear()
    async with aiohttp.ClientSession() as session:
        homeserver = HomeserverClient(session, f"http://127.0.0.1:{server.port}", "token", "reel", BOT)
        context = cast(
            "Context", SimpleNamespace(stores=SimpleNamespace(sent_for=store), homeserver=homeserver, relations=reader)
        )
        with pytest.raises(HomeserverError):
            await behalf.react(context, video, await react(store, video, ALICE, "a"), longest_s=0.01)
        assert not server.open.is_set()
