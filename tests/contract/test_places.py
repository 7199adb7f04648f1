"""Where a viewer was in a room: stored for them alone, in the room's response, deleted when they leave."""

from typing import Any

import pytest

from tests.support.service import Service
from tests.support.viewer import Viewer

PLACE = {
    "selection": "@alice:test.local", "video": "4fd0e8f2-8f4b-4c3f-9d0f-0d6b3e1f4c55", "position": 12.5, "volume": 0.4,
    "muted": False, "speed": 1.25, "loop": "shuffle", "captions": "zh-Hans", "keys": False,
    "announce": False,
}  # fmt: skip


async def put(viewer: Viewer, body: object) -> tuple[int, Any]:
    return await viewer.request("PUT", f"/api/v1/rooms/{viewer.room_id}/place", body)


async def test_a_place_is_its_viewers_alone(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room, other_room = await service.room(alice, bob), await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    assert (await his.room())["place"] is None
    assert await put(his, PLACE) == (200, PLACE)
    assert (await his.room())["place"] == PLACE
    # The newest one counts, from any of the viewer's devices.
    nothing = {**PLACE, "selection": None, "video": None, "captions": None, "position": 0, "volume": 1}
    assert (await put(await service.viewer(bob, room), nothing))[0] == 200
    assert (await his.room())["place"] == nothing
    # Neither somebody else's nor another room's.
    assert (await hers.room())["place"] is None
    assert (await (await service.viewer(bob, other_room)).room())["place"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"position": -1}, {"position": "1"}, {"volume": 1.01}, {"muted": 1}, {"muted": None}, {"speed": 0},
        {"speed": 3}, {"loop": "none"}, {"selection": ""}, {"selection": "x" * 2001}, {"captions": "a\x00b"},
        {"video": 5}, {"keys": "yes"}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_place_of_the_wrong_form(service: Service, change: dict[str, object]) -> None:
    alice = service.user()
    viewer = await service.viewer(alice, await service.room(alice))
    status, response = await put(viewer, {**PLACE, **change})
    assert (status, response["errcode"]) == (400, "M_BAD_JSON")
    assert next(iter(change)) in response["error"]
    assert (await viewer.room())["place"] is None


async def test_a_place_needs_a_session(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    assert (await put(Viewer(service.url, service.http, room.room_id, "none"), PLACE))[0] == 401
    viewer = await service.viewer(alice, await service.room(alice))
    assert (await put(Viewer(service.url, service.http, room.room_id, viewer.token), PLACE))[0] == 403
    assert (await put(viewer, [PLACE] * 100))[0] == 413


async def test_the_place_of_who_leaves_is_deleted(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    assert (await put(hers, PLACE))[0] == 200
    assert (await put(his, PLACE))[0] == 200
    await room.set_member(bob, "leave")
    assert (await put(his, PLACE))[0] == 403
    await room.set_member(bob, "join")
    assert (await (await service.viewer(bob, room)).room())["place"] is None
    assert (await hers.room())["place"] == PLACE
