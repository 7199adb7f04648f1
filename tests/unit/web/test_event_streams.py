"""How many event streams one may hold."""

from contextlib import ExitStack

from appservice.core.model import RoomId, UserId
from appservice.core.tokens import Session
from appservice.web.event_streams import MOST_PER_SESSION, MOST_PER_USER, EventStreams
from appservice.web.hub import Listener


def session(number: int, user: str = "@alice:example.org") -> Session:
    return Session(UserId(user), RoomId("!room:example.org"), number, 0)


def test_a_session_holds_few_and_the_oldest_makes_room() -> None:
    streams = EventStreams()
    listeners = [Listener() for _ in range(MOST_PER_SESSION + 1)]
    with ExitStack() as stack:
        for listener in listeners:
            stack.enter_context(streams.holding(session(1), listener))
        assert [each.has_ended for each in listeners] == [True] + [False] * MOST_PER_SESSION


def test_a_user_holds_some_more_in_all_sessions_and_others_are_left_alone() -> None:
    streams = EventStreams()
    listeners = [Listener() for _ in range(MOST_PER_USER + 2)]
    other = Listener()
    with ExitStack() as stack:
        stack.enter_context(streams.holding(session(0, "@bob:example.org"), other))
        for number, listener in enumerate(listeners):
            stack.enter_context(streams.holding(session(number), listener))
        assert [each.has_ended for each in listeners] == [True] * 2 + [False] * MOST_PER_USER
        assert not other.has_ended


def test_what_has_ended_counts_no_more() -> None:
    streams = EventStreams()
    for _ in range(3 * MOST_PER_USER):
        listener = Listener()
        with streams.holding(session(1), listener):
            pass
        assert not listener.has_ended


async def test_an_ended_listener_wakes() -> None:
    listener = Listener()
    listener.end()
    await listener.wait()
