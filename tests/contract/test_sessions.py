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


async def _ask(service: Service, room_id: str) -> dict[str, Any]:
    status, answer = await _post(service, "/api/v1/sign-in", {"room_id": room_id})
    assert status == 200, answer
    assert answer["command"] == f"!reel sign-in {answer['code']}"
    return dict(answer)


async def _session(service: Service, secret: str, room_id: str) -> tuple[int, Any]:
    return await _post(service, "/api/v1/session", {"sign_in": secret, "room_id": room_id})


async def _sign_in(service: Service, user_id: str, room: Room) -> tuple[Viewer, dict[str, Any]]:
    asked = await _ask(service, room.room_id)
    await room.tell("m.room.message", {"msgtype": "m.text", "body": asked["command"]}, sender=user_id)
    status, answer = await _session(service, asked["secret"], room.room_id)
    assert status == 200, answer
    return Viewer(service.url, service.http, room.room_id, answer["token"]), asked


# By OpenID


async def test_a_member_gets_a_session_and_a_moderator_may_moderate(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    for user, can in ((alice, ["watch", "moderate"]), (bob, ["watch"])):
        status, answer = await service.open_session(service.peer.openid_token(user), room.room_id)
        assert (status, answer["user_id"], answer["room_id"], answer["can"]) == (200, user, room.room_id, can)
        assert answer["room"] is None


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
    asked = await _ask(service, room.room_id)
    assert await _session(service, asked["secret"], room.room_id) == (202, {"pending": True})
    command = {"msgtype": "m.text", "body": asked["command"].lower()}
    event_id = await room.tell("m.room.message", command, sender=bob)
    status, answer = await _session(service, asked["secret"], room.room_id)
    assert (status, answer["user_id"], answer["can"]) == (200, bob, ["watch"])
    viewer = Viewer(service.url, service.http, room.room_id, answer["token"])
    assert {member["user_id"] for member in (await viewer.room())["members"]} == {alice, bob}
    # Used once, and by nobody else.
    await room.tell("m.room.message", {"msgtype": "m.text", "body": asked["command"]})
    assert (await _session(service, asked["secret"], room.room_id))[1]["user_id"] == bob
    (kept,) = await service.rows("SELECT * FROM sign_ins WHERE event_id = $1", event_id)
    assert asked["secret"] not in str(dict(kept))


async def test_a_code_is_for_its_room(service: Service) -> None:
    alice, mallory = service.user("alice"), service.user("mallory")
    room, other = await service.room(alice), await service.room(mallory)
    asked = await _ask(service, room.room_id)
    command = {"msgtype": "m.text", "body": asked["command"]}
    await other.tell("m.room.message", command)
    assert (await _session(service, asked["secret"], room.room_id))[0] == 202
    await room.tell("m.room.message", command)
    assert (await _session(service, asked["secret"], room.room_id))[0] == 200
    # And so is the secret: it still waits there, as for a room that nobody knows.
    for foreign in (other.room_id, "!nowhere"):
        assert await _session(service, asked["secret"], foreign) == (202, {"pending": True})


async def test_strangers_learn_nothing(service: Service) -> None:
    known = await _ask(service, (await service.room(service.user())).room_id)
    unknown = await _ask(service, "!nowhere")
    assert known.keys() == unknown.keys()
    assert await _session(service, unknown["secret"], "!nowhere") == (202, {"pending": True})
    assert await service.rows("SELECT FROM sign_ins WHERE room_id = '!nowhere'") == []
    for secret in ("x", f"9999999999.{'x' * 32}.{'y' * 22}"):
        status, answer = await _session(service, secret, "!nowhere")
        assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")


async def test_an_expired_code_signs_nobody_in(service: Service) -> None:
    room = await service.room(service.user())
    asked = await _ask(service, room.room_id)
    await service.rows("UPDATE sign_ins SET expires_at = now() - interval '1 s' WHERE code = $1", asked["code"])
    await room.tell("m.room.message", {"msgtype": "m.text", "body": asked["command"]})
    assert (await _session(service, asked["secret"], room.room_id))[0] == 202


async def test_a_repeated_transaction_signs_in_once(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    asked = await _ask(service, room.room_id)
    event = {
        "type": "m.room.message", "event_id": f"$twice-{asked['code']}", "room_id": room.room_id, "sender": alice,
        "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": asked["command"]},
    }  # fmt: skip
    for txn_id in ("one", "two"):
        assert (await service.transaction([event], txn_id=f"{asked['code']}-{txn_id}")) == (200, {})
    assert (await _session(service, asked["secret"], room.room_id))[0] == 200
    assert await service.rows("SELECT FROM sign_in_misses WHERE event_id = $1", event["event_id"]) == []


async def test_signing_out_by_the_browser(service: Service) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer, asked = await _sign_in(service, alice, room)
    other, _ = await _sign_in(service, alice, room)
    for _ in range(2):
        assert await _post(service, "/api/v1/sign-in", {"secret": asked["secret"]}, "DELETE") == (200, {})
    status, answer = await viewer.get(f"/api/v1/rooms/{room.room_id}")
    assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert await other.room()


async def test_signing_out_by_a_message_ends_all_of_ones_own(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers = [(await _sign_in(service, alice, room))[0] for _ in range(2)]
    his, _ = await _sign_in(service, bob, room)
    await room.tell("m.room.message", {"msgtype": "m.text", "body": "!reel sign-out"})
    for viewer, status in ((hers[0], 401), (hers[1], 401), (his, 200)):
        assert (await viewer.get(f"/api/v1/rooms/{room.room_id}"))[0] == status


async def test_leaving_the_room_ends_it(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    viewer, asked = await _sign_in(service, bob, room)
    await room.set_member(bob, "leave")
    assert (await viewer.get(f"/api/v1/rooms/{room.room_id}"))[0] == 403
    status, answer = await _session(service, asked["secret"], room.room_id)
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")


@pytest.mark.parametrize(
    "body",
    [{}, {"room_id": "#alias"}, {"room_id": 5}, [], {"openid_token": None, "sign_in": None, "room_id": "!r"}],
)
async def test_bad_bodies(service: Service, body: object) -> None:
    for path in ("session", "sign-in")[: 1 if "sign_in" in str(body) else 2]:
        status, answer = await _post(service, f"/api/v1/{path}", body)
        assert (status, answer["errcode"]) == (400, "M_BAD_JSON")


async def test_codes_are_not_handed_out_without_end(service: Service) -> None:
    async def ask(address: str) -> tuple[int, dict[str, Any], str | None]:
        url, headers = f"{service.url}/api/v1/sign-in", {"X-Forwarded-For": f"192.0.2.1, {address}"}
        async with service.http.post(url, json={"room_id": "!busy"}, headers=headers) as response:
            return response.status, await response.json(), response.headers.get("Retry-After")

    answers = [await ask("198.51.100.7") for _ in range(60)]
    refused = [(answer, retry) for status, answer, retry in answers if status == 429]
    assert refused
    for answer, retry in refused:
        assert answer["errcode"] == "M_LIMIT_EXCEEDED"
        assert 0 < answer["retry_after_ms"] <= int(retry or 0) * 1000
    assert (await ask("198.51.100.8"))[0] == 200, "a stranger shuts nobody else out of the room"


async def test_whom_the_configuration_names_blocked(service: Service) -> None:
    blocked = f"@blocked:{SERVER_NAME}"
    room = await service.room(service.user(), blocked)
    status, answer = await service.open_session(service.peer.openid_token(blocked), room.room_id)
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")
    assert "not for you" in answer["error"]
