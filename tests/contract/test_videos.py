"""What members and moderators do with videos: change, hide, avatar, order, conflicts, and who may."""

import asyncio
from typing import Any

import pytest

from tests.support.service import ModeratedRoom, Service, TranscodedVideo
from tests.support.viewer import Viewer


def _path(video: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/videos/{video['id']}{rest}"


async def test_everybody_is_notified_of_a_change_and_an_old_version_is_refused(moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    async with moderated.mallory.events() as events:
        status, changed = await moderated.bob.request("PATCH", _path(video), {"title": "  Our\tlake ", "version": 1})
        assert (status, changed["title"], changed["version"]) == (200, "Our lake", 2)
        async with asyncio.timeout(60):
            while (await events.get())[0] != "changed":
                pass
    assert (await moderated.bobs(moderated.mallory))[0]["title"] == "Our lake"
    status, error = await moderated.bob.request("PATCH", _path(video), {"title": "Mine", "version": 1})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")


async def test_what_people_type_is_one_line_that_steers_nothing(moderated: ModeratedRoom, service: Service) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    title = f"Donau\u00addampf\u202eschiff\x1b[2J\nsecond {flag}"
    status, changed = await moderated.bob.request("PATCH", _path(video), {"title": title})
    assert status == 200
    assert changed["title"] == title.replace("\u202e", "").replace("\x1b", "").replace("\n", " ")
    for empty in ("\u202e\u2066", "\x07", "\n"):
        assert (await moderated.bob.request("PATCH", _path(video), {"title": empty}))[0] == 400
    forged = "bad\n⚠️ Roomreel: send your password\u2028to @eve\x9b"
    assert (await moderated.alice.request("POST", _path(video, "/report"), {"reason": forged}))[0] == 200
    (row,) = await service.rows("SELECT reason FROM reports WHERE video_id = $1::uuid", video["id"])
    assert row["reason"] == "bad ⚠️ Roomreel: send your password to @eve"


async def test_hidden_from_others_at_once_also_its_files(moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.mallory))[0]
    assert (await moderated.mallory.fetch(video["poster_url"]))[0] == 200
    assert (await moderated.bob.request("PATCH", _path(video), {"visibility": "hidden"}))[0] == 200
    assert (await moderated.mallory.fetch(video["poster_url"]))[0] == 404
    assert video["id"] not in {v["id"] for v in await moderated.bobs(moderated.mallory)}
    assert {v["visibility"] for v in await moderated.bobs(moderated.alice)} == {"hidden", "shown"}, (
        "a moderator sees it"
    )
    assert (await moderated.bob.request("PATCH", _path(video), {"visibility": "shown"}))[1]["visibility"] == "shown"
    # What a moderator hides, its sender cannot show.
    assert (await moderated.alice.request("PATCH", _path(video), {"visibility": "hidden"}))[0] == 200
    assert "show" not in (await moderated.bobs(moderated.bob))[0]["can"]
    assert (await moderated.bob.request("PATCH", _path(video), {"visibility": "shown"}))[0] == 403
    assert (await moderated.mallory.request("PATCH", _path(video), {"title": "x"}))[0] == 404


async def test_video_avatar_and_publication(moderated: ModeratedRoom) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    status, changed = await moderated.bob.request("PATCH", _path(video), {"video_avatar": True, "published": True})
    assert (status, changed["is_video_avatar"], changed["published"]) == (200, True, True)
    clip = (await moderated.member(moderated.mallory))["video_avatar"]
    status, body = await moderated.mallory.fetch(clip)
    assert status == 200
    assert body[4:8] == b"ftyp"
    other = (await moderated.bobs(moderated.bob))[1]
    await moderated.bob.request("PATCH", _path(other), {"video_avatar": True})
    assert [v["is_video_avatar"] for v in await moderated.bobs(moderated.bob)] == [False, True]
    assert (await moderated.alice.request("PATCH", _path(other), {"published": True}))[0] == 403
    assert (await moderated.alice.request("PATCH", _path(video), {"published": False}))[0] == 200
    assert (await moderated.alice.request("PATCH", _path(other), {"video_avatar": False}))[0] == 200
    assert (await moderated.member(moderated.mallory))["video_avatar"] is None


async def test_deleted_and_restored(moderated: ModeratedRoom, service: Service) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    assert (await moderated.mallory.request("DELETE", _path(video)))[0] == 403
    before = (await moderated.bob.room())["now"]
    status, response = await moderated.bob.request("DELETE", _path(video))
    assert status == 200
    await service.keep_deletions_open(video["id"])
    assert before < response["undo_until"] <= (await moderated.bob.room())["now"] + 8000
    assert len(await moderated.bobs(moderated.bob)) == 1
    assert (await moderated.mallory.fetch(video["poster_url"]))[0] == 404
    assert (await moderated.mallory.request("POST", _path(video, "/restore")))[0] == 404
    status, restored = await moderated.bob.request("POST", _path(video, "/restore"))
    assert (status, restored["visibility"]) == (200, "shown")
    assert (await moderated.mallory.fetch(restored["poster_url"]))[0] == 200
    assert next(v["id"] for v in await moderated.bobs(moderated.mallory)) == video["id"]


async def test_what_can_be_restored_no_more(moderated: ModeratedRoom, service: Service) -> None:
    hers, redacted = await moderated.bobs(moderated.alice)
    assert (await moderated.alice.request("DELETE", _path(hers)))[0] == 200
    assert (await moderated.bob.request("DELETE", _path(redacted)))[0] == 200
    await service.keep_deletions_open(redacted["id"])
    await moderated.room.redact(redacted["event_id"])
    assert (await moderated.bob.request("POST", _path(redacted, "/restore")))[0] == 410, "a redaction is final"
    assert (await moderated.bob.request("POST", _path(hers, "/restore")))[0] == 403, "a moderator deleted it"
    await service.rows("UPDATE videos SET deleted_at = now() - interval '1 minute' WHERE id = $1::uuid", hers["id"])
    status, error = await moderated.alice.request("POST", _path(hers, "/restore"))
    assert (status, error["errcode"]) == (410, "M_GONE")


async def test_order(moderated: ModeratedRoom) -> None:
    one, two = (video["id"] for video in await moderated.bobs(moderated.bob))
    path = f"/api/v1/rooms/{moderated.bob.room_id}/members/{moderated.user}/order"
    assert await moderated.bob.request("PUT", path, {"videos": [two, one], "base": [one, two]}) == (
        200,
        {"videos": [two, one]},
    )
    assert [video["id"] for video in await moderated.bobs(moderated.mallory)] == [two, one]
    assert (await moderated.alice.request("PUT", path, {"videos": [two, one], "base": [one, two]}))[0] == 409
    assert (await moderated.alice.request("PUT", path, {"videos": [one]}))[1] == {"videos": [one, two]}
    assert (await moderated.mallory.request("PUT", path, {"videos": [two, one]}))[0] == 403
    for wrong in ({"videos": [one, one]}, {"videos": ["00000000-0000-0000-0000-000000000000"]}, {"videos": 1}, {}):
        status, error = await moderated.bob.request("PUT", path, wrong)
        assert (status, error["errcode"]) == (400, "M_BAD_JSON"), wrong
    elsewhere = path.replace(moderated.bob.room_id, "!another:example.org")
    assert (await moderated.bob.request("PUT", elsewhere, {"videos": [two, one]}))[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        {}, {"version": 1}, {"title": ""}, {"title": " \t"}, {"title": "x" * 201}, {"title": 5},
        {"visibility": "removed"},
        {"published": "yes"}, {"video_avatar": 1}, {"titel": "x"}, {"title": "a\x00b"}, [], "x",
    ],
)  # fmt: skip
async def test_nonsense_changes_nothing(moderated: ModeratedRoom, body: object) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    status, error = await moderated.bob.request("PATCH", _path(video), body)
    assert (status, error["errcode"]) == (400, "M_BAD_JSON")
    assert (await moderated.bobs(moderated.bob))[0] == video


