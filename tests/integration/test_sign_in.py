"""A browser without a Matrix client: it shows a code, a member sends it, and it watches until it is signed out."""

from pathlib import Path
from typing import Any

import aiohttp

from appservice.core.sign_in_codes import MOST_MISSES
from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

ANDROID = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"


async def _post(http: aiohttp.ClientSession, url: str, body: object, method: str = "POST") -> tuple[int, Any]:
    async with http.request(method, url, json=body, headers={"User-Agent": ANDROID}) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json()


async def _new_code(reel: Installation, http: aiohttp.ClientSession, room_id: str) -> dict[str, Any]:
    status, response = await _post(http, f"{reel.url}/api/v1/sign-in", {"room_id": room_id})
    assert status == 200, response
    assert response["command"] == f"!reel sign-in {response['code']}"
    return dict(response)


async def _session(reel: Installation, http: aiohttp.ClientSession, secret: str, room_id: str) -> tuple[int, Any]:
    return await _post(http, f"{reel.url}/api/v1/session", {"sign_in": secret, "room_id": room_id})


async def _signed_in(reel: Installation, http: aiohttp.ClientSession, secret: str, room_id: str) -> Viewer:
    async def session() -> dict[str, Any] | None:
        status, response = await _session(reel, http, secret, room_id)
        return dict(response) if status == 200 else None

    response = await eventually(session, what="the browser being signed in")
    assert response
    return Viewer(reel.url, http, room_id, response["token"])


async def _reactions(user: MatrixClient, room_id: str, event_id: str) -> list[str]:
    relations = [event["content"].get("m.relates_to", {}) for event in await user.messages(room_id)]
    return [r["key"] for r in relations if r.get("rel_type") == "m.annotation" and r["event_id"] == event_id]


async def _sign_in(
    reel: Installation, http: aiohttp.ClientSession, user: MatrixClient, room_id: str
) -> tuple[Viewer, dict[str, Any], str]:
    sign_in = await _new_code(reel, http, room_id)
    event_id = await user.send_text(room_id, sign_in["command"])
    return await _signed_in(reel, http, sign_in["secret"], room_id), sign_in, event_id


