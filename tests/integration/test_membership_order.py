"""Whom the database takes for a member, whatever the order in which events and the homeserver's responses arrive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    MemberChanged,
    PolicyChanged,
    PowerChanged,
    RoomNamed,
)
from appservice.core.events.policy_rules import Rule, Subject
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.room import Membership, Snapshot
from appservice.store import ErasureStore, PolicyStore, Stores
from appservice.store.outbox import Pool
from appservice.store.timeline import TimelineStore
from tests.support.databases import migrated_pool
from tests.support.factories import ALICE, BOB

BOT = UserId("@reel:example.org")
JOIN, LEAVE, BAN = Membership.JOIN, Membership.LEAVE, Membership.BAN

rooms = (RoomId(f"!order{number}:example.org") for number in count())


@pytest.fixture(scope="module")
async def pool(create_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("order"), size=5) as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> Stores:
    return Stores(pool)


@dataclass
class _Request:
    """A request to the homeserver on its way: its time, and what the homeserver saw (its history's index)."""

    asked_at: datetime
    seen: int | None = None


@dataclass
class MembershipModel:
    """A room of a homeserver, and what Roomreel learns of one member there, in single steps.

    A membership's index in the homeserver's history is the member's display name: what is stored shows how old it is.
    """

    pool: Pool
    room: RoomId = field(default_factory=lambda: next(rooms))
    user: UserId = ALICE
    history: list[Membership] = field(default_factory=lambda: [JOIN])
    delivered: int = 0
    queries: list[_Request] = field(default_factory=list)
    snapshots: list[_Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Stores(self.pool)
        self.erasing = ErasureStore(self.pool)

    async def start(self) -> None:
        await self.store.intake.apply([BotMembershipChanged(self.room, JOIN, BOT)])
        await self.deliver()

    async def change(self, membership: Membership) -> None:
        """The homeserver takes an event, which it is yet to deliver."""
        self.history.append(membership)

    def _event(self, index: int) -> MemberChanged:
        return MemberChanged(self.room, self.user, self.history[index], str(index), None)

    async def deliver(self) -> None:
        if self.delivered < len(self.history):
            await self._apply(self.delivered)
            self.delivered += 1

    async def repeat(self) -> None:
        """A transaction of before arrives once more, at another process."""
        if self.delivered:
            await self._apply(max(0, self.delivered - 2))

    async def _apply(self, index: int) -> None:
        event_id = EventId(f"${self.room}.{index}")
        assert await self.store.intake.apply([replace(self._event(index), event_id=event_id)]) == 0

    async def send_request(self, requests: list[_Request]) -> None:
        requests.append(_Request(await self.store.installation.now()))

    async def see(self, requests: list[_Request]) -> None:
        """The homeserver reads its state to respond to the oldest request."""
        for request in requests:
            if request.seen is None:
                request.seen = len(self.history) - 1
                return

    async def store_response(self, which: int = 0) -> None:
        ready = [request for request in self.queries if request.seen is not None]
        if ready:
            request = ready[which % len(ready)]
            self.queries.remove(request)
            assert request.seen is not None
            await self.store.members.store_member_response(self._event(request.seen), request.asked_at)

    async def take_snapshot(self) -> None:
        # They are made one at a time (`Store.tending`).
        if self.snapshots and self.snapshots[0].seen is not None:
            request = self.snapshots.pop(0)
            index = request.seen or 0
            now = self.history[index]
            await self.store.rooms.save_snapshot(
                Snapshot(
                    room_id=self.room, name=None, power_levels={}, creators=[], encrypted=None,
                    members=[(self.user, str(index), None)] if now is JOIN else [],
                    banned=frozenset({self.user} if now is BAN else ()), read_at=request.asked_at,
                )
            )  # fmt: skip

    async def erase(self) -> None:
        """The member has everything deleted, and so what was known of their having left."""
        await self.erasing.erase_user(self.user, by=self.user)

    async def check(self) -> Membership | None:
        """What is stored is never older than the latest event that was delivered."""
        row = await self.pool.fetchrow(
            "SELECT membership, display_name FROM members WHERE room_id = $1 AND user_id = $2", self.room, self.user
        )
        allowed = await self.store.members.member_key(self.room, self.user) is not None
        assert allowed is (row is not None and row["membership"] == "join")
        if row is None:
            return None
        now = Membership(row["membership"])
        if now is JOIN:
            assert int(row["display_name"]) >= self.delivered - 1, (self.history, self.delivered, row["display_name"])
        return now

    async def become_quiet(self) -> None:
        """Deliver everything, and only then the responses that are still on their way."""
        while self.delivered < len(self.history):
            await self.deliver()
            await self.check()
        while any(request.seen is not None for request in self.queries):
            await self.store_response(-1)
            await self.check()
        await self.take_snapshot()
        await self.repeat()
        known = await self.check()
        # After everything was deleted nothing is known of one who is not there.
        assert known is self.history[-1] or (known is None and self.history[-1] is not JOIN)


STEPS: dict[str, Callable[[MembershipModel], Awaitable[None]]] = {
    "join": lambda model: model.change(JOIN),
    "leave": lambda model: model.change(LEAVE),
    "ban": lambda model: model.change(BAN),
    "deliver": MembershipModel.deliver,
    "repeat": MembershipModel.repeat,
    "ask": lambda model: model.send_request(model.queries),
    "see": lambda model: model.see(model.queries),
    "answer": MembershipModel.store_response,
    "answer the latest": lambda model: model.store_response(-1),
    "ask for state": lambda model: model.send_request(model.snapshots),
    "see state": lambda model: model.see(model.snapshots),
    "take state": MembershipModel.take_snapshot,
    "forget": MembershipModel.erase,
}


async def play(pool: Pool, steps: Sequence[str]) -> None:
    model = MembershipModel(pool)
    await model.start()
    for step in steps:
        await STEPS[step](model)
        await model.check()
    await model.become_quiet()


def merged(*threads: Sequence[str]) -> Iterator[list[str]]:
    """Yield every interleaving of the threads."""
    if not any(threads):
        yield []
    for number, thread in enumerate(threads):
        if thread:
            for rest in merged(*threads[:number], thread[1:], *threads[number + 1 :]):
                yield [thread[0], *rest]


def is_possible(steps: Sequence[str]) -> bool:
    """Say whether everything that is delivered has happened by then."""
    waiting = 0
    for step in steps:
        waiting += (step in {"join", "leave", "ban"}) - (step == "deliver")
        if waiting < 0:
            return False
    return True


def sides(order: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the homeserver does, and what we do, each in its order: neither knows what the other does between."""
    ours = {"deliver", "ask", "answer", "ask for state", "take state"}
    return tuple(step for step in order if step not in ours), tuple(step for step in order if step in ours)


@pytest.mark.parametrize("request_steps", [["ask", "see", "answer"], ["ask for state", "see state", "take state"]])
@pytest.mark.parametrize("changes", [["leave", "join", "leave"], ["ban", "leave", "join"]])
async def test_every_order_of_events_and_a_response(pool: Pool, request_steps: list[str], changes: list[str]) -> None:
    orders = [order for order in merged(changes, ["deliver"] * 3, request_steps) if is_possible(order)]
    assert len(orders) == 420
    different = list({sides(order): order for order in orders}.values())
    assert len(different) == 30
    for n in range(0, len(different), 5):
        await asyncio.gather(*(play(pool, order) for order in different[n : n + 5]))


@settings(max_examples=200)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=4, max_size=16))
@example(["ask", "see", "leave", "deliver", "answer"])
@example(["ask", "see", "leave", "deliver", "forget", "answer"])
@example(["ask for state", "see state", "leave", "deliver", "forget", "take state"])
@example(["leave", "deliver", "repeat"])
async def test_any_order_of_everything(pool: Pool, steps: list[str]) -> None:
    await play(pool, steps)


async def test_many_at_once_in_two_processes(pool: Pool) -> None:
    """The same transactions arrive twice, at the same time, beside responses: the rows decide, not the requests."""

    async def churn(user: UserId) -> None:
        model = MembershipModel(pool, room=room, user=user)
        await model.deliver()
        for membership in (LEAVE, JOIN, LEAVE, JOIN, BAN):
            await model.send_request(model.queries)
            await model.see(model.queries)
            await model.change(membership)
            await asyncio.gather(model.deliver(), model.store_response(), _late(model, len(model.history) - 1))
            await model.check()
        await model.become_quiet()

    room = next(rooms)
    await Stores(pool).intake.apply([BotMembershipChanged(room, JOIN, BOT)])
    await asyncio.gather(*(churn(UserId(f"@user{number}:example.org")) for number in range(20)))


async def _late(model: MembershipModel, index: int) -> None:
    event = MemberChanged(model.room, model.user, model.history[index], str(index), None)
    await Stores(model.pool).intake.apply([replace(event, event_id=EventId(f"${model.room}.{model.user}.{index}"))])


# The same for what else the homeserver delivers


async def test_a_repeated_transaction_brings_no_power_level_and_no_name_back(store: Stores) -> None:
    room = next(rooms)
    first: list[Change] = [
        PowerChanged(room, {"users": {BOB: 50}}, EventId(f"${room}.power")),
        RoomNamed(room, "Old", EventId(f"${room}.name")),
    ]
    await store.intake.apply(first)
    await store.intake.apply([PowerChanged(room, {"users": {}}, EventId(f"${room}.power2")), RoomNamed(room, "New")])
    await store.intake.apply(first)
    known = await store.rooms.room(room)
    assert known
    assert (known.power_levels, known.name) == ({"users": {}}, "New")


async def test_the_bots_own_membership_is_ordered_as_well(store: Stores, pool: Pool) -> None:
    room = next(rooms)
    came = BotMembershipChanged(room, JOIN, ALICE, event_id=EventId(f"${room}.came"))
    await store.intake.apply([came])
    before = await store.installation.now()
    await store.intake.apply([BotMembershipChanged(room, LEAVE, ALICE, event_id=EventId(f"${room}.went"))])
    # The list of rooms was requested while it was there.
    late = BotMembershipChanged(room, JOIN, BOT, requested_at=before)
    await TimelineStore(pool).take(room, [late], newest=None, requested_at=before)
    await store.intake.apply([came])
    known = await store.rooms.room(room)
    assert known
    assert known.bot_membership is LEAVE
    await store.intake.apply([replace(late, requested_at=await store.installation.now())])
    known = await store.rooms.room(room)
    assert known
    assert known.bot_membership is JOIN


async def test_how_far_was_looked_before_the_bot_left_is_erased_with_it(store: Stores, pool: Pool) -> None:
    """What is said while it is away is not for it: no late look back starts there again."""
    room, timeline = next(rooms), TimelineStore(pool)
    mark = EventId("$mark")

    async def known() -> tuple[str | None, str | None]:
        row = await pool.fetchrow("SELECT last_event, joined_event FROM rooms WHERE room_id = $1", room)
        assert row
        return row["last_event"], row["joined_event"]

    await store.intake.apply([BotMembershipChanged(room, JOIN, BOT)])
    before = await store.installation.now()
    await store.intake.apply([BotMembershipChanged(room, LEAVE, BOB), BotMembershipChanged(room, JOIN, BOT)])
    for at, expected in ((before, None), (await store.installation.now(), mark)):
        await timeline.store_joined_event(room, mark, at)
        await timeline.take(room, [], newest=mark, requested_at=at)
        assert await known() == (expected, expected)


async def test_who_was_a_member_before_the_bot_left_is_not_believed_to_be_one_when_it_is_back(store: Stores) -> None:
    room = next(rooms)
    member = MemberChanged(room, ALICE, JOIN, None, None)
    await store.intake.apply([BotMembershipChanged(room, JOIN, BOT), member])
    key = await store.members.member_key(room, ALICE)
    await store.intake.apply([BotMembershipChanged(room, JOIN, BOT)])  # only its name
    assert await store.members.member_key(room, ALICE) == key
    await store.intake.apply([BotMembershipChanged(room, LEAVE, BOB), BotMembershipChanged(room, JOIN, BOT)])
    assert await store.members.member_key(room, ALICE) is None
    assert await store.members.store_member_response(member, await store.installation.now())
    assert await store.members.member_key(room, ALICE) == key


async def test_a_ban_of_before_erases_nothing_of_who_came_back(store: Stores, pool: Pool) -> None:
    model = MembershipModel(pool)
    await model.start()
    await model.change(BAN)
    await model.deliver()
    await model.send_request(model.snapshots)
    await model.see(model.snapshots)
    for membership in (LEAVE, JOIN):
        await model.change(membership)
        await model.deliver()
    await pool.execute(
        "INSERT INTO videos (event_id, room_id, sent_in, sender, title, mxc, certain, position, sent_at)"
        " VALUES ($1, $2, $2, $3, 'Here to stay', 'mxc://example.org/a', true, 1, 1)",
        f"${model.room}.video", model.room, ALICE,
    )  # fmt: skip
    await model.take_snapshot()
    assert [video.title for video in await store.videos.room_videos(model.room)] == ["Here to stay"]


async def test_a_snapshot_makes_nothing_newer_that_is_the_same(pool: Pool) -> None:
    """What somebody is called in public is what they are called where that changed last."""
    model = MembershipModel(pool)
    await model.start()
    query = "SELECT changed_at FROM members WHERE room_id = $1"
    before = await pool.fetchval(query, model.room)
    for changed in (False, True):
        if changed:
            await model.change(JOIN)
        await model.send_request(model.snapshots)
        await model.see(model.snapshots)
        await model.take_snapshot()
        assert (await pool.fetchval(query, model.room) > before) is changed


async def test_who_is_invited_is_known_by_a_snapshot(store: Stores, pool: Pool) -> None:
    room = next(rooms)
    await store.intake.apply(
        [BotMembershipChanged(room, JOIN, BOT), MemberChanged(room, BOB, Membership.INVITE, None, None)]
    )

    async def take(**state: frozenset[UserId]) -> dict[str, str]:
        banned, now = state.pop("banned", frozenset()), await store.installation.now()
        snapshot = Snapshot(room, None, {}, [], False, [], banned, now, **state)  # type: ignore[arg-type]
        await store.rooms.save_snapshot(snapshot)
        rows = await pool.fetch("SELECT user_id, membership FROM members WHERE room_id = $1", room)
        return {row["user_id"]: row["membership"] for row in rows}

    assert await take(invited=frozenset({ALICE, BOB})) == {ALICE: "invite", BOB: "invite"}
    assert await take(invited=frozenset({ALICE}), banned=frozenset({BOB})) == {ALICE: "invite", BOB: "ban"}
    assert await take() == {ALICE: "leave", BOB: "leave"}


async def test_rules_read_before_one_was_taken_back_do_not_come_back(store: Stores, pool: Pool) -> None:
    room, policies = next(rooms), PolicyStore(pool)
    rule = Rule("m.policy.rule.user", "rule:bob", Subject.USER, BOB, "spam")
    await policies.follow(room, by=ALICE)
    await policies.read(room, [rule], await store.installation.now())
    assert await policies.is_banned(BOB)
    early, late = await store.installation.now(), await store.installation.now()
    await policies.read(room, [], late)
    await policies.read(room, [rule], early)
    assert not await policies.is_banned(BOB)
    asked_at = await store.installation.now()
    await store.intake.apply([PolicyChanged(room, rule.event_type, rule.state_key, rule)])
    await pool.execute("DELETE FROM pgqueuer")
    await policies.read(room, [], asked_at)
    assert await policies.is_banned(BOB)
    # It is read again.
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer WHERE payload = $1", room.encode()) == 1
    await policies.leave(room, by=ALICE)
