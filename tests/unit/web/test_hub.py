"""What one widget is told: each change once, of progress the latest."""

import asyncio

from appservice.web.hub import Listener


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
