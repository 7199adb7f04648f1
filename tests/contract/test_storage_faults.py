"""What storage does at the wrong moment: late, half, or too much at once."""

import asyncio
import os
import time
import uuid
from pathlib import Path

import pytest

from appservice.core.errors import StorageUnavailableError
from appservice.core.model import UploadId, VideoId
from appservice.media import object_uploads
from appservice.media.object_opening import open_objects
from appservice.media.object_uploads import PART
from appservice.media.objects import Objects
from tests.contract.test_storage import Leases, _config, _opened
from tests.support.late_storage import late_storage
from tests.support.object_storage import ObjectStorage
from tests.support.waiting import eventually

UPLOAD = UploadId(str(uuid.UUID(int=9)))


async def test_a_part_that_is_written_late_is_over_nothing(
    s3: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_uploads, "PUT_S", 0.5)
    leases, prefix, content = Leases(), uuid.uuid4().hex, os.urandom(PART + 1_000_000)
    async with late_storage(s3.origin) as late:
        one = await _opened(_config(tmp_path, s3.section(prefix, endpoint=late.url)), tmp_path / "one", leases)
        other = await _opened(_config(tmp_path, s3.section(prefix)), tmp_path / "other", leases)
        await one.uploads.create(UPLOAD)
        late.keeps = "PUT"
        with pytest.raises(StorageUnavailableError):
            async with one.uploads.appending(UPLOAD) as end:
                await end.append(content[:300_000])
        assert late.kept.is_set()
        # Its client comes again, to another process, and is told that all is there.
        async with other.uploads.appending(UPLOAD) as end:
            assert end.offset == 0
            await end.append(content[: PART + 500_000])
        monkeypatch.undo()
        assert set(await late.let_go()) == {200}
    async with other.uploads.appending(UPLOAD) as end:
        assert end.offset == PART + 500_000
        await end.append(content[PART + 500_000 :])
    assert await other.uploads.size(UPLOAD) == len(content)
    (tmp_path / "scratch").mkdir()
    assert (await other.uploads.local(UPLOAD, tmp_path / "scratch")).read_bytes() == content


async def test_uploads_and_storage_that_hangs_hold_up_no_viewer_for_long(s3: ObjectStorage, tmp_path: Path) -> None:
    names = [f"240/{number}.m4s" for number in range(40)]
    async with late_storage(s3.origin) as late:
        config = _config(tmp_path, s3.section(uuid.uuid4().hex, endpoint=late.url))
        opened = open_objects(config.storage)
        objects = Objects(opened._store, opened._ranges, patience_s=2.0)  # noqa: SLF001 - less of it
        await objects.put("videos/there", b"x" * 100)
        # A ladder on its way, by a line that takes long.
        late.keeps = "PUT"
        (tmp_path / "file.m4s").write_bytes(b"x")
        sending = [asyncio.create_task(objects.put_file(f"videos/{name}", tmp_path / "file.m4s")) for name in names]
        await eventually(lambda: _holds(late.waiting > 0), what="uploads that wait for storage")
        async with asyncio.timeout(20):
            assert await objects.get_file("videos/there", tmp_path / "got", 1000) == 100
        await late.let_go()
        await asyncio.gather(*sending)
        # Whoever waits for others is not kept for longer than whoever waits for storage.
        late.keeps = "GET"
        began = time.monotonic()
        got = await asyncio.gather(
            *(objects.get_file("videos/there", tmp_path / f"{number}", 1000) for number in range(100)),
            return_exceptions=True,
        )
        assert {type(each) for each in got} == {StorageUnavailableError}
        assert time.monotonic() - began < 8.0
        await late.let_go()
        assert await objects.get_file("videos/there", tmp_path / "again", 1000) == 100


async def test_who_is_stopped_waits_for_no_storage_that_hangs(s3: ObjectStorage, tmp_path: Path) -> None:
    async with late_storage(s3.origin) as late:
        storage = await _opened(_config(tmp_path, s3.section(uuid.uuid4().hex, endpoint=late.url)), tmp_path / "cache")
        (tmp_path / "made" / "240").mkdir(parents=True)
        for number in range(20):
            (tmp_path / "made" / "240" / f"{number}.m4s").write_bytes(b"x")
        late.keeps = "PUT"
        publishing = asyncio.create_task(storage.media.publish(tmp_path / "made", VideoId(UPLOAD), "1-ready"))
        await eventually(lambda: _holds(late.waiting > 0), what="files being sent")
        publishing.cancel()
        async with asyncio.timeout(20):
            await asyncio.wait({publishing})
        assert publishing.cancelled()
        await late.let_go()


async def _holds(condition: bool) -> bool:
    return condition
