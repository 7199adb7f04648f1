"""A transaction is written as a set: it leaves what its events would, one by one, in a bounded number of statements."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import asyncpg
import pytest

from appservice.core.events.changes import (
    Change,
    CommandSent,
    EncryptedSent,
    MemberChanged,
    NewGallery,
    NewVideo,
    PowerChanged,
    Reacted,
    Redacted,
    RoomNamed,
)
from appservice.core.model import EventId, UserId
from appservice.core.room import Membership
from appservice.core.rules.quotas import NO_LIMITS, Allowance, Quotas
from appservice.store import Stores
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.intake_scenarios import CHOOSY, DIRECT, MODERATED, OPTED_IN, PLAIN, USERS, draw, dump, prepare

_SEEDS = range(16)
_LIMITS = Quotas(user=Allowance(videos=10_000), room=Allowance(videos=10_000), server=Allowance(size=10_000))


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


def _video(number: int, **changes: object) -> NewVideo:
    room_id = (PLAIN, CHOOSY, OPTED_IN, MODERATED)[number % 4]
    video = NewVideo(
        EventId(f"$v{number}"), room_id, USERS[number % 5], f"{number}", f"mxc://x/{number}", None, 5, True, number
    )
    return replace(video, **changes)  # type: ignore[arg-type] # the fields' own types


def _events(number: int) -> list[Change]:
    """Return one event of each kind that people send all the time."""
    user, event = UserId(f"@user{number}:example.org"), EventId(f"$c{number}")
    gallery = EventId(f"$g{number}")
    parts = tuple(_video(number, event_id=gallery, item=item, mxc=f"mxc://x/{number}/{item}") for item in range(2))
    return [
        MemberChanged(PLAIN, user, Membership.JOIN, None, None, EventId(f"$m{number}")),
        MemberChanged(OPTED_IN, user, Membership.JOIN, None, None, EventId(f"$n{number}")),
        _video(number),
        _video(number, event_id=EventId(f"$w{number}"), mxc=f"mxc://x/w{number}", nonce=f"nonce{number}"),
        NewGallery(gallery, parts[0].room_id, parts[0].sender, parts),
        MemberChanged(MODERATED, user, Membership.LEAVE, None, None, EventId(f"$l{number}")),
        EncryptedSent(OPTED_IN, EventId(f"$x{number}"), USERS[0], "session", {}),
        CommandSent(DIRECT, event, USERS[0], "help", False, event, None),
        CommandSent(PLAIN, EventId(f"$t{number}"), USERS[1], "a text", False, event, None),
        Reacted(PLAIN, EventId(f"$r{number}"), USERS[0], EventId("$post"), approves=True),
        RoomNamed(PLAIN, str(number), EventId(f"$o{number}")),
        PowerChanged(DIRECT, {"users": {}}, EventId(f"$p{number}")),
        Redacted(PLAIN, EventId(f"$unknown{number}"), USERS[0]),
    ]


async def _statements(
    pool: Pool, changes: Sequence[Change], quotas: Quotas = NO_LIMITS, *, refused: int = 0
) -> list[str]:
    """Apply changes, and return the statements that it took."""
    statements: list[str] = []

    def log(record: asyncpg.connection.LoggedQuery) -> None:
        # asyncpg itself queries what types are, the first time.
        if "typeinfo_tree" not in record.query and "'jit'" not in record.query:
            statements.append(record.query)

    async with pool.acquire() as connection:
        connection.add_query_logger(log)  # of the only connection
    try:
        assert await Stores(pool, quotas=quotas, decrypting=True).intake.apply(changes) == refused
    finally:
        async with pool.acquire() as connection:
            connection.remove_query_logger(log)
    return statements


@pytest.mark.parametrize("quotas", [NO_LIMITS, _LIMITS], ids=["unlimited", "limited"])
async def test_a_hundred_events_take_as_many_statements_as_a_few(pool: Pool, quotas: Quotas) -> None:
    await prepare(pool)
    few = await _statements(pool, [event for number in range(4) for event in _events(number)], quotas)
    await prepare(pool)
    many = await _statements(pool, [event for number in range(100) for event in _events(number)], quotas)
    assert len(many) == len(few), [statement[:60] for statement in many]
    assert len(many) < 60
    counted = "SELECT count(*) FROM videos WHERE event_id LIKE '$v%' OR event_id LIKE '$w%' OR event_id LIKE '$g%'"
    assert await pool.fetchval(counted) > 200


async def test_one_video_takes_a_few_statements_and_a_chat_message_one(pool: Pool) -> None:
    await prepare(pool)
    assert len(await _statements(pool, [_video(4)])) <= 5
    text = EventId("$text")
    assert len(await _statements(pool, [CommandSent(PLAIN, text, USERS[0], "a text", False, text, None)])) == 1
    assert await _statements(pool, []) == []


async def test_redactions_of_a_hundred_videos_take_as_many_statements_as_of_two(pool: Pool) -> None:
    counts = []
    for number in (2, 100):
        await prepare(pool)
        sent: list[Change] = [_video(4 * each) for each in range(number)]
        await _statements(pool, sent)
        redactions = [Redacted(PLAIN, EventId(f"$v{4 * each}"), USERS[each % 3]) for each in range(number)]
        counts.append(len(await _statements(pool, redactions)))
        assert (
            await pool.fetchval("SELECT count(*) FROM videos WHERE event_id LIKE '$v%' AND visibility <> 'removed'")
            == 0
        )
    assert counts[0] == counts[1]


async def test_one_that_is_refused_among_a_hundred_is_skipped_alone(pool: Pool) -> None:
    await prepare(pool)
    changes: list[Change] = [event for number in range(25) for event in _events(number)]
    await Stores(pool, decrypting=True).intake.apply(changes)
    unharmed = await dump(pool)
    for at in (0, 57, len(changes)):
        await prepare(pool)
        poisoned = [*changes[:at], _video(4, event_id=EventId("$poison"), title="nul \x00"), *changes[at:]]
        assert await Stores(pool, decrypting=True).intake.apply(poisoned) == 1
        assert await dump(pool) == unharmed


async def test_one_of_a_hundred_is_found_by_halving(pool: Pool) -> None:
    await prepare(pool)
    changes: list[Change] = [_video(4 * number) for number in range(100)]
    whole = len(await _statements(pool, changes))
    await prepare(pool)
    changes[41] = _video(4 * 41, title="\ud800")
    assert len(await _statements(pool, changes, refused=1)) < 20 * whole
