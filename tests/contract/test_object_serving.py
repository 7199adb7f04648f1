"""Media, uploads and exports from object storage: proxied, redirected or by a CDN, by several web processes."""

import asyncio
import hashlib
import io
import secrets
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from appservice.core.errors import ConfigError
from appservice.core.model import ExportId, UploadId, UserId, VideoId
from appservice.demo.synapse import free_port
from appservice.operator_commands import move_storage
from appservice.worker.erasure import ErasingWork
from appservice.worker.lost_files import LostFiles
from tests.support.databases import CreateDatabase
from tests.support.late_storage import late_storage
from tests.support.object_storage import ObjectStorage
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, serving, transcode_video
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

KEY = {"key": "k" * 40}
CDN = "https://cdn.example.org/reel"


@dataclass
class Servings:
    """Starts web processes on one database and one storage."""

    stack: AsyncExitStack
    dsn: str
    section: dict[str, Any]
    folder: Path

    async def start(self, storage: Mapping[str, object] = MappingProxyType({}), **more: object) -> Service:
        folder = self.folder / uuid.uuid4().hex
        section = {**self.section, **storage}
        return await self.stack.enter_async_context(serving(folder, self.dsn, storage=section, **more))


@pytest.fixture
async def servings(s3: ObjectStorage, create_migrated: CreateDatabase, tmp_path: Path) -> AsyncIterator[Servings]:
    async with AsyncExitStack() as stack:
        name = f"objects_{secrets.token_hex(4)}"
        yield Servings(stack, await create_migrated(name), s3.section(secrets.token_hex(8)), tmp_path)


async def _paths(viewer: Viewer, video: dict[str, Any]) -> tuple[str, str]:
    """Return the paths of a video's init and first media segment."""
    status, body = await viewer.fetch(video["playlist_url"])
    assert status == 200
    folder = video["playlist_url"].rpartition("/")[0]
    variant = next(line for line in body.decode().splitlines() if line.endswith(".m3u8"))
    status, body = await viewer.fetch(f"{folder}/{variant}")
    segment = next(line for line in body.decode().splitlines() if line.endswith(".m4s"))
    return f"{folder}/{segment.rpartition('/')[0]}/init.mp4", f"{folder}/{segment}"


@dataclass
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def _get(service: Service, path: str, **headers: str) -> Response:
    async with service.http.get(service.url + path, headers=headers, allow_redirects=False) as response:
        return Response(response.status, response.headers, await response.read())


def _file(transcoded: TranscodedVideo, path: str) -> bytes:
    return (transcoded.folder / "/".join(path.split("/")[-2:])).read_bytes()


async def test_media_are_proxied_from_storage(servings: Servings, transcoded: TranscodedVideo) -> None:
    service = await servings.start()
    moderated = await ModeratedRoom.make(service, transcoded)
    video = (await moderated.bobs(moderated.bob))[0]
    for path in await _paths(moderated.bob, video):
        content = _file(transcoded, path)
        for _ in range(2):
            response = await _get(service, path)
            assert (response.status, response.body) == (200, content)
        response = await _get(service, path, Range="bytes=3-9")
        assert (response.status, response.body) == (206, content[3:10])
    for name in ("poster_url", "preview_url"):
        assert (await _get(service, video[name])).status == 200
    assert (await _get(service, video["poster_url"].replace("poster.jpg", "captions0.vtt"))).status == 404
    _, segment = await _paths(moderated.bob, video)
    await service.parts.files.sweep(VideoId(video["id"]), [])

    async def is_gone() -> bool:
        return (await _get(service, segment)).status == 404

    await eventually(is_gone, seconds=10, what="a deleted segment being dropped")


async def test_media_are_fetched_from_storage_by_who_may(servings: Servings, transcoded: TranscodedVideo) -> None:
    service = await servings.start(storage={"serve": "redirect"})
    moderated = await ModeratedRoom.make(service, transcoded)
    video = (await moderated.bobs(moderated.bob))[0]
    paths = [*await _paths(moderated.bob, video), video["poster_url"]]
    for path in paths:
        response = await _get(service, path)
        assert response.status == 302
        assert response.headers["Cache-Control"] == "private, no-store"
        address = response.headers["Location"]
        assert address.startswith(servings.section["endpoint"])
        assert int(parse_qs(urlsplit(address).query)["X-Amz-Expires"][0]) <= 60
        # As hls.js does in the widget's page.
        origin = {"Origin": service.url, "Range": "bytes=1-"}
        async with service.http.get(address, headers=origin) as fetched:
            assert fetched.status == 206
            assert fetched.headers["Access-Control-Allow-Origin"] in {"*", service.url}
            expected = "image/jpeg" if path.endswith("jpg") else "video/mp4" if "init" in path else "video/iso.segment"
            assert fetched.headers["Content-Type"] == expected
            if not path.endswith("jpg"):
                assert await fetched.read() == _file(transcoded, path)[1:]
    assert (await _get(service, video["playlist_url"])).status == 200
    await moderated.room.set_member(moderated.user, "leave")

    async def is_out() -> bool:
        return [(await _get(service, path)).status for path in paths] == [403] * len(paths)

    await eventually(is_out, seconds=10, what="who left being refused")


