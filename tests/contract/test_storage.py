"""What every storage does, by a local folder and by real servers: videos, uploads, exports."""

import asyncio
import os
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.config import Config, StorageConfig
from appservice.core.errors import (
    BrokenOffError,
    ConfigError,
    LockedError,
    NotFoundError,
    StorageUnavailableError,
    UnavailableError,
)
from appservice.core.model import ExportId, UploadId, Video, VideoId
from appservice.demo.synapse import free_port
from appservice.media.files import LocalFiles
from appservice.media.moving import MovingFiles
from appservice.media.names import files_of
from appservice.media.object_opening import open_objects, probe_storage
from appservice.media.object_uploads import PART
from appservice.media.objects import Objects
from appservice.media.opening import open_storage
from appservice.media.storage import StageName, Storage
from appservice.media.stored import read_all
from tests.support.factories import make_video
from tests.support.object_storage import ObjectStorage, s3_server
from tests.support.service import settings_of
from tests.support.waiting import eventually
from transcode.storyboard import Storyboard

STAGE = "1-ready"


class Leases:
    """Those of one process."""

    def __init__(self) -> None:
        self.holders = dict[UploadId, str]()

    async def take(self, upload_id: UploadId, holder: str) -> bool:
        return self.holders.setdefault(upload_id, holder) == holder

    async def release(self, upload_id: UploadId, holder: str) -> None:
        if self.holders.get(upload_id) == holder:
            del self.holders[upload_id]


def _config(folder: Path, section: dict[str, Any]) -> Config:
    return Config.model_validate(settings_of(folder, "http://127.0.0.1:1", "embedded", storage=section))


