"""The event stream of a room: that something changed, progress, that something new was said, the end of access."""

import asyncio
import json
from typing import Any

from appservice.core.model import VideoId
from appservice.web.event_streams import MOST_PER_SESSION
from tests.support.service import Service, TranscodedVideo

# What comes must come; a busy machine may take its time.
_LONG_S = 60


async def _next(events: "asyncio.Queue[tuple[str, dict[str, Any]]]", *names: str) -> tuple[str, dict[str, Any]]:
    """Return the next event of one of these names."""
    while True:
        event = await asyncio.wait_for(events.get(), _LONG_S)
        if event[0] in names:
            return event


async def test_a_change_is_notified_once_however_many_it_was(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    async with viewer.events() as events:
        await room.send_event("m.room.name", {"name": "Renamed"}, state_key="")
        assert await _next(events, "changed") == ("changed", {"room_id": room.room_id})
    assert (await viewer.room())["name"] == "Renamed"


async def test_the_stream_is_one_of_server_sent_events_that_nothing_stores(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    url = f"{service.url}/api/v1/rooms/{room.room_id}/events"
    async with service.http.get(url, headers={"Authorization": f"Bearer {viewer.token}"}) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert (await response.content.readline()).startswith(b":")
        await room.send_event("m.room.name", {"name": "Renamed"}, state_key="")
        async with asyncio.timeout(_LONG_S):
            while (line := (await response.content.readline()).decode().rstrip()) != "event: changed":
                assert line == "" or line.startswith(":"), line
            data = (await response.content.readline()).decode().removeprefix("data: ")
        assert json.loads(data) == {"room_id": room.room_id}


async def test_progress_of_the_work_is_pushed_as_it_is_stored(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    video_id = await room.video_id(await room.send_video(alice))
    attempts = service.context.stores.attempts
    video = await attempts.begin_attempt(VideoId(video_id))
    assert video
    async with viewer.events() as events:
        await attempts.progress(video, 40, 12)
        assert await _next(events, "progress") == (
            "progress", {"room_id": room.room_id, "video_id": video_id, "percent": 40, "remaining": 12},
        )  # fmt: skip
    (shown,) = await viewer.videos()
    assert shown["progress"] == {"percent": 40, "remaining": 12}


async def test_who_leaves_is_notified_and_the_stream_ends(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    his = await service.viewer(bob, room)
    url = f"{service.url}/api/v1/rooms/{room.room_id}/events"
    async with service.http.get(url, headers={"Authorization": f"Bearer {his.token}"}) as stream:
        assert (await stream.content.readline()).startswith(b":")
        await room.set_member(bob, "leave")
        rest = (await asyncio.wait_for(stream.content.read(), _LONG_S)).decode()
    assert rest.endswith(f'event: revoked\ndata: {{"room_id": "{room.room_id}"}}\n\n')
    assert (await his.get(f"/api/v1/rooms/{room.room_id}/events"))[0] == 403


async def test_a_browser_that_is_signed_out_has_no_stream_any_more(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    browser = await service.signed_in(alice, room)
    url = f"{service.url}/api/v1/rooms/{room.room_id}/events"
    async with service.http.get(url, headers={"Authorization": f"Bearer {browser.token}"}) as stream:
        assert (await stream.content.readline()).startswith(b":")
        await room.send_event("m.room.message", {"msgtype": "m.text", "body": "!reel sign-out"})
        # It ends without saying that the member has to go.
        assert b"revoked" not in await asyncio.wait_for(stream.content.read(), _LONG_S)
    assert (await browser.get(f"/api/v1/rooms/{room.room_id}"))[0] == 401


def _about(event_id: str, rel_type: str, **more: object) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": rel_type, "event_id": event_id, **more}}


async def test_what_relates_to_a_video_is_notified_without_its_content(
    service: Service, transcoded: TranscodedVideo
) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room, elsewhere = await service.room(alice, bob), await service.room(alice, bob)
    event_id, in_other = await room.show_video(alice, transcoded), await elsewhere.show_video(alice, transcoded)
    viewer = await service.viewer(bob, room)
    async with viewer.events() as events:

        async def notified_of(target: str) -> None:
            assert await _next(events, "talk") == ("talk", {"room_id": room.room_id, "event_id": target})

        text = {"msgtype": "m.text", "body": "very secret"}
        comment = await room.send_event("m.room.message", {**text, **_about(event_id, "m.thread")})
        await notified_of(event_id)
        # None of these relates to a video here: were one notified, it would come before the next.
        plain = await room.send_event("m.room.message", text)
        await room.send_event("m.room.message", {**text, **_about(plain, "m.thread")})
        await room.send_event("m.reaction", _about(plain, "m.annotation", key="👍"))
        await elsewhere.send_event("m.room.message", {**text, **_about(in_other, "m.thread")})
        reaction = await room.send_event("m.reaction", _about(event_id, "m.annotation", key="👍"))
        await notified_of(event_id)
        edited = {**text, "m.new_content": {"msgtype": "m.text", "body": "otherwise"}}
        await room.send_event("m.room.message", {**edited, **_about(comment, "m.replace")})
        await notified_of(comment)
        await room.redact(reaction)
        await notified_of(reaction)
        await room.redact(comment)
        await notified_of(comment)


async def test_after_an_outage_all_is_to_be_looked_at_again(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    async with (await service.viewer(alice, room)).events() as events:
        # The connection that listens to notifications is cut.
        await service.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND (query = 'SELECT 1' OR query LIKE 'LISTEN%roomreel%')"
            " AND pid <> pg_backend_pid()"
        )
        assert await _next(events, "talk") == ("talk", {"room_id": room.room_id, "event_id": None})


async def test_newer_streams_of_a_user_end_the_oldest(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    headers, url = {"Authorization": f"Bearer {viewer.token}"}, f"{service.url}/api/v1/rooms/{room.room_id}/events"
    async with service.http.get(url, headers=headers) as oldest:
        assert (await oldest.content.readline()).startswith(b":")
        later = [await service.http.get(url, headers=headers) for _ in range(MOST_PER_SESSION)]
        rest = await asyncio.wait_for(oldest.content.read(), _LONG_S)
        assert b"event:" not in rest.replace(b"event: changed", b"")
        assert {each.status for each in later} == {200}
        for each in later:
            each.close()
