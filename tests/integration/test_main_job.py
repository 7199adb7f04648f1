"""The main job with a client that is not ours: a video sent in a room is ready in the room's API, for members only."""

from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


async def _playlist_lines(viewer: Viewer, url: str) -> list[str]:
    status, body = await viewer.fetch(url)
    assert status == 200, (url, body)
    return [line for line in body.decode().splitlines() if line]


async def test_a_sent_video_reaches_members(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, bob, room_id)
    video = await viewer.video_in(event_id, "ready")
    assert video["duration"] is not None
    assert abs(video["duration"] - 2) < 0.1
    assert video["failure"] is None
    room = await viewer.room()
    member = room["members"][0]
    assert member["user_id"] == alice.user_id

    for url in (video["playlist_url"], member["reel_url"], room["channel"]):
        master = await _playlist_lines(viewer, url)
        variants = [line for line in master if not line.startswith("#")]
        media = await _playlist_lines(viewer, urljoin(url, variants[0]))
        segments = [line for line in media if not line.startswith("#")]
        assert segments
        status, body = await viewer.fetch(urljoin(urljoin(url, variants[0]), segments[0]))
        assert status == 200
        assert b"moof" in body[:2000]
    status, poster = await viewer.fetch(video["poster_url"])
    assert (status, poster[:2]) == (200, b"\xff\xd8")
    assert video["blurhash"]
    status, index = await viewer.fetch(video["storyboard_url"])
    assert (status, index[:6]) == (200, b"WEBVTT")
    sprite_sheets = {line.partition("#xywh=")[0] for line in index.decode().splitlines() if "#xywh=" in line}
    (sprite_sheet,) = {urljoin(video["storyboard_url"], name) for name in sprite_sheets}
    status, body = await viewer.fetch(sprite_sheet)
    assert (status, body[:2]) == (200, b"\xff\xd8")
    status, body = await viewer.fetch(video["preview_url"])
    assert (status, body[4:8]) == (200, b"ftyp")


async def test_strangers_and_forgeries_get_nothing(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, mallory: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "playable", "ready")

    status, response = await reel.open_session(http, await mallory.openid_token(), room_id)
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")
    stolen = {**await mallory.openid_token(), "user_id": alice.user_id, "sub": alice.user_id}
    status, response = await reel.open_session(http, stolen, room_id)
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")
    status, response = await reel.open_session(http, {**stolen, "access_token": "invented"}, room_id)
    assert (status, response["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    status, response = await reel.open_session(http, {**stolen, "matrix_server_name": "evil.example"}, room_id)
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")

    other_room = await make_room(mallory, reel)
    mallory_viewer = await reel.viewer(http, mallory, other_room)
    status, response = await mallory_viewer.get(f"/api/v1/rooms/{room_id}")
    assert (status, response["errcode"]) == (403, "M_FORBIDDEN")
    forged = Viewer(reel.url, http, room_id, viewer.token[:-2] + ("AA" if viewer.token[-2:] != "AA" else "BB"))
    assert (await forged.get(f"/api/v1/rooms/{room_id}"))[0] == 401

    parts = video["poster_url"].split("/")
    other_scope = (await mallory_viewer.room())["members"]
    assert other_scope
    swapped = [*parts[:3], "1.1", *parts[4:]] if parts[3] != "1.1" else [*parts[:3], "2.2", *parts[4:]]
    assert (await viewer.fetch("/".join(swapped)))[0] == 403


async def test_leaving_revokes_within_ten_seconds(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, bob, room_id)
    video = await viewer.video_in(event_id, "ready")
    assert (await viewer.fetch(video["poster_url"]))[0] == 200
    await alice.kick(room_id, bob.user_id)

    async def shut_out() -> bool:
        return (await viewer.fetch(video["poster_url"]))[0] == 403

    await eventually(shut_out, seconds=10, what="the grant's end")
    assert (await viewer.get(f"/api/v1/rooms/{room_id}"))[0] == 403
