"""Reports, and what moderators do: read and dismiss them, approve, reject, block."""

from typing import Any

from tests.support.service import ModeratedRoom, Service, TranscodedVideo


def _path(video: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/videos/{video['id']}{rest}"


async def test_reports_are_counted_for_moderators_alone(moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.mallory))[0]
    assert video["can"] == ["report"]
    for reason in ("Too loud", "Far too loud"):
        assert await moderated.mallory.request("POST", _path(video, "/report"), {"reason": reason}) == (200, {})
    assert (await moderated.bobs(moderated.alice))[0]["reports"] == 1
    assert (await moderated.bobs(moderated.bob))[0]["reports"] is None
    assert (await moderated.bob.request("POST", _path(video, "/report"), {"reason": ""}))[0] == 403
    assert await moderated.alice.get(_path(video, "/reports")) == (200, {"reasons": ["Far too loud"]})
    assert (await moderated.bob.get(_path(video, "/reports")))[0] == 403
    assert (await moderated.bob.request("DELETE", _path(video, "/reports")))[0] == 403
    assert await moderated.alice.request("DELETE", _path(video, "/reports")) == (200, {})
    assert (await moderated.bobs(moderated.alice))[0]["reports"] == 0


async def test_a_reason_of_the_wrong_form(moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.mallory))[0]
    bodies: list[object] = [{"reason": 5}, {"reason": "x" * 5000}, {"why": "x"}, {"reason": "a\x00b"}, []]
    for path in ("/report", "/reject", "/block"):
        for body in bodies:
            status, error = await moderated.alice.request("POST", _path(video, path), body)
            assert (status, error["errcode"]) in {(400, "M_BAD_JSON"), (413, "M_TOO_LARGE")}, (path, body)
    assert (await moderated.bobs(moderated.alice))[0]["reports"] == 0


async def test_what_waits_is_for_those_who_decide_until_it_is_approved(
    moderated: ModeratedRoom, transcoded: TranscodedVideo
) -> None:
    await moderated.room.choose(hold="all")
    event_id = await moderated.room.show_video(moderated.user, transcoded)
    assert await moderated.mallory.video(event_id) is None
    held = await moderated.alice.video(event_id)
    assert held
    assert (held["visibility"], held["waits_for"], held["held_for"]) == ("held", "moderator", "approval")
    assert {"show", "reject"} <= set(held["can"])
    assert (await moderated.alice.fetch(held["poster_url"]))[0] == 200
    assert (await moderated.bob.request("PATCH", _path(held), {"visibility": "shown"}))[0] == 403
    assert (await moderated.bob.request("POST", _path(held, "/reject"), {}))[0] == 403
    assert (await moderated.alice.request("PATCH", _path(held), {"visibility": "shown"}))[0] == 200
    shown = await moderated.mallory.video(event_id)
    assert shown
    assert (await moderated.mallory.fetch(shown["poster_url"]))[0] == 200
    status, error = await moderated.alice.request("POST", _path(held, "/reject"), {"reason": "too late"})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")


async def test_a_rejection_can_be_undone(
    moderated: ModeratedRoom, service: Service, transcoded: TranscodedVideo
) -> None:
    await moderated.room.choose(hold="all")
    event_id = await moderated.room.show_video(moderated.user, transcoded)
    held = await moderated.alice.video(event_id)
    assert held
    status, response = await moderated.alice.request("POST", _path(held, "/reject"), {"reason": "too dark"})
    assert (status, response["id"]) == (200, held["id"])
    await service.keep_deletions_open(held["id"])
    assert await moderated.bob.video(event_id) is None
    status, restored = await moderated.alice.request("POST", _path(held, "/restore"), None)
    assert (status, restored["visibility"]) == (200, "held")


async def test_what_is_blocked_is_gone_from_the_room(moderated: ModeratedRoom) -> None:
    first, second = await moderated.bobs(moderated.alice)
    assert (await moderated.bob.request("POST", _path(first, "/block"), {"reason": ""}))[0] == 403
    assert await moderated.alice.request("POST", _path(first, "/block"), {"reason": "spam"}) == (200, {"count": 1})
    assert [video["id"] for video in await moderated.bobs(moderated.bob)] == [second["id"]]
    assert (await moderated.mallory.fetch(first["poster_url"]))[0] in {403, 404}


async def test_what_is_not_known_yet_cannot_be_blocked(moderated: ModeratedRoom) -> None:
    event_id = await moderated.room.send_video(moderated.user)
    queued = await moderated.alice.video(event_id)
    assert queued
    status, error = await moderated.alice.request("POST", _path(queued, "/block"), {"reason": ""})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")