@pytest.fixture(params=["local", "file", "s3", "azure", "google"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    kind = request.param
    if kind == "local":
        return _config(tmp_path, {})
    if kind == "file":
        return _config(tmp_path, {"url": f"file://{tmp_path}/shared"})
    server: ObjectStorage = request.getfixturevalue(kind)
    return _config(tmp_path, server.section(uuid.uuid4().hex))


@pytest.fixture
async def storage(config: Config, tmp_path: Path) -> Storage:
    return await _opened(config, tmp_path / "cache")


async def _opened(config: Config, cache: Path, leases: Leases | None = None) -> Storage:
    cache.mkdir()
    storage = open_storage(config, leases or Leases(), cache)
    await storage.prepare()
    return storage


def _video(number: int = 1) -> Video:
    return make_video(number, storyboard=Storyboard(1, 1, 160, 90, 1.0), has_preview=True)


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


async def _published(storage: Storage, folder: Path, video: Video, stage: str = STAGE) -> list[str]:
    names = list(files_of(video))
    await storage.media.publish(_made(folder, *names), video.id, stage)
    return names


async def _content(storage: Storage, video_id: VideoId, stage: str, name: str) -> str:
    return (await storage.media.local(video_id, stage, name)).read_text()


async def test_a_stage_is_read_as_it_was_published(storage: Storage, tmp_path: Path) -> None:
    video = _video()
    names = await _published(storage, _made(tmp_path / "made", "240/0.m4s.tmp"), video)
    for name in names:
        assert await _content(storage, video.id, STAGE, name) == name
        hot = await storage.media.hot(video.id, STAGE, name)
        assert hot.body == name.encode()
        assert storage.media.held(video.id, STAGE, name) is hot
    # Unfinished files stay where ffmpeg's folder was moved to; they are never uploaded.
    there = [*names, "240/0.m4s.tmp"] if isinstance(storage.media, LocalFiles) else names
    assert await storage.media.size(video.id, STAGE) == sum(map(len, there))
    rendition = await storage.media.rendition(video.id, STAGE, "480")
    read = {name: await asyncio.to_thread(read_all, file) for name, file in rendition.items()}
    assert read == {name.removeprefix("480/"): name.encode() for name in names if name.startswith("480/")}
    part = await asyncio.to_thread(lambda: b"".join(rendition["init.mp4"].read(range(2, 6))))
    assert part == b"0/in"
    for missing in ("480/77.m4s", "captions0.vtt"):
        with pytest.raises(NotFoundError):
            await storage.media.local(video.id, STAGE, missing)
    with pytest.raises(NotFoundError):
        await storage.media.rendition(video.id, STAGE, "144")


async def test_a_stage_in_progress_gets_more_files(storage: Storage, tmp_path: Path) -> None:
    video, folder = _video(), tmp_path / "made"
    in_progress = await storage.media.publish(_made(folder, "480/init.mp4", "480/0.m4s"), video.id, STAGE)
    where = folder if folder.exists() else tmp_path / "media" / video.id / STAGE
    with pytest.raises(NotFoundError):
        await storage.media.local(video.id, STAGE, "480/1.m4s")
    _made(where, "480/1.m4s", "poster.jpg", "480/2.m4s.tmp")
    await in_progress.extend()
    for name in ("480/init.mp4", "480/0.m4s", "480/1.m4s", "poster.jpg"):
        assert await _content(storage, video.id, STAGE, name) == name


async def test_copies_outlive_their_source(storage: Storage, tmp_path: Path) -> None:
    one, other = _video(1), _video(2)
    names = await _published(storage, tmp_path / "made", one)
    assert await storage.media.copy(StageName(one.id, STAGE), names, StageName(other.id, "2-ready"))
    await storage.media.sweep(one.id, keep=[])
    assert [await _content(storage, other.id, "2-ready", name) for name in names] == names
    third = StageName(_video(3).id, STAGE)
    assert not await storage.media.copy(StageName(other.id, "2-ready"), [*names, "captions0.vtt"], third)
    assert await storage.media.stages(third.video_id) == set()


async def test_stages_are_removed_and_swept(storage: Storage, tmp_path: Path) -> None:
    one, other = _video(1), _video(2)
    for stage in ("1-playable", "1-ready", "2-ready"):
        await _published(storage, tmp_path / stage, one, stage)
    await _published(storage, tmp_path / "other", other)
    assert await _all_ids(storage) == {one.id, other.id}
    assert await storage.media.stages(one.id) == {"1-playable", "1-ready", "2-ready"}
    await storage.media.remove(one.id, "1-playable")
    await storage.media.remove(one.id, "1-playable")
    assert await storage.media.stages(one.id) == {"1-ready", "2-ready"}
    await storage.media.sweep(one.id, keep=["2-ready"])
    assert await storage.media.stages(one.id) == {"2-ready"}
    with pytest.raises(NotFoundError):
        await storage.media.local(one.id, "1-ready", "poster.jpg")
    await storage.media.sweep(one.id, keep=[])
    await storage.media.sweep(one.id, keep=[])
    assert await _all_ids(storage) == {other.id}
    assert await _content(storage, other.id, STAGE, "poster.jpg") == "poster.jpg"


async def _all_ids(storage: Storage) -> set[VideoId]:
    ids = {video_id for shard in await storage.media.shards() for video_id in await storage.media.ids(shard)}
    return {video_id for video_id in ids if await storage.media.stages(video_id)}


@pytest.mark.parametrize(
    ("stage", "name"), [("..", "poster.jpg"), (STAGE, "../../x"), (STAGE, "index.m3u8"), ("A", "poster.jpg")]
)
async def test_other_names_lead_nowhere(storage: Storage, stage: str, name: str) -> None:
    with pytest.raises(NotFoundError):
        await storage.media.local(_video().id, stage, name)
    with pytest.raises(NotFoundError):
        await storage.media.hot(_video().id, stage, name)


async def test_a_stage_of_many_files_is_removed_whole(storage: Storage, tmp_path: Path) -> None:
    video, names = _video(), [f"480/{number}.m4s" for number in range(1205)]
    await storage.media.publish(_made(tmp_path / "made", *names), video.id, STAGE)
    assert await storage.media.size(video.id, STAGE) == sum(map(len, names))
    assert len(await storage.media.rendition(video.id, STAGE, "480")) == len(names)
    await storage.media.remove(video.id, STAGE)
    assert await storage.media.stages(video.id) == set()


UPLOAD = UploadId(str(uuid.UUID(int=9)))


async def test_an_upload_goes_on_in_another_process(config: Config, tmp_path: Path) -> None:
    leases = Leases()
    one, other = [await _opened(config, tmp_path / f"cache{number}", leases) for number in range(2)]
    content = os.urandom(2 * PART + 12_345)
    await one.uploads.create(UPLOAD)
    assert await other.uploads.size(UPLOAD) == 0
    position = 0
    for number, length in enumerate([0, 1, 100_000, PART, PART - 50_000, len(content)]):
        process = (one, other)[number % 2]
        async with process.uploads.appending(UPLOAD) as end:
            assert end.offset == position
            for start in range(position, min(position + length, len(content)), 70_000):
                await end.append(content[start : min(start + 70_000, position + length)])
            position = min(position + length, len(content))
            assert end.offset == position
        assert await one.uploads.size(UPLOAD) == await other.uploads.size(UPLOAD) == position
    assert await other.uploads.ids() == {UPLOAD}
    (tmp_path / "scratch").mkdir()
    assert (await other.uploads.local(UPLOAD, tmp_path / "scratch")).read_bytes() == content
    await one.uploads.remove(UPLOAD)
    await one.uploads.remove(UPLOAD)
    assert await other.uploads.ids() == set()
    for lost in (other.uploads.size(UPLOAD), other.uploads.local(UPLOAD, tmp_path)):
        with pytest.raises((NotFoundError, FileNotFoundError)):
            (await lost).read_bytes()  # type: ignore[union-attr]


async def test_one_request_at_a_time_is_at_an_upload(config: Config, tmp_path: Path) -> None:
    leases = Leases()
    one, other = [await _opened(config, tmp_path / f"cache{number}", leases) for number in range(2)]
    await one.uploads.create(UPLOAD)
    async with one.uploads.appending(UPLOAD) as end:
        await end.append(b"abc")
        with pytest.raises(LockedError):
            async with other.uploads.appending(UPLOAD):
                pass
    async with other.uploads.appending(UPLOAD) as end:
        assert end.offset == 3
    with pytest.raises(NotFoundError):
        async with one.uploads.appending(UploadId(str(uuid.UUID(int=10)))):
            pass


async def test_what_came_of_a_body_that_broke_off_is_there(storage: Storage) -> None:
    await storage.uploads.create(UPLOAD)

    async def broken() -> None:
        async with storage.uploads.appending(UPLOAD) as end:
            await end.append(b"abc")
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        await broken()
    assert await storage.uploads.size(UPLOAD) == 3


async def test_exports(storage: Storage, tmp_path: Path) -> None:
    export_id, content = ExportId(str(uuid.uuid4())), os.urandom(17 * 1024 * 1024)
    (tmp_path / "made.zip").write_bytes(content)
    assert await storage.exports.file(export_id) is None
    await storage.exports.publish(tmp_path / "made.zip", export_id)
    assert not (tmp_path / "made.zip").exists()
    assert await storage.exports.ids() == {export_id}
    file = await storage.exports.file(export_id)
    assert file
    assert file.size == len(content)
    part = range(5_000_000, 9_000_001)
    assert await asyncio.to_thread(lambda: b"".join(file.read(part))) == content[part.start : part.stop]
    await storage.exports.remove(export_id)
    await storage.exports.remove(export_id)
    assert await storage.exports.ids() == set()


@pytest.fixture(params=[("local", "s3"), ("s3", "local"), ("s3", "azure")], ids="-".join)
def ways(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Config, Config]:
    """Configurations of an old place, and of a new one to which it is moved."""
    sections = []
    for kind in request.param:
        server: ObjectStorage | None = request.getfixturevalue(kind) if kind != "local" else None
        sections.append(server.section(uuid.uuid4().hex) if server else {})
    old, new = sections
    return _config(tmp_path, old), _config(tmp_path, {**new, "also": old})


async def test_what_is_moved_is_read_all_the_time(ways: tuple[Config, Config], tmp_path: Path) -> None:
    before, during = ways
    leases = Leases()
    old = await _opened(before, tmp_path / "cache-before", leases)
    one, two, three = _video(1), _video(2), _video(3)
    names = await _published(old, tmp_path / "one", one)
    await _published(old, tmp_path / "first", one, "1-playable")
    await old.uploads.create(UPLOAD)
    export_id = ExportId(str(uuid.uuid4()))
    (tmp_path / "made.zip").write_bytes(b"zip")
    await old.exports.publish(tmp_path / "made.zip", export_id)

    storage = await _opened(during, tmp_path / "cache-during", leases)
    await _published(storage, tmp_path / "two", two)
    assert await storage.media.copy(StageName(one.id, STAGE), names, StageName(three.id, STAGE))
    assert await old.media.stages(two.id) | await old.media.stages(three.id) == set()

    async def is_whole() -> None:
        for video in (one, two, three):
            assert [await _content(storage, video.id, STAGE, name) for name in names] == names
            assert (await storage.media.hot(video.id, STAGE, "poster.jpg")).body == b"poster.jpg"
            assert await storage.media.size(video.id, STAGE) == sum(map(len, names))
            assert len(await storage.media.rendition(video.id, STAGE, "480")) == 4
            assert await storage.media.address(video.id, STAGE, "480/0.m4s", encrypted=False) is None
        assert await storage.media.stages(one.id) == {STAGE, "1-playable"}
        assert await _all_ids(storage) == {one.id, two.id, three.id}

    await is_whole()
    files = storage.media
    assert isinstance(files, MovingFiles)
    left = [stage async for stage in files.left()]
    assert left == [StageName(one.id, "1-playable"), StageName(one.id, STAGE)]
    for stage in left:
        assert await files.move(stage)
        await is_whole()
        assert stage.stage not in await old.media.stages(one.id)
    assert [stage async for stage in files.left()] == []

    async with storage.uploads.appending(UPLOAD) as end:
        await end.append(b"abc")
    assert await old.uploads.size(UPLOAD) == await storage.uploads.size(UPLOAD) == 3
    await storage.uploads.remove(UPLOAD)
    await storage.uploads.create(UPLOAD)
    assert await old.uploads.ids() == set()
    assert await storage.uploads.ids() == {UPLOAD}
    assert await storage.exports.file(export_id)
    await storage.exports.remove(export_id)
    assert await storage.exports.ids() == set()

    moved = await _opened(during.model_copy(update={"storage": _alone(during)}), tmp_path / "cache-after", leases)
    assert [await _content(moved, one.id, STAGE, name) for name in names] == names
    await storage.media.sweep(one.id, keep=())
    assert await storage.media.stages(one.id) == set()


def _alone(config: Config) -> StorageConfig:
    return config.storage.model_copy(update={"also": None})


async def test_what_is_deleted_while_it_is_moved_is_nowhere(ways: tuple[Config, Config], tmp_path: Path) -> None:
    before, during = ways
    old = await _opened(before, tmp_path / "cache-before")
    video = _video()
    await _published(old, tmp_path / "one", video)
    storage = await _opened(during, tmp_path / "cache-during")
    new = await _opened(during.model_copy(update={"storage": _alone(during)}), tmp_path / "cache-alone")
    files = storage.media
    assert isinstance(files, MovingFiles)
    moving = asyncio.create_task(files.move(StageName(video.id, STAGE)))

    async def has_begun() -> bool:
        return bool(await new.media.names(video.id, STAGE)) or moving.done()

    await eventually(has_begun, what="the first file being moved")
    await storage.media.sweep(video.id, keep=())
    await moving
    await storage.media.sweep(video.id, keep=())
    assert await storage.media.stages(video.id) == set()


async def test_what_is_deleted_while_it_is_copied_ends_no_move(ways: tuple[Config, Config], tmp_path: Path) -> None:
    before, during = ways
    old, video = await _opened(before, tmp_path / "cache-before"), _video()
    made = _made(tmp_path / "one", *(f"480/{number}.m4s" for number in range(300)))
    await old.media.publish(made, video.id, STAGE)
    storage = await _opened(during, tmp_path / "cache-during")
    files = storage.media
    assert isinstance(files, MovingFiles)
    moving = asyncio.create_task(files.move(StageName(video.id, STAGE)))
    while not any((tmp_path / "cache-during" / "moving").rglob("*.m4s")) and not moving.done():  # noqa: ASYNC110 - nobody says so
        await asyncio.sleep(0)
    await storage.media.sweep(video.id, keep=())
    assert not await moving
    assert await storage.media.stages(video.id) == set()


async def test_storage_is_probed(config: Config, storage: Storage) -> None:
    assert await probe_storage(config)
    assert await _all_ids(storage) == set()


async def test_what_viewers_may_not_read_is_said(s3: ObjectStorage, tmp_path: Path) -> None:
    async def to_cdn(request: web.Request) -> web.Response:
        objects = open_objects(config.storage)
        allowed = {"Access-Control-Allow-Origin": origin} if (origin := origins.get(request.headers["Origin"])) else {}
        return web.Response(body=await objects.get(request.path.removeprefix("/")), headers=allowed)

    app, origins = web.Application(), dict[str, str]()
    app.router.add_get("/{path:.*}", to_cdn)
    section = s3.section(uuid.uuid4().hex)
    assert await probe_storage(_config(tmp_path, {**section, "serve": "redirect"}))
    async with TestServer(app) as cdn:
        config = _config(tmp_path, {**section, "serve": "cdn", "cdn_url": str(cdn.make_url(""))})
        with pytest.raises(ConfigError, match="CORS"):
            await probe_storage(config)
        origins["http://127.0.0.1:1"] = "http://127.0.0.1:1"
        assert await probe_storage(config)
    with pytest.raises(ConfigError, match="does not respond to viewers"):
        await probe_storage(config)


async def test_storage_that_hangs_is_an_outage(tmp_path: Path) -> None:
    async with s3_server() as server:
        config = _config(tmp_path, server.section("hanging"))
        objects = open_objects(config.storage)
        await objects.put("there", b"x" * 100)
        hasty = Objects(objects._store, objects._ranges, 0.5)  # noqa: SLF001
        (tmp_path / "file").write_bytes(b"x")
        with server.suspended():
            for work in (
                hasty.get("there"), hasty.put("more", b""), hasty.size("there"), hasty.folders(""),
                hasty.delete_all("there"), hasty.copy("there", "here"),
                hasty.get_file("there", tmp_path / "got", 1000),
            ):  # fmt: skip
                with pytest.raises(StorageUnavailableError, match="in time"):
                    await work
        assert await hasty.get("there") == b"x" * 100


async def test_storage_that_does_not_respond_is_an_outage(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    options = {"access_key_id": "key", "secret_access_key": "very-secret"}
    config = _config(tmp_path, {"url": "s3://reel", "endpoint": endpoint, "allow_http": True, "options": options})
    storage = await _opened(config, tmp_path / "cache")
    async with AsyncExitStack() as stack:
        for work in (
            storage.media.local(_video().id, STAGE, "poster.jpg"), storage.media.stages(_video().id),
            storage.media.publish(_made(tmp_path / "made", "poster.jpg"), _video().id, STAGE),
            storage.uploads.create(UPLOAD), storage.uploads.size(UPLOAD),
            stack.enter_async_context(storage.uploads.appending(UPLOAD)),
        ):  # fmt: skip
            with pytest.raises(UnavailableError) as raised:
                await work
            assert "secret" not in str(raised.value)