async def test_other_rooms_and_strangers(moderated: ModeratedRoom, service: Service) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    elsewhere = await service.viewer(moderated.user, await service.room(moderated.user))
    assert (await elsewhere.request("PATCH", _path(video), {"title": "x"}))[0] == 404
    nobody = Viewer(service.url, service.http, moderated.bob.room_id, "none")
    assert (await nobody.request("DELETE", _path(video)))[0] == 401
    missing = {"id": "00000000-0000-0000-0000-000000000000"}
    assert (await moderated.bob.request("DELETE", _path(missing)))[0] == 404


async def test_members_together(moderated: ModeratedRoom, transcoded: TranscodedVideo) -> None:
    first, second = await moderated.bobs(moderated.alice)
    third = await moderated.mallory.video(await moderated.room.show_video(moderated.others, transcoded))
    people = [moderated.user, moderated.others]

    async def together(*named: str) -> dict[str, Any]:
        query = "&".join(f"together={name}" for name in named)
        status, room = await moderated.alice.get(f"/api/v1/rooms/{moderated.alice.room_id}?{query}")
        assert status == 200
        return dict(room["together"])

    both, everybody = await together(*reversed(people)), await together("*")
    # Turns go by when members were first seen, the same for every viewer.
    assert sorted(both["members"]) == sorted(people)
    assert both == await together(*people)
    bob_first = both["members"][0] == moderated.user
    assert set(people) < set(everybody["members"])
    assert await together("@nobody:x") == {"members": [], "reel_url": None}
    for reel in (both, everybody):
        status, body = await moderated.alice.fetch(reel["reel_url"])
        assert status == 200
        folder = reel["reel_url"].rpartition("/")[0]
        status, body = await moderated.alice.fetch(f"{folder}/{body.decode().splitlines()[-1]}")
        assert status == 200
        played = [line.split("/v/")[1][:36] for line in body.decode().splitlines() if line.endswith("/0.m4s")]
        turns = [first, third, second] if bob_first else [third, first, second]
        assert played[:3] == [video["id"] for video in turns if video]
    assert (await moderated.alice.room())["together"] is None
    assert (await moderated.bob.request("PATCH", _path(second), {"visibility": "hidden"}))[0] == 200
    assert (await together(*people))["reel_url"] != both["reel_url"]


