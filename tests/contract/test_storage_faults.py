"""What storage does at the wrong moment: late, half, or too much at once."""

import asyncio
import os
import uuid
from pathlib import Path

import pytest

from appservice.core.errors import StorageUnavailableError
from appservice.core.model import UploadId
from appservice.media import object_uploads
from appservice.media.object_uploads import PART, ObjectUploads
from appservice.media.storage import Storage
from tests.contract.test_storage import Leases, _config, _opened
from tests.support.late_storage import late_storage
from tests.support.object_storage import ObjectStorage

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