async def test_pages_may_fetch_from_where_media_are(servings: Servings) -> None:
    for more, origins in (({}, ""), ({"serve": "redirect"}, servings.section["endpoint"]), (
        {"serve": "cdn", "cdn_url": CDN}, "https://cdn.example.org",
    )):  # fmt: skip
        service = await servings.start(storage=more)
        policy = (await _get(service, "/widget/")).headers["Content-Security-Policy"]
        for directive in ("img-src", "media-src", "connect-src"):
            sources = next(each for each in policy.split("; ") if each.startswith(directive)).split()[1:]
            assert [each for each in sources if ":/" in each] == ([origins] if origins else [])
        others = (await _get(service, f"/u/{service.user()}")).headers["Content-Security-Policy"]
        assert "http" not in others


async def test_a_cdn_has_what_is_encrypted(
    servings: Servings, clip: Path, tmp_path: Path, tools: Tools, transcoded: TranscodedVideo
) -> None:
    service = await servings.start(storage={"serve": "cdn", "cdn_url": CDN}, encryption={**KEY, "all_rooms": True})
    encrypted = await transcode_video(clip, tmp_path / "encrypted", tools, secrets.token_bytes(16))
    for made, is_encrypted in ((encrypted, True), (transcoded, False)):
        moderated = await ModeratedRoom.make(service, made)
        video = (await moderated.bobs(moderated.bob))[0]
        for path in await _paths(moderated.bob, video):
            response = await _get(service, path)
            if is_encrypted:
                assert response.status == 302
                stage = "/".join(path.split("/")[-3:])
                address = f"{CDN}/videos/{video['id'][:3]}/{video['id']}/{stage}"
                assert response.headers["Location"] == address
            else:
                assert (response.status, response.body) == (200, _file(made, path))
        poster = await _get(service, video["poster_url"])
        assert poster.status == 200
        assert poster.body.startswith(b"\xff\xd8\xff"), "decrypted by us"


async def test_what_we_decrypt_is_not_redirected(servings: Servings, clip: Path, tmp_path: Path, tools: Tools) -> None:
    service = await servings.start(storage={"serve": "redirect"}, encryption={**KEY, "all_rooms": True})
    encrypted = await transcode_video(clip, tmp_path / "encrypted", tools, secrets.token_bytes(16))
    moderated = await ModeratedRoom.make(service, encrypted)
    video = (await moderated.bobs(moderated.bob))[0]
    poster = await _get(service, video["poster_url"])
    assert poster.status == 200
    assert poster.body.startswith(b"\xff\xd8\xff")
    assert {(await _get(service, path)).status for path in await _paths(moderated.bob, video)} == {302}


async def test_storage_that_is_away_is_no_404(servings: Servings, transcoded: TranscodedVideo) -> None:
    service = await servings.start()
    moderated = await ModeratedRoom.make(service, transcoded)
    video = (await moderated.bobs(moderated.bob))[0]
    _, segment = await _paths(moderated.bob, video)
    path = urlsplit(segment).path
    away = await servings.start(storage={"endpoint": f"http://127.0.0.1:{free_port()}"})
    response = await _get(away, path)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    # What could not begin is none of the few that a member may have at a time.
    for _ in range(5):
        assert (await _tus(away, moderated.bob, "POST", "/api/v1/uploads", Upload_Length="5"))[0] == 503
    assert (await _tus(service, moderated.bob, "POST", "/api/v1/uploads", Upload_Length="5"))[0] == 201
    # Viewers, who may be anybody, read nothing of where it is.
    bucket, prefix = servings.section["url"].removeprefix("s3://").split("/")
    text = response.body.decode()
    assert "does not respond" in text
    assert [each for each in (f"/{bucket}", prefix, "127.0.0.1", "localhost", "videos") if each in text] == []


