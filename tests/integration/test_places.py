"""Where a viewer was in a room: kept for them alone, answered with the room, forgotten when they leave."""

from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

PLACE = {
    "selection": "@alice:test.local", "video": "4fd0e8f2-8f4b-4c3f-9d0f-0d6b3e1f4c55", "position": 12.5, "volume": 0.4,
    "muted": False, "speed": 1.25, "loop": "shuffle", "captions": "zh-Hans", "keys": False,
    "announce": False,
}  # fmt: skip


async def put(viewer: Viewer, body: object) -> tuple[int, Any]:
    url = f"{viewer.base_url}/api/v1/rooms/{viewer.room_id}/place"
    async with viewer.http.put(url, json=body, headers={"Authorization": f"Bearer {viewer.token}"}) as response:
        return response.status, await response.json()


async def test_a_place_is_its_viewers_alone(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id, other_room_id = await make_room(alice, reel, bob), await make_room(alice, reel, bob)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    assert (await his.room())["place"] is None
    assert await put(his, PLACE) == (200, PLACE)
    assert (await his.room())["place"] == PLACE
    # The newest one counts, from any of the viewer's devices.
    nothing = {**PLACE, "selection": None, "video": None, "captions": None, "position": 0, "volume": 1}
    assert (await put(await reel.viewer(http, bob, room_id), nothing))[0] == 200
    assert (await his.room())["place"] == nothing
    # Neither somebody else's nor another room's.
    assert (await hers.room())["place"] is None
    assert (await (await reel.viewer(http, bob, other_room_id)).room())["place"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"position": -1}, {"position": "1"}, {"volume": 1.01}, {"muted": 1}, {"muted": None}, {"speed": 0},
        {"speed": 3}, {"loop": "none"}, {"selection": ""}, {"selection": "x" * 2001}, {"captions": "a\x00b"},
        {"video": 5}, {"keys": "yes"}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_place_of_the_wrong_form(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, change: dict[str, object]
) -> None:
    viewer = await reel.viewer(http, alice, await make_room(alice, reel))
    status, answer = await put(viewer, {**PLACE, **change})
    assert (status, answer["errcode"]) == (400, "M_BAD_JSON")
    assert next(iter(change)) in answer["error"]
    assert (await viewer.room())["place"] is None


async def test_a_place_needs_a_session(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient) -> None:
    room_id = await make_room(alice, reel)
    assert (await put(Viewer(reel.url, http, room_id, "none"), PLACE))[0] == 401
    viewer = await reel.viewer(http, alice, await make_room(alice, reel))
    assert (await put(Viewer(reel.url, http, room_id, viewer.token), PLACE))[0] == 403
    assert (await put(viewer, [PLACE] * 100))[0] == 413


async def test_who_leaves_is_forgotten(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id = await make_room(alice, reel, bob)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    assert (await put(hers, PLACE))[0] == 200
    assert (await put(his, PLACE))[0] == 200
    await bob.leave(room_id)

    async def left() -> bool:
        return (await put(his, PLACE))[0] == 403

    await eventually(left)
    await alice.invite(room_id, bob.user_id)
    await bob.join(room_id)
    assert (await (await reel.viewer(http, bob, room_id)).room())["place"] is None
    assert (await hers.room())["place"] == PLACE
