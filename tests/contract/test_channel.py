"""The room's channel: one schedule for all, revised at a boundary, the time, and who watches."""

import asyncio
import json
from typing import Any

import asyncpg

from tests.support.databases import waits_for_lock
from tests.support.service import Service, TranscodedVideo
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


async def _schedule(viewer: Viewer) -> dict[str, Any] | None:
    schedule: dict[str, Any] | None = (await viewer.room())["schedule"]
    return schedule


def _ids(schedule: dict[str, Any] | None) -> list[str]:
    assert schedule
    return [item["id"] for item in schedule["items"]]


async def _put(viewer: Viewer, body: object) -> tuple[int, Any]:
    return await viewer.request("PUT", f"/api/v1/rooms/{viewer.room_id}/watching", body)


async def test_the_schedule_follows_the_list(service: Service, transcoded: TranscodedVideo) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    assert await _schedule(hers) is None
    first_event = await room.show_video(alice, transcoded)
    first = await room.video_id(first_event)
    schedule = await _schedule(hers)
    assert schedule == await _schedule(his), "there is one for all"
    assert _ids(schedule) == [first]
    assert schedule
    assert abs(schedule["items"][0]["duration"] - 2) < 0.1

    # What comes joins at the boundary, whoever requests it first and however many at once.
    second = await room.video_id(await room.show_video(bob, transcoded))
    schedules = await asyncio.gather(*(_schedule(viewer) for viewer in [hers, his] * 5))
    schedule = schedules[0]
    assert all(each == schedule for each in schedules)
    assert schedule
    assert (schedule["before"]["id"], _ids(schedule)) == (first, [second, first])
    assert await _schedule(his) == schedule, "it is not revised again"

    # What goes while it plays goes at once.
    await room.redact(first_event)
    assert _ids(await _schedule(hers)) == [second]


async def test_who_waited_for_another_process_to_revise_it_has_what_that_made(
    service: Service, transcoded: TranscodedVideo
) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    await room.show_video(alice, transcoded)

    async def stored() -> asyncpg.Record:
        assert await _schedule(viewer)
        return (await service.rows("SELECT starts_at, items, before FROM channels WHERE room_id = $1", room.room_id))[0]

    old = await stored()
    await room.show_video(alice, transcoded)
    new = await stored()
    # As it was before, while another process is revising it.
    change = "UPDATE channels SET starts_at = $2, items = $3, before = $4 WHERE room_id = $1"
    await service.rows(change, room.room_id, *old)
    connection = await asyncpg.connect(service.parts.dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM channels WHERE room_id = $1 FOR UPDATE", room.room_id)
            requesting = asyncio.create_task(viewer.room())
            await eventually(lambda: waits_for_lock(service.parts.pool), what="a request that waits for the schedule")
            items, before = json.dumps(new["items"]), json.dumps(new["before"]) if new["before"] else None
            await connection.execute(change, room.room_id, new["starts_at"] + 12345, items, before)
    finally:
        await connection.close()
    assert (await requesting)["schedule"]["starts_at"] == new["starts_at"] + 12345


async def test_a_boundary_is_where_the_playing_video_ends(service: Service, transcoded: TranscodedVideo) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    await room.show_video(alice, transcoded)
    # A long turn that is nearly over in ten minutes, so that several changes fall into it.
    boundary = (await viewer.room())["now"] + 600_000
    await service.rows(
        "UPDATE channels SET starts_at = $2, before = jsonb_set(items->0, '{duration}', '900000') WHERE room_id = $1",
        room.room_id, boundary,
    )  # fmt: skip
    for _ in range(2):
        await room.show_video(alice, transcoded)
        schedule = await _schedule(viewer)
    assert schedule
    assert (schedule["starts_at"], schedule["before"]["duration"]) == (boundary, 900)
    in_channel = [video["id"] for video in await viewer.videos()]
    assert _ids(schedule) == in_channel[1:] + in_channel[:1], "what follows the playing one starts"


async def test_the_time(service: Service) -> None:
    query = "SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now"
    (before,) = await service.rows(query)
    async with service.http.get(f"{service.url}/api/v1/time") as response:
        body, headers = await response.json(), response.headers
    (after,) = await service.rows(query)
    # It is an estimate, off by no more than half of how long the database took to respond.
    assert before["now"] - 2000 < body["now"] < after["now"] + 2000
    assert headers["Cache-Control"] == "no-store"


async def test_the_whole_room_is_notified_of_who_watches(service: Service) -> None:
    alice, bob = sorted((service.user(), service.user()))
    room = await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    assert (await hers.room())["watching"] == []
    async with his.events() as events:

        async def next_watching() -> list[str]:
            while True:
                name, data = await asyncio.wait_for(events.get(), 60)
                if name == "watching":
                    assert data["room_id"] == room.room_id
                    return list(data["watching"])

        assert await _put(hers, {"watching": True}) == (200, {"watching": [alice]})
        assert await next_watching() == [alice]
        # A further heartbeat is no news, a second viewer is.
        await _put(hers, {"watching": True})
        assert await _put(his, {"watching": True}) == (200, {"watching": [alice, bob]})
        assert await next_watching() == [alice, bob]
        assert (await his.room())["watching"] == [alice, bob]
        assert await _put(his, {"watching": False}) == (200, {"watching": [alice]})
        assert await next_watching() == [alice]
        await _put(his, {"watching": False})
        # Who goes without a request expires, and everybody is notified.
        await service.rows("UPDATE watching SET until = now() WHERE room_id = $1", room.room_id)
        assert (await his.room())["watching"] == []
        await service.context.stores.channels.lapse_watching()
        assert await next_watching() == []


async def test_who_leaves_does_not_watch(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    await _put(his, {"watching": True})
    await room.set_member(bob, "leave")
    assert (await hers.room())["watching"] == []
    assert (await _put(his, {"watching": True}))[0] == 403


async def test_watching_must_be_said_rightly(service: Service) -> None:
    alice = service.user()
    viewer = await service.viewer(alice, await service.room(alice))
    wrong: list[object] = [{}, [], {"watching": "yes"}, {"watching": 1}, None]
    for body in wrong:
        status, response = await _put(viewer, body)
        assert (status, response["errcode"]) == (400, "M_BAD_JSON")
    assert (await _put(viewer, {"watching": True, "more": "x" * 2000}))[0] == 413