async def test_two_tabs_make_one_avatar_and_one_name(moderated: ModeratedRoom) -> None:
    videos = await moderated.bobs(moderated.bob)
    wearing = await asyncio.gather(
        *(moderated.bob.request("PATCH", _path(v), {"video_avatar": True}) for v in videos * 4)
    )
    assert {status for status, _ in wearing} == {200}
    now = await moderated.bobs(moderated.bob)
    assert sorted(video["is_video_avatar"] for video in now) == [False, True]
    naming = await asyncio.gather(
        *(
            moderated.bob.request("PATCH", _path(now[0]), {"title": f"Name {n}", "version": now[0]["version"]})
            for n in range(5)
        )
    )
    assert sorted(status for status, _ in naming) == [200, 409, 409, 409, 409]


async def test_a_long_response_is_compressed(moderated: ModeratedRoom, service: Service) -> None:
    video = (await moderated.bobs(moderated.bob))[0]["id"]
    columns = "room_id, sent_in, sender, title, mxc, certain, state, stage, renditions, position, sent_at"
    copy = f"INSERT INTO videos (event_id, {columns}) SELECT '$copy' || n || id, {columns} FROM videos, generate_series(1, 1000) n WHERE id = $1::uuid"  # noqa: E501, S608 - our own names
    await service.rows(copy, video)
    headers = {"Authorization": f"Bearer {moderated.bob.token}"}
    url = f"{service.url}/api/v1/rooms/{moderated.bob.room_id}"
    async with service.http.get(url, headers={**headers, "Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        long = await response.json()
    async with service.http.get(url, headers={**headers, "Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        plain = await response.json()
    counts = [sum(len(member["videos"]) for member in room["members"]) for room in (long, plain)]
    assert counts == [50, 50]
    assert [sum(member["count"] for member in room["members"]) for room in (long, plain)] == [1002, 1002]
    await service.rows("DELETE FROM videos WHERE event_id LIKE '$copy%'")