@pytest.mark.parametrize("local", [False, True], ids=["azure", "local"])
async def test_rows_without_files_are_reported_and_files_without_rows_deleted(
    servings: Servings, azure: ObjectStorage, transcoded: TranscodedVideo, tmp_path: Path, *, local: bool
) -> None:
    # The S3 server of the tests names a folder for two minutes after its last object is gone.
    section: dict[str, Any] = {} if local else azure.section(secrets.token_hex(8))
    service = await servings.stack.enter_async_context(serving(tmp_path / "one", servings.dsn, storage=section))
    moderated = await ModeratedRoom.make(service, transcoded)
    kept, gone = [VideoId(video["id"]) for video in await moderated.bobs(moderated.bob)]
    stores, files = service.parts.stores, service.parts.files
    lost = LostFiles(stores.erasure, files)
    # From somewhere to the end, and then from the start.
    assert [await lost.look() for _ in range(2)] == [[], []]
    await files.sweep(gone, [])
    assert {video_id for _ in range(2) for video_id in await lost.look()} == {gone}

    stray = VideoId(str(uuid.uuid4()))
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "poster.jpg").write_bytes(b"x")
    await files.publish(tmp_path / "stray", stray, "1-ready")
    erasing = ErasingWork(stores.erasure, service.parts.homeserver, files, service.parts.texts, lost)
    await erasing.sweep()
    assert await files.stages(stray) == set()
    assert len(await files.stages(kept)) == 1


