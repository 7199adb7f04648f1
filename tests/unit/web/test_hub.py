"""Notifications of one widget: each change once, of progress the latest."""

import asyncio

from appservice.core.model import RoomId, UserId
from appservice.web.followers import Follower
from appservice.web.hub import Hub, Listener, Notifications


async def test_changes_wake_the_listener_and_are_notified_once() -> None:
    listener = Listener()
    waiting = asyncio.create_task(listener.wait())
    listener.notify_changed()
    listener.notify_changed()
    await asyncio.wait_for(waiting, 5)
    assert listener.take() == Notifications(True, [], None, [])
    assert listener.take() == Notifications(False, [], None, [])


async def test_of_each_videos_progress_the_latest_is_notified() -> None:
    listener = Listener()
    for video, data in (("a", "1"), ("b", "2"), ("a", "3")):
        listener.notify_progress(video, data)
    await asyncio.wait_for(listener.wait(), 5)
    assert listener.take() == Notifications(False, ["3", "2"], None, [])


async def test_the_latest_viewers_are_notified_once() -> None:
    listener = Listener()
    listener.notify_watching("1")
    listener.notify_watching("2")
    await asyncio.wait_for(listener.wait(), 5)
    assert listener.take() == Notifications(False, [], "2", [])
    assert listener.take() == Notifications(False, [], None, [])


async def test_talk_about_an_event_is_notified_once_and_too_much_as_one_notification() -> None:
    listener = Listener()
    for event_id in ("$a", "$b", "$a"):
        listener.notify_talk(event_id)
    await asyncio.wait_for(listener.wait(), 5)
    assert listener.take() == Notifications(False, [], None, ["$a", "$b"])
    for number in range(51):
        listener.notify_talk(f"${number}")
    listener.notify_talk("$a")
    assert listener.take() == Notifications(False, [], None, [None])
    listener.notify_talk("$b")
    assert listener.take() == Notifications(False, [], None, ["$b"])


def test_a_silent_stream_says_each_time_that_it_is_still_there() -> None:
    listener = Listener()
    listener.notify_changed()
    assert not listener.take().is_idle
    listener.keep_alive()  # something was sent just before
    for _ in range(2):
        listener.keep_alive()
        assert listener.take().is_idle


def test_new_segments_wake_who_waits_in_the_room() -> None:
    async def nobody(_: RoomId) -> list[UserId]:
        return []

    async def deliver(_: RoomId, __: list[Follower]) -> None:
        raise AssertionError("nobody follows")

    hub = Hub("", nobody, lambda: None, deliver)
    with (
        hub.more_segments(RoomId("!here")) as here,
        hub.more_segments(RoomId("!here")) as too,
        hub.more_segments(RoomId("!there")) as there,
    ):
        hub.notify_segments("!here")
        assert [event.is_set() for event in (here, too, there)] == [True, True, False]
        hub.notify_segments("!nowhere")
        hub.wake("!there")
        assert there.is_set(), "a completed or deleted video is a change"
