"""What waits for a reader of an event stream, and what becomes of a room's followers where a delivery fails."""

import asyncio

from appservice.core.model import RoomId, UserId
from appservice.core.tokens import Session
from appservice.web.followers import Follower
from appservice.web.hub import Hub

ROOM = RoomId("!r:example.org")
RESET = b"event: reset\n\n"


def follower(revision: int = 5) -> Follower:
    return Follower(Session(UserId("@a:example.org"), ROOM, 10**15), revision)


def test_who_reads_too_slowly_begins_anew() -> None:
    slow = follower()
    for _ in range(40):
        slow.add(b"x" * 10_000, RESET)
    taken = slow.take()
    assert taken.startswith(RESET)
    assert len(taken) < 256 * 1024
    assert slow.take() == b""
    slow.add(b"x" * 300_000, RESET)
    assert slow.take() == RESET


def test_whoever_is_revoked_gets_nothing_that_was_pending() -> None:
    gone = follower()
    gone.add(b"delta", RESET)
    gone.end(is_revoked=True)
    assert (gone.take(), gone.has_ended, gone.is_revoked) == (b"", True, True)


async def test_resets_do_not_come_one_after_the_other() -> None:
    each, woken = follower(), asyncio.Event()
    each.on_news = woken.set
    each.begin_anew_later(RESET)
    await asyncio.wait_for(woken.wait(), 30)
    assert each.take() == RESET
    each.begin_anew_later(RESET)
    each.begin_anew_later(RESET)
    assert each.confirm() == b": keep-alive\n\n", "its client does not have that revision yet"
    assert each.take() == b""
    each.leave()


async def test_a_reset_that_has_time_comes_once_and_at_the_end_of_the_stream_never() -> None:
    each, woken = follower(), asyncio.Event()
    each.on_news = woken.set
    each.begin_anew_in(0.01, RESET)
    each.begin_anew_in(0.01, RESET)
    assert each.is_to_begin_anew
    assert each.take() == b""
    await asyncio.wait_for(woken.wait(), 30)
    assert (each.take(), each.is_to_begin_anew) == (RESET, False)
    each.begin_anew_in(0, RESET)
    assert (each.take(), each.is_to_begin_anew) == (RESET, False)
    each.begin_anew_in(60, RESET)
    each.leave()
    assert not each.is_to_begin_anew


def test_a_silent_stream_says_its_revision_once() -> None:
    silent = follower(5)
    assert silent.confirm() == b": keep-alive\n\n"
    silent.revision = 9
    assert silent.confirm() == b'id: 9\nevent: delta\ndata: {"revision":9}\n\n'
    assert silent.confirm() == b": keep-alive\n\n"


async def test_a_delivery_that_fails_ends_the_streams_and_newcomers_are_brought_alone() -> None:
    brought: list[list[Follower]] = []
    was_brought = asyncio.Event()

    async def nobody(_: RoomId) -> list[UserId]:
        return []

    async def deliver(_: RoomId, followers: list[Follower]) -> None:
        brought.append(followers)
        was_brought.set()
        if len(followers) > 1:
            raise KeyError("unforeseen")

    hub = Hub("", nobody, lambda: None, deliver)
    first, second = follower(), follower()
    with hub.listening(ROOM, first) as one, hub.listening(ROOM, second) as two:
        hub.bring(ROOM, second)
        await asyncio.wait_for(was_brought.wait(), 30)
        assert brought == [[second]]
        hub.bring(ROOM, second)
        hub.bring(ROOM)
        await asyncio.wait_for(asyncio.gather(one.wait(), two.wait()), 30)
        assert first.has_ended
        assert second.has_ended
    assert len(brought) == 2
