"""Media that are requested often: the responses of the routes, for whoever may have them and no longer."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDictProxy

from appservice.core.model import VideoId
from appservice.media.hot import SMALL
from appservice.web.app import build_app
from appservice.web.connections import ConnectionBounds, ConnectionLimits, Deadlines
from tests.support.service import ModeratedRoom, Service
from tests.support.waiting import eventually

LARGE = 3_000_017  # more than any socket's buffer takes at once
ENDLESS = 64 * 1024 * 1024


async def _get(
    service: Service, path: str, method: str = "GET", **headers: str
) -> tuple[int, CIMultiDictProxy[str], bytes]:
    async with service.http.request(method, service.url + path, headers=headers) as response:
        return response.status, response.headers, await response.read()


def _parts(video: dict[str, Any]) -> tuple[str, str, str]:
    """Return the base of a viewer's media, a video's id and its stage."""
    base, _, rest = video["playlist_url"].partition("/v/")
    video_id, stage, _ = rest.split("/")
    return base, video_id, stage


async def _with_large(moderated: ModeratedRoom, service: Service) -> tuple[str, bytes]:
    """Add a large segment to bob's first video, and return its path below a base and its bytes."""
    _, video_id, stage = _parts((await moderated.bobs(moderated.bob))[0])
    content = os.urandom(LARGE)
    await asyncio.to_thread((service.media / video_id / stage / "240/9000.m4s").write_bytes, content)
    return f"/v/{video_id}/{stage}/240/9000.m4s", content


async def _paths(moderated: ModeratedRoom, service: Service) -> Sequence[str]:
    video, reel = (await moderated.bobs(moderated.bob))[0], (await moderated.member(moderated.bob))["reel_url"]
    base, video_id, stage = _parts(video)
    large, _ = await _with_large(moderated, service)
    folder = f"{base}/v/{video_id}/{stage}"
    return [
        video["playlist_url"], f"{folder}/240.m3u8", reel, f"{reel.rpartition('/')[0]}/240.m3u8", video["poster_url"],
        f"{folder}/240/init.mp4", f"{folder}/240/0.m4s", base + large,
    ]  # fmt: skip


async def test_each_is_answered_as_by_its_route(moderated: ModeratedRoom, service: Service) -> None:
    for path in await _paths(moderated, service):
        # Whoever closes the connection is answered by the route.
        status, expected, body = await _get(service, path, Connection="close")
        assert status == 200, path
        for method in ("GET", "GET", "HEAD"):
            status, headers, content = await _get(service, path, method)
            assert status == 200
            assert content == (b"" if method == "HEAD" else body), (method, path)
            # From memory it logs nothing that an id would lead to.
            without = {"Date", "Connection", "X-Request-ID"}
            assert {name: headers[name] for name in headers if name not in without} == {
                name: expected[name] for name in expected if name not in without
            }, path


async def test_validators_and_ranges_hold_for_what_is_held(moderated: ModeratedRoom, service: Service) -> None:
    base = _parts((await moderated.bobs(moderated.bob))[0])[0]
    large, content = await _with_large(moderated, service)
    _, headers, _ = await _get(service, base + large)
    assert (await _get(service, base + large, **{"If-None-Match": headers["ETag"]}))[0] == 304
    assert (await _get(service, base + large, **{"If-Modified-Since": headers["Last-Modified"]}))[0] == 304
    status, _, part = await _get(service, base + large, Range="bytes=70000-80000")
    assert (status, part) == (206, content[70000:80001])


