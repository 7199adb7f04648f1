"""Sessions by OpenID and by a browser's sign-in: who gets one, and how each ends."""

from typing import Any

import pytest

from tests.support.service import SERVER_NAME, Room, Service
from tests.support.viewer import Viewer

ANDROID = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"


async def _post(service: Service, path: str, body: object, method: str = "POST") -> tuple[int, Any]:
    headers = {"User-Agent": ANDROID}
    async with service.http.request(method, service.url + path, json=body, headers=headers) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json()


async def _new_code(service: Service, room_id: str) -> dict[str, Any]:
    status, response = await _post(service, "/api/v1/sign-in", {"room_id": room_id})
    assert status == 200, response
    assert response["command"] == f"!reel sign-in {response['code']}"
    return dict(response)


async def _session(service: Service, secret: str, room_id: str) -> tuple[int, Any]:
    return await _post(service, "/api/v1/session", {"sign_in": secret, "room_id": room_id})


async def _sign_in(service: Service, user_id: str, room: Room) -> tuple[Viewer, dict[str, Any]]:
    sign_in = await _new_code(service, room.room_id)
    await room.send_event("m.room.message", {"msgtype": "m.text", "body": sign_in["command"]}, sender=user_id)
    status, response = await _session(service, sign_in["secret"], room.room_id)
    assert status == 200, response
    return Viewer(service.url, service.http, room.room_id, response["token"]), sign_in


# By OpenID