async def test_storage_is_moved_while_it_is_watched(
    servings: Servings, transcoded: TranscodedVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = servings.folder / "machine"
    async with serving(folder, servings.dsn) as before:
        moderated = await ModeratedRoom.make(before, transcoded)
        video = (await moderated.bobs(moderated.bob))[0]
        paths = await _paths(moderated.bob, video)
    section = {**servings.section, "also": {}, "serve": "redirect"}
    service = await servings.stack.enter_async_context(serving(folder, servings.dsn, storage=section))
    statuses = set[int]()

    async def watch() -> None:
        while 302 not in statuses:
            await asyncio.sleep(0.05)  # as seldom as a player, or its rate is limited
            for path in paths:
                async with service.http.get(service.url + path, allow_redirects=False) as response:
                    statuses.add(response.status)
                async with service.http.get(service.url + path) as response:
                    assert (response.status, await response.read()) == (200, _file(transcoded, path))

    watching = asyncio.create_task(watch())
    await eventually(lambda: _holds(200 in statuses), what="watching from the old place")
    text, all_moved = await move_storage(service.parts.config, print)
    assert all_moved
    assert "Moved 2 stages. Nothing is left" in text
    assert f"Moved {video['id']}/" in capsys.readouterr().out
    await watching
    assert statuses == {200, 302}
    assert not list((folder / "media").glob("*/*"))
    assert (await move_storage(service.parts.config, print))[0].startswith("Moved 0 stages. Nothing is left")


async def test_nothing_is_moved_onto_itself(servings: Servings, transcoded: TranscodedVideo) -> None:
    by_name = servings.section["endpoint"].replace("127.0.0.1", "localhost")
    service = await servings.start(storage={"also": {**servings.section, "endpoint": by_name}})
    moderated = await ModeratedRoom.make(service, transcoded)
    video = (await moderated.bobs(moderated.bob))[0]
    with pytest.raises(ConfigError, match="the same place"):
        await move_storage(service.parts.config, print)
    assert len(await service.parts.files.stages(VideoId(video["id"]))) == 1
    assert (await _get(service, video["poster_url"])).status == 200


async def _holds(condition: bool) -> bool:
    return condition


async def _tus(
    service: Service, viewer: Viewer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Mapping[str, str]]:
    sent = {"Authorization": f"Bearer {viewer.token}", "Tus-Resumable": "1.0.0"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with service.http.request(method, service.url + path, data=io.BytesIO(body), headers=sent) as response:
        return response.status, response.headers


async def test_an_upload_goes_on_at_another_web_process(servings: Servings) -> None:
    one, other = await servings.start(), await servings.start()
    user = one.user()
    room = await one.room(user)
    viewer = await one.viewer(user, room)
    content = secrets.token_bytes(5_000_000)
    status, headers = await _tus(one, viewer, "POST", "/api/v1/uploads", Upload_Length=str(len(content)))
    assert status == 201
    path = f"/api/v1/{headers['Location']}"
    octets = {"Content_Type": "application/offset+octet-stream"}
    for service, begin, end in ((one, 0, 4_500_000), (other, 4_500_000, 4_500_001), (one, 4_500_001, len(content))):
        status, headers = await _tus(service, viewer, "HEAD", path)
        assert (status, headers["Upload-Offset"]) == (200, str(begin))
        status, headers = await _tus(
            service, viewer, "PATCH", path, content[begin:end], Upload_Offset=str(begin), **octets
        )
        assert (status, headers["Upload-Offset"]) == (204, str(end))
    status, _ = await _tus(other, viewer, "PATCH", path, b"", Upload_Offset="7", **octets)
    assert status == 409
    upload_id = UploadId(path.rpartition("/")[2])
    scratch = servings.folder / "scratch"
    scratch.mkdir()
    assert (await other.parts.storage.uploads.local(upload_id, scratch)).read_bytes() == content
    async with other.http.post(
        f"{other.url}{path}/finish", json={}, headers={"Authorization": f"Bearer {viewer.token}"}
    ) as response:
        assert response.status == 202
    other_path = (await _tus(one, viewer, "POST", "/api/v1/uploads", Upload_Length="5"))[1]["Location"]
    assert (await _tus(other, viewer, "DELETE", f"/api/v1/{other_path}"))[0] == 204
    assert upload_id in await one.parts.storage.uploads.ids()
    assert other_path.rpartition("/")[2] not in await one.parts.storage.uploads.ids()


async def test_two_web_processes_do_not_write_at_once(servings: Servings) -> None:
    one, other = await servings.start(), await servings.start()
    user = one.user()
    viewer = await one.viewer(user, await one.room(user))
    path = "/api/v1/" + (await _tus(one, viewer, "POST", "/api/v1/uploads", Upload_Length="10"))[1]["Location"]
    octets = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"12345"
        begun.set()
        await gate.wait()

    headers = {"Authorization": f"Bearer {viewer.token}", "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
               "Content-Type": octets["Content_Type"]}  # fmt: skip
    sending = asyncio.create_task(one.http.patch(one.url + path, data=slow(), headers=headers))
    await begun.wait()

    async def is_locked() -> bool:
        return (await _tus(other, viewer, "PATCH", path, b"x", **octets))[0] == 423

    await eventually(is_locked, what="the lease being taken")
    gate.set()
    response = await sending
    assert (response.status, response.headers["Upload-Offset"]) == (204, "5")
    response.release()
    status, head = await _tus(other, viewer, "PATCH", path, b"67890", **(octets | {"Upload_Offset": "5"}))
    assert (status, head["Upload-Offset"]) == (204, "10")


async def test_what_was_transcoded_outlasts_storage_that_refuses(
    servings: Servings, transcoded: TranscodedVideo
) -> None:
    async with late_storage(servings.section["endpoint"]) as late:
        service = await servings.start(storage={"endpoint": late.url})
        user = service.user()
        room = await service.room(user)
        # As many as a client that tries each four times sends for eight files at a time.
        late.refuses = 40
        await room.show_video(user, transcoded)
        assert late.refuses == 0
        (video,) = await (await service.viewer(user, room)).videos()
        for path in await _paths(await service.viewer(user, room), video):
            assert (await _get(service, path)).body == _file(transcoded, path)


async def test_downloads_from_slow_storage_keep_nobody_from_other_files(servings: Servings, tmp_path: Path) -> None:
    async with late_storage(servings.section["endpoint"]) as late:
        service = await servings.start(storage={"endpoint": late.url})
        export_id, secret = ExportId(str(uuid.uuid4())), secrets.token_urlsafe(32)
        (tmp_path / "made.zip").write_bytes(bytes(3_000_000))
        digest, now = hashlib.sha256(secret.encode()).digest(), await service.parts.stores.installation.now()
        assert await service.parts.stores.exports.add(export_id, UserId(service.user()), digest, [], now)
        await service.parts.storage.exports.publish(tmp_path / "made.zip", export_id)
        late.keeps = "GET"
        # As many as the event loop has threads, and more.
        downloads = [asyncio.create_task(_get(service, f"/export/{secret}")) for _ in range(24)]
        await eventually(lambda: _holds(late.waiting >= 6), what="downloads that wait for storage")
        async with asyncio.timeout(10):
            assert (await _get(service, "/widget/assets/none.js")).status == 404
        assert set(await late.let_go()) == {206}
        assert {(await each).status for each in downloads} == {200}


async def test_an_export_comes_from_storage(servings: Servings, tmp_path: Path) -> None:
    one, other = await servings.start(), await servings.start()
    content, export_id, secret = secrets.token_bytes(3_000_000), ExportId(str(uuid.uuid4())), secrets.token_urlsafe(32)
    (tmp_path / "made.zip").write_bytes(content)
    digest, now = hashlib.sha256(secret.encode()).digest(), await one.parts.stores.installation.now()
    assert await one.parts.stores.exports.add(export_id, UserId(one.user()), digest, [], now)
    assert (await _get(other, f"/export/{secret}")).status == 404
    await one.parts.storage.exports.publish(tmp_path / "made.zip", export_id)
    response = await _get(other, f"/export/{secret}")
    assert (response.status, response.body) == (200, content)
    response = await _get(other, f"/export/{secret}", Range="bytes=2500000-2600000")
    assert (response.status, response.body) == (206, content[2_500_000:2_600_001])