@pytest.mark.parametrize("name", ["240/0.m4s", "240/9000.m4s", "240.m3u8"])
async def test_what_is_held_for_one_is_not_for_another(moderated: ModeratedRoom, service: Service, name: str) -> None:
    await _with_large(moderated, service)
    his, hers = (await moderated.bobs(moderated.bob))[0], (await moderated.bobs(moderated.mallory))[0]
    paths = {
        viewer: f"{video['playlist_url'].rpartition('/')[0]}/{name}"
        for viewer, video in (("bob", his), ("mallory", hers))
    }
    for _ in range(2):
        assert [(await _get(service, path))[0] for path in paths.values()] == [200, 200]
    assert (await moderated.bob.request("PATCH", f"/api/v1/videos/{his['id']}", {"visibility": "hidden"}))[0] == 200
    assert [(await _get(service, path))[0] for path in paths.values()] == [200, 404]
    # Of her grant nothing passes with another room's number, or another's signature.
    grant, scope = paths["mallory"].split("/")[2:4]
    assert (await _get(service, paths["bob"].replace(f"/{paths['bob'].split('/')[3]}/", f"/{scope}/")))[0] == 403
    assert (await _get(service, paths["bob"].replace(f"/{paths['bob'].split('/')[2]}/", f"/{grant}/")))[0] == 403
    await moderated.room.set_member(moderated.user, "leave")

    async def is_refused() -> bool:
        return (await _get(service, paths["bob"]))[0] == 403

    await eventually(is_refused, seconds=10, what="held media being refused")


async def test_a_deleted_file_is_held_no_longer(moderated: ModeratedRoom, service: Service) -> None:
    base, video_id, stage = _parts((await moderated.bobs(moderated.bob))[0])
    large, _ = await _with_large(moderated, service)
    names = {"240/0.m4s", "240/9000.m4s"}
    files = service.context.files
    for name in names:
        assert (await _get(service, f"{base}/v/{video_id}/{stage}/{name}"))[0] == 200
        assert files.held(VideoId(video_id), stage, name)
    assert _is_open(large)
    await files.sweep(VideoId(video_id), [])

    async def is_gone() -> bool:
        return not any(files.held(VideoId(video_id), stage, name) for name in names)

    await eventually(is_gone, seconds=10, what="deleted files being dropped")
    assert not _is_open(large), "its space is free"
    assert (await _get(service, f"{base}{large}"))[0] == 404


def _is_open(path: str) -> bool:
    """Return whether a descriptor of this process leads to a media file, deleted or not."""
    found = False
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found |= str(each.readlink()).removesuffix(" (deleted)").endswith(path.removeprefix("/v"))
    return found


async def test_a_slow_reader_gets_the_whole(moderated: ModeratedRoom, service: Service) -> None:
    base = _parts((await moderated.bobs(moderated.bob))[0])[0]
    large, content = await _with_large(moderated, service)
    host, _, port = service.url.removeprefix("http://").partition(":")
    for _ in range(2):
        reader, writer = await asyncio.open_connection(host, int(port), limit=SMALL)
        writer.write(f"GET {base}{large} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 2)
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(LARGE) == content
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("more", ["", "Range: bytes=0-\r\n"])
async def test_who_never_reads_holds_no_file(moderated: ModeratedRoom, service: Service, more: str) -> None:
    base, video_id, stage = _parts((await moderated.bobs(moderated.bob))[0])
    name = "240/9001.m4s"
    file = service.media / video_id / stage / name
    await asyncio.to_thread(file.write_bytes, bytes(ENDLESS))
    bounds = ConnectionBounds(ConnectionLimits(100, 100), deadlines=Deadlines(send=1.0))
    async with bounds.listening(build_app(service.context), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=SMALL)
        writer.write(f"GET {base}/v/{video_id}/{stage}/{name} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        assert b" 20" in await reader.readline()
        await asyncio.to_thread(file.unlink)

        async def is_free() -> bool:
            return not bounds.count and not _is_open(f"/v/{video_id}/{stage}/{name}")

        await eventually(is_free, seconds=20, what="the file of a connection that was closed being closed")
        writer.transport.abort()


async def test_they_count_against_the_membership(moderated: ModeratedRoom, service: Service) -> None:
    path = (await moderated.bobs(moderated.mallory))[0]["playlist_url"]
    statuses: Counter[int] = Counter()

    async def request(times: int) -> None:
        for _ in range(times):
            statuses[(await _get(service, path))[0]] += 1

    while not statuses[429] and statuses[200] < 20_000:
        await asyncio.gather(*(request(50) for _ in range(20)))
    assert statuses[200] >= 6000
    assert statuses[429]
    assert set(statuses) == {200, 429}