async def test_whoever_sends_the_code_watches(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id = await make_room(alice, reel, bob)
    sign_in = await _new_code(reel, http, room_id)
    assert await _session(reel, http, sign_in["secret"], room_id) == (202, {"pending": True})
    event_id = await bob.send_text(room_id, sign_in["command"].lower())
    viewer = await _signed_in(reel, http, sign_in["secret"], room_id)
    status, response = await _session(reel, http, sign_in["secret"], room_id)
    assert (status, response["user_id"], response["can"]) == (200, bob.user_id, ["watch"])
    assert {member["user_id"] for member in (await viewer.room())["members"]} == {alice.user_id, bob.user_id}

    notice = await wait_for_notice(bob, room_id, "Signed in", thread=event_id)
    for part in (bob.user_id, "Firefox, Android", "!reel sign-out"):
        assert part in notice
    assert await _reactions(bob, room_id, event_id) == ["✅"]

    # Used once, and by nobody else.
    again = await alice.send_text(room_id, sign_in["command"])
    await wait_for_notice(alice, room_id, "Nobody was signed in", thread=again)
    assert await _reactions(alice, room_id, again) == []
    assert (await _session(reel, http, sign_in["secret"], room_id))[1]["user_id"] == bob.user_id

    kept = await reel.rows("SELECT * FROM sign_ins WHERE event_id = $1", event_id)
    assert len(kept) == 1
    assert sign_in["secret"] not in str(dict(kept[0]))


async def test_a_code_is_for_its_room(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, mallory: MatrixClient
) -> None:
    room_id, other = await make_room(alice, reel), await make_room(mallory, reel)
    sign_in = await _new_code(reel, http, room_id)
    event_id = await mallory.send_text(other, sign_in["command"])
    await wait_for_notice(mallory, other, "Nobody was signed in", thread=event_id)
    assert (await _session(reel, http, sign_in["secret"], room_id))[0] == 202
    await alice.send_text(room_id, sign_in["command"])
    await _signed_in(reel, http, sign_in["secret"], room_id)
    # And so is the secret: it still waits there, as for a room that nobody knows.
    for foreign in (other, "!nowhere"):
        assert await _session(reel, http, sign_in["secret"], foreign) == (202, {"pending": True})


async def test_an_expired_code(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient) -> None:
    room_id = await make_room(alice, reel)
    sign_in = await _new_code(reel, http, room_id)
    await reel.rows("UPDATE sign_ins SET expires_at = now() - interval '1 s' WHERE code = $1", sign_in["code"])
    event_id = await alice.send_text(room_id, sign_in["command"])
    await wait_for_notice(alice, room_id, "too old", thread=event_id)


async def test_signing_out_by_a_message_ends_all_of_ones_own(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    first, second = [(await _sign_in(reel, http, alice, room_id))[0] for _ in range(2)]
    bobs, _, _ = await _sign_in(reel, http, bob, room_id)
    video = await first.video_in(await alice.send_video(room_id, clip), "ready")
    assert (await first.fetch(video["poster_url"]))[0] == 200
    bobs_poster = (await bobs.videos())[0]["poster_url"]

    async with first.events() as queue:
        event_id = await alice.send_text(room_id, "!reel sign-out")
        notice = await wait_for_notice(alice, room_id, "browsers that were signed in", thread=event_id)
        assert alice.user_id in notice
        for viewer in (first, second):
            assert await _status(viewer, room_id) == 401
        # The stream ends, too, without saying that the member has to go.
        assert not any(name == "revoked" for name, _ in [queue.get_nowait() for _ in range(queue.qsize())])
    assert await _status(bobs, room_id) == 200

    async def shut_out() -> bool:
        return (await first.fetch(video["poster_url"]))[0] == 403

    await eventually(shut_out, seconds=10, what="media ending with the sign-in")
    assert (await bobs.fetch(bobs_poster))[0] == 200
    again = await alice.send_text(room_id, "!reel sign-out")
    await wait_for_notice(alice, room_id, "No browser was signed in", thread=again)


async def _status(viewer: Viewer, room_id: str) -> int:
    return (await viewer.get(f"/api/v1/rooms/{room_id}"))[0]


async def test_wrong_codes_are_counted(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare, bob)
        for number in range(MOST_MISSES):
            event_id = await bob.send_text(room_id, f"!reel sign-in WRONG{number}")
            expected = "Too many wrong codes" if number == MOST_MISSES - 1 else "Nobody was signed in"
            await wait_for_notice(bob, room_id, expected, thread=event_id)
        sign_in = await _new_code(spare, http, room_id)
        await bob.send_text(room_id, sign_in["command"])  # right, and too late
        viewer, _, _ = await _sign_in(spare, http, alice, room_id)
        assert await viewer.room()
        assert (await _session(spare, http, sign_in["secret"], room_id))[0] == 202
        # Nothing more was said to bob: his commands get responses in their order.
        last = await bob.send_text(room_id, "!reel version")
        await wait_for_notice(bob, room_id, "Roomreel", thread=last)
        assert len(await _notices(bob, room_id)) == MOST_MISSES + len(["welcome", "alice", "version"])


async def _notices(user: MatrixClient, room_id: str) -> list[str]:
    contents = [event["content"] for event in await user.messages(room_id)]
    return [content["body"] for content in contents if content.get("msgtype") == "m.notice"]


async def test_a_repeated_transaction_signs_in_once(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    room_id = await make_room(alice, reel)
    sign_in = await _new_code(reel, http, room_id)
    event_id = await alice.send_text(room_id, "say it twice")
    event = {
        "type": "m.room.message", "event_id": event_id, "room_id": room_id, "sender": alice.user_id,
        "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": sign_in["command"]},
    }  # fmt: skip
    for txn_id in ("one", "two"):
        assert (await reel.transaction(http, [event], txn_id=f"{event_id}-{txn_id}"))[0] == 200
    await _signed_in(reel, http, sign_in["secret"], room_id)
    await wait_for_notice(alice, room_id, "Signed in", thread=event_id)
    assert await reel.rows("SELECT FROM sign_in_misses WHERE event_id = $1", event_id) == []
