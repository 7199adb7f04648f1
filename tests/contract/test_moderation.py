"""Reports, and what moderators do: read and dismiss them, approve, reject, block."""

from typing import Any

from tests.support.service import Film, House, Service


def _path(video: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/videos/{video['id']}{rest}"


async def test_reports_are_counted_for_moderators_alone(house: House) -> None:
    video = (await house.bobs(house.mallory))[0]
    assert video["can"] == ["report"]
    for reason in ("Too loud", "Far too loud"):
        assert await house.mallory.request("POST", _path(video, "/report"), {"reason": reason}) == (200, {})
    assert (await house.bobs(house.alice))[0]["reports"] == 1
    assert (await house.bobs(house.bob))[0]["reports"] is None
    assert (await house.bob.request("POST", _path(video, "/report"), {"reason": ""}))[0] == 403
    assert await house.alice.get(_path(video, "/reports")) == (200, {"reasons": ["Far too loud"]})
    assert (await house.bob.get(_path(video, "/reports")))[0] == 403
    assert (await house.bob.request("DELETE", _path(video, "/reports")))[0] == 403
    assert await house.alice.request("DELETE", _path(video, "/reports")) == (200, {})
    assert (await house.bobs(house.alice))[0]["reports"] == 0


async def test_a_reason_of_the_wrong_form(house: House) -> None:
    video = (await house.bobs(house.mallory))[0]
    bodies: list[object] = [{"reason": 5}, {"reason": "x" * 5000}, {"why": "x"}, {"reason": "a\x00b"}, []]
    for path in ("/report", "/reject", "/block"):
        for body in bodies:
            status, error = await house.alice.request("POST", _path(video, path), body)
            assert (status, error["errcode"]) in {(400, "M_BAD_JSON"), (413, "M_TOO_LARGE")}, (path, body)
    assert (await house.bobs(house.alice))[0]["reports"] == 0


async def test_what_waits_is_for_those_who_decide_until_it_is_approved(house: House, film: Film) -> None:
    await house.room.choose(hold="all")
    event_id = await house.room.show_video(house.user, film)
    assert await house.mallory.video(event_id) is None
    held = await house.alice.video(event_id)
    assert held
    assert (held["visibility"], held["waits_for"], held["held_for"]) == ("held", "moderator", "approval")
    assert {"show", "reject"} <= set(held["can"])
    assert (await house.alice.fetch(held["poster_url"]))[0] == 200
    assert (await house.bob.request("PATCH", _path(held), {"visibility": "shown"}))[0] == 403
    assert (await house.bob.request("POST", _path(held, "/reject"), {}))[0] == 403
    assert (await house.alice.request("PATCH", _path(held), {"visibility": "shown"}))[0] == 200
    shown = await house.mallory.video(event_id)
    assert shown
    assert (await house.mallory.fetch(shown["poster_url"]))[0] == 200
    status, error = await house.alice.request("POST", _path(held, "/reject"), {"reason": "too late"})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")


async def test_a_rejection_can_be_undone(house: House, service: Service, film: Film) -> None:
    await house.room.choose(hold="all")
    event_id = await house.room.show_video(house.user, film)
    held = await house.alice.video(event_id)
    assert held
    status, answer = await house.alice.request("POST", _path(held, "/reject"), {"reason": "too dark"})
    assert (status, answer["id"]) == (200, held["id"])
    await service.keep_deletions_open(held["id"])
    assert await house.bob.video(event_id) is None
    status, restored = await house.alice.request("POST", _path(held, "/restore"), None)
    assert (status, restored["visibility"]) == (200, "held")


async def test_what_is_blocked_is_gone_from_the_room(house: House) -> None:
    first, second = await house.bobs(house.alice)
    assert (await house.bob.request("POST", _path(first, "/block"), {"reason": ""}))[0] == 403
    assert await house.alice.request("POST", _path(first, "/block"), {"reason": "spam"}) == (200, {"count": 1})
    assert [video["id"] for video in await house.bobs(house.bob)] == [second["id"]]
    assert (await house.mallory.fetch(first["poster_url"]))[0] in {403, 404}


async def test_what_is_not_known_yet_cannot_be_blocked(house: House) -> None:
    event_id = await house.room.send_video(house.user)
    queued = await house.alice.video(event_id)
    assert queued
    status, error = await house.alice.request("POST", _path(queued, "/block"), {"reason": ""})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")
