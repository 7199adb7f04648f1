"""Storage on its way from one place to another: written to the new one, read from either, moved stage by stage.

A stage is deleted in the old place once it is whole in the new one. So what there is in the old place is what is still
to be moved, whoever stopped when, and it is read there as long as it is there.
"""

import asyncio
import contextlib
import shutil
import tempfile
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from async_lru import alru_cache

from appservice.core.errors import NotFoundError
from appservice.core.model import ExportId, UploadId, VideoId
from appservice.media.hot import HotFile
from appservice.media.storage import (
    Appender,
    ExportFiles,
    MediaStore,
    StageInProgress,
    StageName,
    Storage,
    UploadFiles,
)
from appservice.media.stored import StoredFile
from transcode.hls.playlist import POSTER

_WHERE, _WHERE_S = 4096, 5.0
_OLD, _NEW = "old:", "new:"


class MovingFiles:
    """The files of videos in two places. `scratch` is a folder for what goes from one to the other."""

    def __init__(self, new: MediaStore, old: MediaStore, scratch: Path) -> None:
        self._new, self._old, self._scratch = new, old, scratch
        # What is new never becomes old; what is not old any more is looked for in the new place as well.
        self._is_old = alru_cache(maxsize=_WHERE, ttl=_WHERE_S)(self._look)

    async def _look(self, video_id: VideoId, stage: str) -> bool:
        return stage in await self._old.stages(video_id)

    async def prepare(self) -> None:
        """Get both ready."""
        await self._new.prepare()
        await self._old.prepare()

    async def owners(self) -> set[str | None]:
        """Return the names at either place."""
        return await self._new.owners() | await self._old.owners()

    async def claim(self, owner: str) -> None:
        """Put an installation's name at both places where there is none."""
        await self._new.claim(owner)
        await self._old.claim(owner)

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> StageInProgress:
        """Publish a stage in the new place."""
        return await self._new.publish(folder, video_id, stage)

    async def link_same(self, folder: Path, video_id: VideoId, stage: str) -> None:
        """Let the files of a new folder that a stage in the new place has as well take no room twice."""
        await self._new.link_same(folder, video_id, stage)

    async def copy(self, source: StageName, names: Iterable[str], target: StageName) -> bool:
        """Publish files of a stage as another one, in the new place. False where one of them is gone."""
        wanted = list(names)
        if not await self._is_old(*source):
            return await self._new.copy(source, wanted, target)
        try:
            await self._bring(source, wanted, target)
        except NotFoundError:
            return await self._new.copy(source, wanted, target)
        return True

    async def _bring(self, source: StageName, names: Collection[str], target: StageName) -> int:
        """Publish files of a stage in the old place as one in the new place, and return their bytes."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder, size = Path(name) / "stage", 0
            for each in names:
                path = await self._old.local(*source, each)
                size += await asyncio.to_thread(_take, path, folder / each)
            await self._new.publish(folder, *target)
        return size

    async def are_one(self) -> bool:
        """Return whether both places are the same by two names: what is moved would be deleted."""
        probe = StageName(VideoId(str(uuid.uuid4())), "probe")
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder = Path(name) / "stage"
            await asyncio.to_thread(_write_probe, folder / POSTER)
            await self._new.publish(folder, *probe)
        try:
            return probe.stage in await self._old.stages(probe.video_id)
        finally:
            await self._new.sweep(probe.video_id, keep=())

    async def move(self, source: StageName) -> bool:
        """Move a stage to the new place; False where it is gone, or was not whole there."""
        names = await self._old.names(*source)
        try:
            size = await self._bring(source, names, source) if names else 0
        except (FileNotFoundError, NotFoundError):
            is_whole = False
        else:
            is_whole = await self._new.names(*source) == names and await self._new.size(*source) == size
        if names and source.stage not in await self._old.stages(source.video_id):
            # It was deleted meanwhile, and is to be nowhere.
            await self._new.remove(*source)
            return False
        if is_whole:
            await self._old.remove(*source)
        return is_whole

    async def left(self) -> AsyncIterator[StageName]:
        """Yield the stages in the old place."""
        for shard in await self._old.shards():
            for video_id in sorted(await self._old.ids(shard)):
                for stage in sorted(await self._old.stages(video_id)):
                    yield StageName(video_id, stage)

    async def size(self, video_id: VideoId, stage: str) -> int:
        """Return what the files of a stage take, in bytes, where it is read."""
        size = await self._old.size(video_id, stage) if await self._is_old(video_id, stage) else 0
        return size or await self._new.size(video_id, stage)

    async def remove(self, video_id: VideoId, stage: str) -> None:
        """Delete a stage in both places."""
        await self._old.remove(video_id, stage)
        await self._new.remove(video_id, stage)

    async def sweep(self, video_id: VideoId, keep: Collection[str]) -> None:
        """Delete all stages of a video except those in `keep`, in both places."""
        await self._old.sweep(video_id, keep)
        await self._new.sweep(video_id, keep)

    async def stages(self, video_id: VideoId) -> set[str]:
        """Return the stages of a video in both places."""
        return await self._old.stages(video_id) | await self._new.stages(video_id)

    async def names(self, video_id: VideoId, stage: str) -> set[str]:
        """Return the finished files of a stage, in both places."""
        return await self._old.names(video_id, stage) | await self._new.names(video_id, stage)

    async def shards(self) -> list[str]:
        """Return the parts of both places."""
        old, new = await self._old.shards(), await self._new.shards()
        return [*(_OLD + each for each in old), *(_NEW + each for each in new)]

    def shards_of(self, video_id: VideoId) -> list[str]:
        """Return the parts of both places in which the files of a video may be."""
        old, new = self._old.shards_of(video_id), self._new.shards_of(video_id)
        return [*(_OLD + each for each in old), *(_NEW + each for each in new)]

    async def ids(self, shard: str) -> set[VideoId]:
        """Return the videos of a part of either place."""
        if shard.startswith(_OLD):
            return await self._old.ids(shard.removeprefix(_OLD))
        return await self._new.ids(shard.removeprefix(_NEW))

    async def local(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return a path at which a media file can be read for some minutes. Raises NotFoundError."""
        if await self._is_old(video_id, stage):
            with contextlib.suppress(NotFoundError):
                return await self._old.local(video_id, stage, name)
        return await self._new.local(video_id, stage, name)

    async def rendition(self, video_id: VideoId, stage: str, name: str) -> Mapping[str, StoredFile]:
        """Return the finished files of a rendition by their names in its folder. Raises NotFoundError."""
        if await self._is_old(video_id, stage):
            with contextlib.suppress(NotFoundError):
                return await self._old.rendition(video_id, stage, name)
        return await self._new.rendition(video_id, stage, name)

    async def hot(self, video_id: VideoId, stage: str, name: str) -> HotFile:
        """Return a media file ready to be sent. Raises NotFoundError."""
        if await self._is_old(video_id, stage):
            with contextlib.suppress(NotFoundError):
                return await self._old.hot(video_id, stage, name)
        return await self._new.hot(video_id, stage, name)

    def held(self, video_id: VideoId, stage: str, name: str) -> HotFile | None:
        """Return a media file where that needs no look at the disk."""
        return self._new.held(video_id, stage, name) or self._old.held(video_id, stage, name)

    async def address(self, video_id: VideoId, stage: str, name: str, *, encrypted: bool) -> str | None:
        """Return where a viewer gets a file without us; None: from us, as everything in the old place."""
        if await self._is_old(video_id, stage):
            return None
        return await self._new.address(video_id, stage, name, encrypted=encrypted)

    async def origins(self) -> tuple[str, ...]:
        """Return where such addresses lead, as a Content Security Policy has it."""
        return await self._new.origins()


