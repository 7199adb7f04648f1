"""Media behind deploy/nginx.conf, in a real nginx: it sends the segments itself, to those alone who may have them."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from multidict import CIMultiDictProxy

from appservice.demo.synapse import free_port
from tests.support.databases import CreateDatabase
from tests.support.nginx import ROOT, deployed, nginx
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, serving, transcode_video
from tests.support.waiting import eventually
from transcode import Tools


def _in_front_of(service: Service, folder: Path, media: Path | None = None) -> AbstractAsyncContextManager[str]:
    port, upstream = free_port(), urlsplit(service.url).port
    assert upstream
    return nginx(folder, port, deployed(port, upstream, media or service.media, folder))


@pytest.fixture
async def proxy(service: Service, tmp_path: Path) -> AsyncIterator[str]:
    """Its URL, in front of the service."""
    async with _in_front_of(service, tmp_path / "nginx") as url:
        yield url


async def _get(service: Service, url: str, method: str = "GET", **headers: str) -> "_Response":
    async with service.http.request(method, url, headers=headers) as response:
        return response.status, response.headers, await response.read()


_Response = tuple[int, CIMultiDictProxy[str], bytes]


def _folder(video: dict[str, Any]) -> str:
    return str(video["playlist_url"].rpartition("/")[0])


async def test_segments_come_from_nginx_and_all_else_from_us(
    moderated: ModeratedRoom, service: Service, proxy: str, transcoded: TranscodedVideo
) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    for name, kind in (("240/0.m4s", "video/iso.segment"), ("240/init.mp4", "video/mp4")):
        url, content = f"{proxy}{_folder(video)}/{name}", (transcoded.folder / name).read_bytes()
        for method in ("GET", "HEAD"):
            status, headers, body = await _get(service, url, method)
            assert (status, int(headers["Content-Length"])) == (200, len(content))
            assert body == (content if method == "GET" else b"")
            assert headers["Server"].startswith("nginx")
            assert headers["Content-Type"] == kind
            assert headers["Cache-Control"] == "private, max-age=3600, immutable"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
        status, ranged, body = await _get(service, url, Range="bytes=10-99")
        assert (status, body, ranged["Content-Range"]) == (206, content[10:100], f"bytes 10-99/{len(content)}")
        assert (await _get(service, url, **{"If-None-Match": headers["ETag"]}))[0] == 304
        assert (await _get(service, url, Range=f"bytes={len(content)}-"))[0] == 416
    for path in (video["playlist_url"], video["poster_url"], video["storyboard_url"], f"{_folder(video)}/240.m3u8"):
        through, direct = await _get(service, proxy + path), await _get(service, service.url + path)
        assert through[0] == direct[0] == 200
        assert through[2] == direct[2]
        assert through[1]["X-Content-Type-Options"] == "nosniff"


async def test_what_is_refused_is_answered_by_us(moderated: ModeratedRoom, service: Service, proxy: str) -> None:
    video = (await moderated.bobs(moderated.mallory))[0]
    folder = _folder(video)
    grant, video_id, stage = folder.split("/")[2], video["id"], folder.rpartition("/")[2]
    forged = folder.replace(grant, f"{grant.partition('.')[0]}.{'A' * 22}")
    other = folder.replace(video_id, "00000000-0000-0000-0000-000000000000")
    for path, status in (
        (f"{forged}/240/0.m4s", 403), (f"{other}/240/0.m4s", 404), (f"{folder}/240/999999.m4s", 404),
        (f"{folder}/999/0.m4s", 404), (f"{folder.replace(stage, '9-none')}/240/0.m4s", 404),
        (f"{folder}/240/..%2f..%2f0.m4s", 404), (f"{folder}/240/0.m4s.bak", 404),
    ):  # fmt: skip
        through, direct = await _get(service, proxy + path), await _get(service, service.url + path)
        assert (through[0], through[2]) == (direct[0], direct[2]), path
        assert through[0] == status, path
    # Nobody else reaches what authorizes, nor our answer's header.
    assert (await _get(service, f"{proxy}/_media_access"))[0] == 404


async def test_what_one_may_have_opens_nothing_to_another(
    moderated: ModeratedRoom, service: Service, proxy: str
) -> None:
    his, hers = [(await moderated.bobs(viewer))[0] for viewer in (moderated.bob, moderated.mallory)]
    assert (await moderated.bob.request("PATCH", f"/api/v1/videos/{his['id']}", {"visibility": "hidden"}))[0] == 200
    assert (await _get(service, f"{proxy}{_folder(his)}/240/0.m4s"))[0] == 200
    assert (await _get(service, f"{proxy}{_folder(hers)}/240/0.m4s"))[0] == 404
    grant, scope = _folder(hers).split("/")[2:4]
    mixed = _folder(his).split("/")
    for number, part in ((2, grant), (3, scope)):
        path = "/".join([*mixed[:number], part, *mixed[number + 1 :]])
        assert (await _get(service, f"{proxy}{path}/240/0.m4s"))[0] == 403


async def test_who_leaves_is_out_and_the_others_stay(moderated: ModeratedRoom, service: Service, proxy: str) -> None:
    his, hers = [
        f"{proxy}{_folder((await moderated.bobs(viewer))[0])}/240/0.m4s"
        for viewer in (moderated.bob, moderated.mallory)
    ]
    assert [(await _get(service, url))[0] for url in (his, hers)] == [200, 200]
    await moderated.room.set_member(moderated.others, "leave")
    until = asyncio.get_running_loop().time() + 10

    async def is_out() -> bool:
        return (await _get(service, hers))[0] == 403

    await eventually(is_out, seconds=30, what="who left being out")
    assert asyncio.get_running_loop().time() < until
    assert (await _get(service, his))[0] == 200


async def test_whether_a_viewer_may_have_a_video(moderated: ModeratedRoom, service: Service) -> None:
    video_id = (await moderated.bobs(moderated.mallory))[0]["id"]
    path = f"{_folder((await moderated.bobs(moderated.mallory))[0]).rpartition('/')[0]}/access"
    for connection in ("keep-alive", "close"):
        status, headers, body = await _get(service, service.url + path, Connection=connection)
        assert (status, headers["X-Accel-Expires"], body) == (204, "3", b"")
    nobody = path.replace(video_id, "00000000-0000-0000-0000-000000000000")
    grant = path.split("/")[2]
    for refused in (nobody, path.replace(grant, f"{grant.partition('.')[0]}.{'A' * 22}")):
        assert (await _get(service, service.url + refused))[0] == 403
    assert (await moderated.bob.request("PATCH", f"/api/v1/videos/{video_id}", {"visibility": "hidden"}))[0] == 200
    assert (await _get(service, service.url + path))[0] == 403


async def test_what_nginx_cannot_read_is_sent_by_us(
    moderated: ModeratedRoom, service: Service, transcoded: TranscodedVideo, tmp_path: Path
) -> None:
    path = f"{_folder((await moderated.bobs(moderated.bob))[0])}/240/0.m4s"
    async with _in_front_of(service, tmp_path / "nginx", media=tmp_path / "none") as proxy:
        status, headers, body = await _get(service, proxy + path)
    assert (status, body) == (200, (transcoded.folder / "240/0.m4s").read_bytes())
    assert headers["Cache-Control"] == "private, max-age=3600, immutable"


async def test_a_link_leads_nowhere(moderated: ModeratedRoom, service: Service, proxy: str, tmp_path: Path) -> None:
    folder = _folder((await moderated.bobs(moderated.bob))[0])
    video_id, stage = folder.split("/")[-2:]
    outside = tmp_path / "outside"
    await asyncio.to_thread(outside.mkdir)
    await asyncio.to_thread((outside / "0.m4s").write_bytes, b"of somebody else")
    stage_folder = service.media / video_id / stage
    await asyncio.to_thread((stage_folder / "240/77.m4s").symlink_to, outside / "0.m4s")
    await asyncio.to_thread((stage_folder / "241").symlink_to, outside)
    for name in ("240/77.m4s", "241/0.m4s"):
        assert (await _get(service, f"{proxy}{folder}/{name}"))[0] == 404, name


def test_the_cache_lies_in_a_folder_that_every_system_has() -> None:
    # nginx makes the last folder alone: where Debian's package has no /var/cache/nginx, it would not start.
    (path,) = re.findall(r"(?m)^proxy_cache_path (\S+) ", (ROOT / "deploy/nginx.conf").read_text())
    assert Path(path).parent == Path("/var/cache")


async def test_what_is_encrypted_on_disk(
    create_migrated: CreateDatabase, tmp_path: Path, clip: Path, tools: Tools
) -> None:
    dsn, encryption = await create_migrated("behind"), {"key": "a key of the contract tests, long enough"}
    video = await transcode_video(clip, tmp_path / "out", tools, os.urandom(16))
    async with serving(tmp_path / "reel", dsn, encryption={**encryption, "all_rooms": True}) as service:
        room = await ModeratedRoom.make(service, video)
        async with _in_front_of(service, tmp_path / "nginx") as proxy:
            folder = proxy + _folder((await room.bobs(room.bob))[0])
            for name in ("240/0.m4s", "240/init.mp4"):
                status, headers, body = await _get(service, f"{folder}/{name}")
                assert (status, body) == (200, (video.folder / name).read_bytes())
                assert headers["Server"].startswith("nginx")
                assert body[4:8] not in {b"ftyp", b"moof"}
            assert (await _get(service, f"{folder}/key"))[2] == video.key
            assert (await _get(service, f"{folder}/poster.jpg"))[2].startswith(b"\xff\xd8\xff")
            assert (await _get(service, f"{folder}/preview.mp4"))[2][4:8] == b"ftyp"
