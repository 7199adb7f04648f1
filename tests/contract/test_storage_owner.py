"""Storage that belongs to another database: what that one needs is not swept."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from appservice.core.errors import StorageUnavailableError
from appservice.core.model import ExportId, RoomId, UserId, VideoId
from appservice.demo.synapse import free_port
from appservice.wiring.worker import build_worker
from tests.support.databases import CreateDatabase
from tests.support.object_storage import ObjectStorage
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, serving


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def _do_chores(service: Service, scratch: Path) -> None:
    for name in ("recovery", "sweep"):
        await _do_chore(service, scratch, name)


async def _do_chore(service: Service, scratch: Path, name: str) -> None:
    scratch.mkdir(exist_ok=True)
    worker = await build_worker(service.parts, scratch)
    (chore,) = [each for each in worker._chores if each.name == name]  # noqa: SLF001 - as the worker does it, in time
    await chore.act()


@pytest.mark.parametrize("kind", ["local", "s3"])
async def test_a_new_database_deletes_nothing_of_the_one_before(
    kind: str, s3: ObjectStorage, create_migrated: CreateDatabase, transcoded: TranscodedVideo, tmp_path: Path,
    stack: AsyncExitStack, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    section: dict[str, Any] = {} if kind == "local" else s3.section(secrets.token_hex(8))
    folder, scratch = tmp_path / "machine", tmp_path / "scratch"
    first = await create_migrated(f"owner_{secrets.token_hex(4)}")
    async with serving(folder, first, storage=section) as service:
        moderated = await ModeratedRoom.make(service, transcoded)
        ids = [VideoId(video["id"]) for video in await moderated.bobs(moderated.bob)]
        stores, storage = service.parts.stores, service.parts.storage
        export_id, digest = ExportId("00000000-0000-4000-8000-000000000001"), hashlib.sha256(b"x").digest()
        now = await stores.installation.now()
        assert await stores.exports.add(export_id, UserId(moderated.user), digest, [], now)
        (folder / "made.zip").write_bytes(b"zip")
        await storage.exports.publish(folder / "made.zip", export_id)
        upload = await stores.uploads.create(
            RoomId(moderated.room.room_id), UserId(moderated.user), filename="a.mp4", metadata="", length=9
        )
        await storage.uploads.create(upload.id)
        await _do_chores(service, scratch)

    # An operator names another database, or starts before the restore of this one.
    other = await create_migrated(f"owner_{secrets.token_hex(4)}")
    async with serving(folder, other, storage=section) as service:
        for _ in range(2):
            await _do_chores(service, scratch)
    assert "storage_of_another_installation" in capsys.readouterr().out

    async with serving(folder, first, storage=section) as service:
        await _do_chores(service, scratch)
        storage = service.parts.storage
        assert [bool(await storage.media.stages(video_id)) for video_id in ids] == [True] * len(ids)
        assert await storage.exports.ids() == {export_id}
        assert await storage.uploads.ids() == {upload.id}


async def test_what_has_expired_goes_while_storage_is_away(
    s3: ObjectStorage, create_migrated: CreateDatabase, tmp_path: Path
) -> None:
    section = s3.section(secrets.token_hex(8), endpoint=f"http://127.0.0.1:{free_port()}")
    database = await create_migrated(f"owner_{secrets.token_hex(4)}")
    async with serving(tmp_path / "machine", database, storage=section) as service:
        exports, now = service.parts.stores.exports, await service.parts.stores.installation.now()
        export_id = ExportId("00000000-0000-4000-8000-000000000001")
        assert await exports.add(export_id, UserId(service.user()), hashlib.sha256(b"x").digest(), [], now)
        await service.rows("UPDATE exports SET expires_at = now() - interval '1 second'")
        with pytest.raises(StorageUnavailableError):
            await _do_chore(service, tmp_path / "scratch", "recovery")
        assert await service.rows("SELECT FROM exports") == []