class MovingUploads:
    """Uploads in two places: each ends where it began."""

    def __init__(self, new: UploadFiles, old: UploadFiles) -> None:
        self._new, self._old = new, old

    async def _of(self, upload_id: UploadId) -> UploadFiles:
        try:
            await self._old.size(upload_id)
        except NotFoundError:
            return self._new
        return self._old

    async def prepare(self) -> None:
        """Get both ready."""
        await self._new.prepare()
        await self._old.prepare()

    async def create(self, upload_id: UploadId) -> None:
        """Begin a new upload, in the new place."""
        await self._new.create(upload_id)

    async def size(self, upload_id: UploadId) -> int:
        """Return how many bytes there are. Raises NotFoundError when they are gone."""
        return await (await self._of(upload_id)).size(upload_id)

    async def remove(self, upload_id: UploadId) -> None:
        """Delete the bytes, if they are there."""
        await self._old.remove(upload_id)
        await self._new.remove(upload_id)

    async def ids(self) -> set[UploadId]:
        """Return what there are bytes of."""
        return await self._old.ids() | await self._new.ids()

    async def local(self, upload_id: UploadId, folder: Path) -> Path:
        """Return the bytes as one file, which may be made in `folder`. Raises NotFoundError."""
        return await (await self._of(upload_id)).local(upload_id, folder)

    async def read(self, upload_id: UploadId, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` on. Raises NotFoundError."""
        async with aclosing((await self._of(upload_id)).read(upload_id, start)) as pieces:
            async for piece in pieces:
                yield piece

    @asynccontextmanager
    async def appending(self, upload_id: UploadId) -> AsyncIterator[Appender]:
        """Hold the upload to ourselves among all processes. Raises LockedError, or NotFoundError."""
        async with (await self._of(upload_id)).appending(upload_id) as end:
            yield end


class MovingExports:
    """Exports in two places: those in the old one are gone in a few days."""

    def __init__(self, new: ExportFiles, old: ExportFiles) -> None:
        self._new, self._old = new, old

    async def prepare(self) -> None:
        """Get both ready."""
        await self._new.prepare()
        await self._old.prepare()

    async def publish(self, file: Path, export_id: ExportId) -> None:
        """Move a file to where it is served from."""
        await self._new.publish(file, export_id)

    async def file(self, export_id: ExportId) -> StoredFile | None:
        """Return an export; None where it is not there (yet)."""
        return await self._new.file(export_id) or await self._old.file(export_id)

    async def remove(self, export_id: ExportId) -> None:
        """Delete an export, if it is there."""
        await self._old.remove(export_id)
        await self._new.remove(export_id)

    async def ids(self) -> set[ExportId]:
        """Return what there are files of."""
        return await self._old.ids() | await self._new.ids()


def moving(new: Storage, old: Storage, scratch: Path) -> Storage:
    """Return storage that is on its way from an old place to a new one."""
    return Storage(
        MovingFiles(new.media, old.media, scratch),
        MovingUploads(new.uploads, old.uploads),
        MovingExports(new.exports, old.exports),
        max(new.sweep_s, old.sweep_s),
    )


def _write_probe(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"Roomreel looks by this whether two places are one.")


def _take(path: Path, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not a link: what is published may be moved, and a cache's file is not ours.
    shutil.copyfile(path, target)
    return target.stat().st_size
