"""The room's channel on the real service: one schedule for all, revised at a boundary, and who watches."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


async def _schedule(viewer: Viewer) -> dict[str, Any] | None:
    schedule: dict[str, Any] | None = (await viewer.room())["schedule"]
    return schedule


def _ids(schedule: dict[str, Any] | None) -> list[str]:
    assert schedule
    return [item["id"] for item in schedule["items"]]


async def _send(user: MatrixClient, viewer: Viewer, clip: Path) -> tuple[str, str]:
    """Send a video; return its event's id and its own."""
    event_id = await user.send_video(viewer.room_id, clip)
    return event_id, str((await viewer.video_in(event_id, "ready"))["id"])


async def _put(viewer: Viewer, body: object) -> tuple[int, Any]:
    url = f"{viewer.base_url}/api/v1/rooms/{viewer.room_id}/watching"
    async with viewer.http.put(url, json=body, headers={"Authorization": f"Bearer {viewer.token}"}) as response:
        return response.status, await response.json()


async def test_the_schedule_follows_the_list(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    assert await _schedule(hers) is None
    first_event, first = await _send(alice, hers, clip)
    schedule = await _schedule(hers)
    assert schedule == await _schedule(his), "there is one for all"
    assert _ids(schedule) == [first]
    assert schedule
    assert abs(schedule["items"][0]["duration"] - 2) < 0.1

    # What comes joins at the boundary, whoever asks first and however many at once.
    _, second = await _send(bob, his, with_padding(clip, tmp_path / "second.mp4", b"2"))
    schedules = await asyncio.gather(*(_schedule(viewer) for viewer in [hers, his] * 5))
    schedule = schedules[0]
    assert all(each == schedule for each in schedules)
    assert schedule
    # It was revised last for a better version of the second one, whichever of the two played then.
    assert [schedule["before"]["id"], _ids(schedule)[0]] in ([first, second], [second, first])
    assert _ids(schedule)[1:] == [schedule["before"]["id"]]
    assert await _schedule(his) == schedule, "it is not revised again"

    # What goes while it plays goes at once.
    await alice.redact(room_id, first_event)

    async def only_the_second() -> dict[str, Any] | None:
        now = await _schedule(hers)
        return now if now and _ids(now) == [second] else None

    assert await eventually(only_the_second)


async def test_a_boundary_is_where_the_playing_video_ends(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    await _send(alice, viewer, clip)
    # A long turn that is nearly over in ten minutes, so that several changes fall into it.
    boundary = (await viewer.room())["now"] + 600_000
    await reel.rows(
        "UPDATE channels SET starts_at = $2, before = jsonb_set(items->0, '{duration}', '900000') WHERE room_id = $1",
        room_id, boundary,
    )  # fmt: skip
    for number in range(2):
        await _send(alice, viewer, with_padding(clip, tmp_path / f"{number}.mp4", bytes([number])))
    schedule = await _schedule(viewer)
    assert schedule
    assert (schedule["starts_at"], schedule["before"]["duration"]) == (boundary, 900)
    in_channel = [video["id"] for video in await viewer.videos()]
    assert _ids(schedule) == in_channel[1:] + in_channel[:1], "what follows the playing one begins"


async def test_the_time(reel: Installation, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{reel.url}/api/v1/time") as response:
        answer, headers = await response.json(), response.headers
    now = (await reel.rows("SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now"))[0]["now"]
    assert abs(answer["now"] - now) < 2000
    assert headers["Cache-Control"] == "no-store"


async def test_who_watches(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id = await make_room(alice, reel, bob)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    assert (await hers.room())["watching"] == []
    async with his.events() as events:

        async def told() -> list[str]:
            async with asyncio.timeout(15):
                while True:
                    name, data = await events.get()
                    if name == "watching":
                        assert data["room_id"] == room_id
                        return list(data["watching"])

        assert await _put(hers, {"watching": True}) == (200, {"watching": [alice.user_id]})
        assert await told() == [alice.user_id]
        # A further sign of life is no news, a second viewer is.
        await _put(hers, {"watching": True})
        both = [alice.user_id, bob.user_id]
        assert await _put(his, {"watching": True}) == (200, {"watching": both})
        assert await told() == both
        assert (await his.room())["watching"] == both
        assert await _put(his, {"watching": False}) == (200, {"watching": [alice.user_id]})
        assert await told() == [alice.user_id]
        await _put(his, {"watching": False})
        # Who goes without a word is forgotten, and everybody is told.
        await reel.rows("UPDATE watching SET until = now() WHERE room_id = $1", room_id)
        assert (await his.room())["watching"] == []
        assert await told() == []


async def test_who_leaves_does_not_watch(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id = await make_room(alice, reel, bob)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    await _put(his, {"watching": True})
    await bob.leave(room_id)

    async def gone() -> bool:
        return not (await hers.room())["watching"]

    await eventually(gone)
    assert (await _put(his, {"watching": True}))[0] == 403


async def test_watching_must_be_said_rightly(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    viewer = await reel.viewer(http, alice, await make_room(alice, reel))
    wrong: list[object] = [{}, [], {"watching": "yes"}, {"watching": 1}, None]
    for body in wrong:
        status, answer = await _put(viewer, body)
        assert (status, answer["errcode"]) == (400, "M_BAD_JSON")
    assert (await _put(viewer, {"watching": True, "more": "x" * 2000}))[0] == 413
