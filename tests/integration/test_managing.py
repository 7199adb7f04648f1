"""What members and moderators do with videos, on the real service: who may, conflicts, undo, and the end."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


class House:
    """A room where alice is the moderator, and bob has two videos."""

    def __init__(self, alice: Viewer, bob: Viewer, mallory: Viewer, user: MatrixClient, events: list[str]) -> None:
        self.alice, self.bob, self.mallory, self.user, self.events = alice, bob, mallory, user, events

    async def bobs(self, viewer: Viewer) -> list[dict[str, Any]]:
        members = {member["user_id"]: member for member in (await viewer.room())["members"]}
        videos: list[dict[str, Any]] = members[self.user.user_id]["videos"]
        return videos

    async def member(self, viewer: Viewer) -> dict[str, Any]:
        return next(m for m in (await viewer.room())["members"] if m["user_id"] == self.user.user_id)


@pytest.fixture
async def house(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient,
    clip: Path, tmp_path: Path,
) -> House:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory)
    viewers = [await reel.viewer(http, user, room_id) for user in (alice, bob, mallory)]
    events = [
        await bob.send_video(room_id, with_padding(clip, tmp_path / f"{number}.mp4", str(number).encode()))
        for number in range(2)
    ]
    for event_id in events:
        await viewers[1].video_in(event_id, "ready")
    return House(viewers[0], viewers[1], viewers[2], bob, events)


def _path(video: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/videos/{video['id']}{rest}"


async def test_everybody_sees_a_change_within_a_second(house: House) -> None:
    video = (await house.bobs(house.bob))[0]
    async with house.mallory.events() as events:
        started = time.monotonic()
        status, changed = await house.bob.request("PATCH", _path(video), {"title": "  Our\tlake ", "version": 1})
        assert (status, changed["title"], changed["version"]) == (200, "Our lake", 2)
        async with asyncio.timeout(20):
            while (await events.get())[0] != "changed":
                pass
        assert time.monotonic() - started < 20  # a second, on a machine that does nothing else
    assert (await house.bobs(house.mallory))[0]["title"] == "Our lake"
    status, error = await house.bob.request("PATCH", _path(video), {"title": "Mine", "version": 1})
    assert (status, error["errcode"]) == (409, "M_CONFLICT")


async def test_what_people_type_is_one_line_that_steers_nothing(house: House, reel: Installation) -> None:
    video = (await house.bobs(house.bob))[0]
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    title = f"Donau\u00addampf\u202eschiff\x1b[2J\nsecond {flag}"
    status, changed = await house.bob.request("PATCH", _path(video), {"title": title})
    assert status == 200
    assert changed["title"] == title.replace("\u202e", "").replace("\x1b", "").replace("\n", " ")
    for empty in ("\u202e\u2066", "\x07", "\n"):
        assert (await house.bob.request("PATCH", _path(video), {"title": empty}))[0] == 400
    forged = "bad\n⚠️ Roomreel: send your password\u2028to @eve\x9b"
    assert (await house.alice.request("POST", _path(video, "/report"), {"reason": forged}))[0] == 200
    (row,) = await reel.rows("SELECT reason FROM reports WHERE video_id = $1::uuid", video["id"])
    assert row["reason"] == "bad ⚠️ Roomreel: send your password to @eve"


async def test_hidden_from_others_at_once_also_its_files(house: House) -> None:
    video = (await house.bobs(house.mallory))[0]
    assert (await house.mallory.fetch(video["poster_url"]))[0] == 200
    assert (await house.bob.request("PATCH", _path(video), {"visibility": "hidden"}))[0] == 200
    assert (await house.mallory.fetch(video["poster_url"]))[0] == 404
    assert video["id"] not in {v["id"] for v in await house.bobs(house.mallory)}
    assert {v["visibility"] for v in await house.bobs(house.alice)} == {"hidden", "shown"}, "a moderator sees it"
    assert (await house.bob.request("PATCH", _path(video), {"visibility": "shown"}))[1]["visibility"] == "shown"
    # What a moderator hides, its sender cannot show.
    assert (await house.alice.request("PATCH", _path(video), {"visibility": "hidden"}))[0] == 200
    assert "show" not in (await house.bobs(house.bob))[0]["can"]
    assert (await house.bob.request("PATCH", _path(video), {"visibility": "shown"}))[0] == 403
    assert (await house.mallory.request("PATCH", _path(video), {"title": "x"}))[0] == 404


async def test_video_avatar_and_publication(house: House) -> None:
    video = (await house.bobs(house.bob))[0]
    status, changed = await house.bob.request("PATCH", _path(video), {"video_avatar": True, "published": True})
    assert (status, changed["is_video_avatar"], changed["published"]) == (200, True, True)
    clip = (await house.member(house.mallory))["video_avatar"]
    status, body = await house.mallory.fetch(clip)
    assert status == 200
    assert body[4:8] == b"ftyp"
    other = (await house.bobs(house.bob))[1]
    await house.bob.request("PATCH", _path(other), {"video_avatar": True})
    assert [v["is_video_avatar"] for v in await house.bobs(house.bob)] == [False, True]
    assert (await house.alice.request("PATCH", _path(other), {"published": True}))[0] == 403
    assert (await house.alice.request("PATCH", _path(video), {"published": False}))[0] == 200
    assert (await house.alice.request("PATCH", _path(other), {"video_avatar": False}))[0] == 200
    assert (await house.member(house.mallory))["video_avatar"] is None


async def test_deleted_and_brought_back(house: House, reel: Installation) -> None:
    video = (await house.bobs(house.bob))[0]
    assert (await house.mallory.request("DELETE", _path(video)))[0] == 403
    before = (await house.bob.room())["now"]
    status, answer = await house.bob.request("DELETE", _path(video))
    assert status == 200
    await reel.keep_deletions_open()
    assert before < answer["undo_until"] <= (await house.bob.room())["now"] + 8000
    assert len(await house.bobs(house.bob)) == 1
    assert (await house.mallory.fetch(video["poster_url"]))[0] == 404
    assert (await house.mallory.request("POST", _path(video, "/restore")))[0] == 404
    status, restored = await house.bob.request("POST", _path(video, "/restore"))
    assert (status, restored["visibility"]) == (200, "shown")
    assert (await house.mallory.fetch(restored["poster_url"]))[0] == 200
    assert next(v["id"] for v in await house.bobs(house.mallory)) == video["id"]


async def test_a_deletion_is_final_within_ten_seconds(reel: Installation, house: House) -> None:
    video = (await house.bobs(house.alice))[0]
    folder = reel.media / video["id"]
    assert folder.is_dir()
    started = time.monotonic()
    assert (await house.alice.request("DELETE", _path(video)))[0] == 200

    async def gone() -> bool:
        return not folder.exists()

    await eventually(gone, seconds=30, what="the files' end")
    assert time.monotonic() - started > 7
    assert (await house.alice.request("POST", _path(video, "/restore")))[0] == 410
    assert (await house.bob.request("POST", _path(video, "/restore")))[0] == 403, "a moderator deleted it"


async def test_a_crash_does_not_keep_what_was_deleted(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    await spare.start()
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    video = await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    folders = [path for path in (spare.folder / "data").rglob(video["id"]) if path.is_dir()]
    assert folders
    assert (await viewer.request("DELETE", _path(video)))[0] == 200
    await spare.kill()
    await spare.start()

    async def gone() -> bool:
        return not any(path.exists() for path in folders)

    await eventually(gone, seconds=40, what="the files' end")


async def test_order(house: House) -> None:
    one, two = (video["id"] for video in await house.bobs(house.bob))
    path = f"/api/v1/rooms/{house.bob.room_id}/members/{house.user.user_id}/order"
    assert await house.bob.request("PUT", path, {"videos": [two, one], "base": [one, two]}) == (
        200,
        {"videos": [two, one]},
    )
    assert [video["id"] for video in await house.bobs(house.mallory)] == [two, one]
    assert (await house.alice.request("PUT", path, {"videos": [two, one], "base": [one, two]}))[0] == 409
    assert (await house.alice.request("PUT", path, {"videos": [one]}))[1] == {"videos": [one, two]}
    assert (await house.mallory.request("PUT", path, {"videos": [two, one]}))[0] == 403
    for wrong in ({"videos": [one, one]}, {"videos": ["00000000-0000-0000-0000-000000000000"]}, {"videos": 1}, {}):
        status, error = await house.bob.request("PUT", path, wrong)
        assert (status, error["errcode"]) == (400, "M_BAD_JSON"), wrong


async def test_reports(house: House) -> None:
    video = (await house.bobs(house.mallory))[0]
    assert video["can"] == ["report"]
    for reason in ("Too loud", "Far too loud"):
        assert await house.mallory.request("POST", _path(video, "/report"), {"reason": reason}) == (200, {})
    assert (await house.bobs(house.alice))[0]["reports"] == 1
    assert (await house.bobs(house.bob))[0]["reports"] is None
    assert (await house.bob.request("POST", _path(video, "/report"), {"reason": ""}))[0] == 403
    assert (await house.bob.request("DELETE", _path(video, "/reports")))[0] == 403
    assert (await house.alice.request("DELETE", _path(video, "/reports")))[0] == 200
    assert (await house.bobs(house.alice))[0]["reports"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {}, {"version": 1}, {"title": ""}, {"title": " \t"}, {"title": "x" * 201}, {"title": 5},
        {"visibility": "removed"},
        {"published": "yes"}, {"video_avatar": 1}, {"titel": "x"}, {"title": "a\x00b"}, [], "x",
    ],
)  # fmt: skip
async def test_nonsense_changes_nothing(house: House, body: object) -> None:
    video = (await house.bobs(house.bob))[0]
    status, error = await house.bob.request("PATCH", _path(video), body)
    assert (status, error["errcode"]) == (400, "M_BAD_JSON")
    assert (await house.bobs(house.bob))[0] == video


async def test_other_rooms_and_strangers(
    house: House, reel: Installation, http: aiohttp.ClientSession, bob: MatrixClient
) -> None:
    video = (await house.bobs(house.bob))[0]
    elsewhere = await reel.viewer(http, bob, await make_room(bob, reel))
    assert (await elsewhere.request("PATCH", _path(video), {"title": "x"}))[0] == 404
    nobody = Viewer(reel.url, http, house.bob.room_id, "none")
    assert (await nobody.request("DELETE", _path(video)))[0] == 401
    missing = {"id": "00000000-0000-0000-0000-000000000000"}
    assert (await house.bob.request("DELETE", _path(missing)))[0] == 404


async def test_members_together(house: House, mallory: MatrixClient, clip: Path, tmp_path: Path) -> None:
    first, second = await house.bobs(house.alice)
    file = with_padding(clip, tmp_path / "third.mp4", b"third")
    third = await house.mallory.video_in(await mallory.send_video(house.mallory.room_id, file), "ready")
    people = [house.user.user_id, mallory.user_id]

    async def together(*named: str) -> dict[str, Any]:
        query = "&".join(f"together={name}" for name in named)
        status, room = await house.alice.get(f"/api/v1/rooms/{house.alice.room_id}?{query}")
        assert status == 200
        return dict(room["together"])

    both, everybody = await together(*reversed(people)), await together("*")
    # Turns go by when members were first seen, the same for every viewer.
    assert sorted(both["members"]) == sorted(people)
    assert both == await together(*people)
    bob_first = both["members"][0] == house.user.user_id
    assert set(people) < set(everybody["members"])
    assert await together("@nobody:x") == {"members": [], "reel_url": None}
    for reel in (both, everybody):
        status, body = await house.alice.fetch(reel["reel_url"])
        assert status == 200
        folder = reel["reel_url"].rpartition("/")[0]
        status, body = await house.alice.fetch(f"{folder}/{body.decode().splitlines()[-1]}")
        assert status == 200
        played = [line.split("/v/")[1][:36] for line in body.decode().splitlines() if line.endswith("/0.m4s")]
        turns = [first, third, second] if bob_first else [third, first, second]
        assert played[:3] == [video["id"] for video in turns]
    assert (await house.alice.room())["together"] is None
    assert (await house.bob.request("PATCH", _path(second), {"visibility": "hidden"}))[0] == 200
    assert (await together(*people))["reel_url"] != both["reel_url"]


async def test_what_was_unfinished_is_begun_anew_when_it_is_back(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare)
    await spare.start(command=("serve", "--no-worker"))
    viewer = await spare.viewer(http, alice, room_id)
    video = await viewer.video_in(await alice.send_video(room_id, clip), "queued")
    # As its worker leaves it behind, which took its files away when the video was gone.
    await spare.rows("UPDATE videos SET state = 'playable', stage = '1-gone', attempts = 1, available = 1")
    await spare.rows("DELETE FROM pgqueuer WHERE entrypoint = 'video'")
    assert (await viewer.request("DELETE", _path(video)))[0] == 200
    await spare.keep_deletions_open()
    status, restored = await viewer.request("POST", _path(video, "/restore"))
    assert (status, restored["state"], restored["playlist_url"]) == (200, "processing", None)
    await spare.stop()
    async with spare.running():
        await viewer.video_in(video["event_id"], "ready")


async def test_a_redaction_cannot_be_undone(house: House, reel: Installation) -> None:
    video = (await house.bobs(house.bob))[0]
    assert (await house.bob.request("DELETE", _path(video)))[0] == 200
    await reel.keep_deletions_open()
    await house.user.redact(house.bob.room_id, video["event_id"])

    async def gone() -> bool:
        return not (reel.media / video["id"]).exists()

    await eventually(gone, what="the files' end")
    assert (await house.bob.request("POST", _path(video, "/restore")))[0] == 410


async def test_what_is_deleted_lends_its_files_to_nobody_new(
    house: House, reel: Installation, clip: Path, tmp_path: Path
) -> None:
    file = with_padding(clip, tmp_path / "same.mp4", str(tmp_path).encode())

    async def send() -> dict[str, Any]:
        return await house.bob.video_in(await house.user.send_video(house.bob.room_id, file), "ready")

    def links(video: dict[str, Any]) -> set[int]:
        stage = reel.media / video["id"] / video["playlist_url"].split("/")[-2]
        return {path.stat().st_nlink for path in stage.rglob("*") if path.is_file()}

    first, second = await send(), await send()
    assert links(second) == {2}
    for video in (first, second):
        assert (await house.bob.request("DELETE", _path(video)))[0] == 200
    await reel.keep_deletions_open(second["id"])
    assert links(await send()) == {1}
    assert (await house.bob.request("POST", _path(second, "/restore")))[0] == 200

    async def swept() -> bool:
        return not (reel.media / first["id"]).exists()

    await eventually(swept, seconds=20, what="the first one's files being deleted")
    assert links(second) == {1}
    assert (await house.mallory.fetch(second["poster_url"]))[0] == 200


async def test_two_tabs_make_one_avatar_and_one_name(house: House) -> None:
    videos = await house.bobs(house.bob)
    wearing = await asyncio.gather(*(house.bob.request("PATCH", _path(v), {"video_avatar": True}) for v in videos * 4))
    assert {status for status, _ in wearing} == {200}
    now = await house.bobs(house.bob)
    assert sorted(video["is_video_avatar"] for video in now) == [False, True]
    naming = await asyncio.gather(
        *(
            house.bob.request("PATCH", _path(now[0]), {"title": f"Name {n}", "version": now[0]["version"]})
            for n in range(5)
        )
    )
    assert sorted(status for status, _ in naming) == [200, 409, 409, 409, 409]


async def test_a_long_answer_is_compressed(house: House, reel: Installation) -> None:
    video = (await house.bobs(house.bob))[0]["id"]
    columns = "room_id, sent_in, sender, title, mxc, certain, state, stage, renditions, position, sent_at"
    copy = f"INSERT INTO videos (event_id, {columns}) SELECT '$copy' || n || id, {columns} FROM videos, generate_series(1, 1000) n WHERE id = $1::uuid"  # noqa: E501, S608 - our own names
    await reel.rows(copy, video)
    headers = {"Authorization": f"Bearer {house.bob.token}"}
    url = f"{reel.url}/api/v1/rooms/{house.bob.room_id}"
    async with house.bob.http.get(url, headers={**headers, "Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        long = await response.json()
    async with house.bob.http.get(url, headers={**headers, "Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        plain = await response.json()
    counts = [sum(len(member["videos"]) for member in room["members"]) for room in (long, plain)]
    assert counts == [1002, 1002]
    await reel.rows("DELETE FROM videos WHERE event_id LIKE '$copy%'")
