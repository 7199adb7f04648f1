"""What one widget is told: each change once, of progress the latest."""

import asyncio

from appservice.model import RoomId, UserId
from appservice.web.hub import Hub, Listener


async def test_news_wake_whoever_waits_and_are_told_once() -> None:
    listener = Listener()
    waiting = asyncio.create_task(listener.wait())
    listener.tell_changed()
    listener.tell_changed()
    await asyncio.wait_for(waiting, 5)
    assert listener.take() == (True, [], None)
    assert listener.take() == (False, [], None)


async def test_of_each_videos_progress_the_latest_is_told() -> None:
    listener = Listener()
    for video, data in (("a", "1"), ("b", "2"), ("a", "3")):
        listener.tell_progress(video, data)
    await asyncio.wait_for(listener.wait(), 5)
    assert listener.take() == (False, ["3", "2"], None)


async def test_the_latest_who_watch_are_told_once() -> None:
    listener = Listener()
    listener.tell_watching("1")
    listener.tell_watching("2")
    await asyncio.wait_for(listener.wait(), 5)
    assert listener.take() == (False, [], "2")
    assert listener.take() == (False, [], None)


def test_growth_wakes_who_waits_in_the_room() -> None:
    async def nobody(_: RoomId) -> list[UserId]:
        return []

    hub = Hub("", nobody, lambda: None)
    with hub.growth(RoomId("!here")) as here, hub.growth(RoomId("!here")) as too, hub.growth(RoomId("!there")) as there:
        hub.tell_grown("!here")
        assert [event.is_set() for event in (here, too, there)] == [True, True, False]
        hub.tell_grown("!nowhere")
        hub.wake("!there")
        assert there.is_set(), "what became whole, or went, is a change"