async def test_a_member_gets_a_session_and_a_moderator_may_moderate(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    for user, can in ((alice, ["watch", "moderate"]), (bob, ["watch"])):
        status, response = await service.open_session(service.peer.openid_token(user), room.room_id)
        assert (status, response["user_id"], response["room_id"], response["can"]) == (200, user, room.room_id, can)
        assert response["room"] is None


@pytest.mark.parametrize(
    ("change", "status", "errcode"),
    [
        ({"access_token": "unknown"}, 401, "M_UNKNOWN_TOKEN"),
        ({"access_token": "of-another-server"}, 401, "M_UNKNOWN_TOKEN"),
        ({"matrix_server_name": "elsewhere.org"}, 403, "M_FORBIDDEN"),
    ],
)
async def test_whom_no_homeserver_vouches_for(
    service: Service, change: dict[str, str], status: int, errcode: str
) -> None:
    service.peer.tokens["of-another-server"] = "@alice:elsewhere.org"
    alice = service.user()
    room = await service.room(alice)
    found = await service.open_session({**service.peer.openid_token(alice), **change}, room.room_id)
    assert (found[0], found[1]["errcode"]) == (status, errcode)


async def test_who_is_no_member_by_what_the_homeserver_says_now(service: Service) -> None:
    alice, bob, carol = (service.user(name) for name in ("alice", "bob", "carol"))
    room = await service.room(alice, bob)
    # The events of both are on their way still.
    service.peer.state[room.room_id, bob] = {"membership": "leave"}
    service.peer.state[room.room_id, carol] = {"membership": "join"}
    assert (await service.open_session(service.peer.openid_token(bob), room.room_id))[0] == 403
    assert (await service.open_session(service.peer.openid_token(carol), room.room_id))[0] == 200


async def test_a_room_that_the_bot_left_is_shut(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    await room.set_member(service.bot, "leave")
    assert (await service.open_session(service.peer.openid_token(alice), room.room_id))[0] == 403


# By a browser's sign-in


async def test_whoever_sends_the_code_watches(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    sign_in = await _new_code(service, room.room_id)
    assert await _session(service, sign_in["secret"], room.room_id) == (202, {"pending": True})
    command = {"msgtype": "m.text", "body": sign_in["command"].lower()}
    event_id = await room.send_event("m.room.message", command, sender=bob)
    status, response = await _session(service, sign_in["secret"], room.room_id)
    assert (status, response["user_id"], response["can"]) == (200, bob, ["watch"])
    viewer = Viewer(service.url, service.http, room.room_id, response["token"])
    assert {member["user_id"] for member in (await viewer.room())["members"]} == {alice, bob}
    # Used once, and by nobody else.
    await room.send_event("m.room.message", {"msgtype": "m.text", "body": sign_in["command"]})
    assert (await _session(service, sign_in["secret"], room.room_id))[1]["user_id"] == bob
    (kept,) = await service.rows("SELECT * FROM sign_ins WHERE event_id = $1", event_id)
    assert sign_in["secret"] not in str(dict(kept))


async def test_a_code_is_for_its_room(service: Service) -> None:
    alice, mallory = service.user("alice"), service.user("mallory")
    room, other = await service.room(alice), await service.room(mallory)
    sign_in = await _new_code(service, room.room_id)
    command = {"msgtype": "m.text", "body": sign_in["command"]}
    await other.send_event("m.room.message", command)
    assert (await _session(service, sign_in["secret"], room.room_id))[0] == 202
    await room.send_event("m.room.message", command)
    assert (await _session(service, sign_in["secret"], room.room_id))[0] == 200
    # And so is the secret: it still waits there, as for a room that nobody knows.
    for foreign in (other.room_id, "!nowhere"):
        assert await _session(service, sign_in["secret"], foreign) == (202, {"pending": True})


async def test_strangers_learn_nothing(service: Service) -> None:
    known = await _new_code(service, (await service.room(service.user())).room_id)
    unknown = await _new_code(service, "!nowhere")
    assert known.keys() == unknown.keys()
    assert await _session(service, unknown["secret"], "!nowhere") == (202, {"pending": True})
    assert await service.rows("SELECT FROM sign_ins WHERE room_id = '!nowhere'") == []
    for secret in ("x", f"9999999999.{'x' * 32}.{'y' * 22}"):
        status, response = await _session(service, secret, "!nowhere")
        assert (status, response["errcode"]) == (401, "M_UNKNOWN_TOKEN")


async def test_an_expired_code_signs_nobody_in(service: Service) -> None:
    room = await service.room(service.user())
    sign_in = await _new_code(service, room.room_id)
    await service.rows("UPDATE sign_ins SET expires_at = now() - interval '1 s' WHERE code = $1", sign_in["code"])
    await room.send_event("m.room.message", {"msgtype": "m.text", "body": sign_in["command"]})
    assert (await _session(service, sign_in["secret"], room.room_id))[0] == 202


async def test_a_repeated_transaction_signs_in_once(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    sign_in = await _new_code(service, room.room_id)
    event = {
        "type": "m.room.message", "event_id": f"$twice-{sign_in['code']}", "room_id": room.room_id, "sender": alice,
        "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": sign_in["command"]},
    }  # fmt: skip
    for txn_id in ("one", "two"):
        assert (await service.transaction([event], txn_id=f"{sign_in['code']}-{txn_id}")) == (200, {})
    assert (await _session(service, sign_in["secret"], room.room_id))[0] == 200
    assert await service.rows("SELECT FROM sign_in_misses WHERE event_id = $1", event["event_id"]) == []


async def test_signing_out_by_the_browser(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer, sign_in = await _sign_in(service, alice, room)
    other, _ = await _sign_in(service, alice, room)
    for _ in range(2):
        assert await _post(service, "/api/v1/sign-in", {"secret": sign_in["secret"]}, "DELETE") == (200, {})
    status, response = await viewer.get(f"/api/v1/rooms/{room.room_id}")
    assert (status, response["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert await other.room()


async def test_signing_out_by_a_message_ends_all_of_ones_own(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers = [(await _sign_in(service, alice, room))[0] for _ in range(2)]
    his, _ = await _sign_in(service, bob, room)
    await room.send_event("m.room.message", {"msgtype": "m.text", "body": "!reel sign-out"})
    for viewer, status in ((hers[0], 401), (hers[1], 401), (his, 200)):
        assert (await viewer.get(f"/api/v1/rooms/{room.room_id}"))[0] == status


async def test_leaving_the_room_ends_it(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    viewer, sign_in = await _sign_in(service, bob, room)
    await room.set_member(bob, "leave")
    assert (await viewer.get(f"/api/v1/rooms/{room.room_id}"))[0] == 403
    status, response = await _session(service, sign_in["secret"], room.room_id)
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")


@pytest.mark.parametrize(
    "body",
    [{}, {"room_id": "#alias"}, {"room_id": 5}, [], {"openid_token": None, "sign_in": None, "room_id": "!r"}],
)
async def test_bad_bodies(service: Service, body: object) -> None:
    for path in ("session", "sign-in")[: 1 if "sign_in" in str(body) else 2]:
        status, response = await _post(service, f"/api/v1/{path}", body)
        assert (status, response["errcode"]) == (400, "M_BAD_JSON")


async def test_codes_are_not_handed_out_without_end(service: Service) -> None:
    async def request_code(address: str) -> tuple[int, dict[str, Any], str | None]:
        url, headers = f"{service.url}/api/v1/sign-in", {"X-Forwarded-For": f"192.0.2.1, {address}"}
        async with service.http.post(url, json={"room_id": "!busy"}, headers=headers) as response:
            return response.status, await response.json(), response.headers.get("Retry-After")

    responses = [await request_code("198.51.100.7") for _ in range(60)]
    refused = [(response, retry) for status, response, retry in responses if status == 429]
    assert refused
    for response, retry in refused:
        assert response["errcode"] == "M_LIMIT_EXCEEDED"
        assert 0 < response["retry_after_ms"] <= int(retry or 0) * 1000
    assert (await request_code("198.51.100.8"))[0] == 200, "a stranger shuts nobody else out of the room"


async def test_whom_the_configuration_names_blocked(service: Service) -> None:
    blocked = f"@blocked:{SERVER_NAME}"
    room = await service.room(service.user(), blocked)
    status, response = await service.open_session(service.peer.openid_token(blocked), room.room_id)
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")
    assert "not for you" in response["error"]
