"""The files of videos in object storage: `videos/{first digits}/{video id}/{stage}/…`."""

import asyncio
import os
from collections.abc import Collection, Coroutine, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from async_lru import alru_cache

from appservice.core.errors import NotFoundError
from appservice.core.model import VideoId
from appservice.media.cache import FileCache
from appservice.media.hot import HotFile, HotFiles
from appservice.media.names import checked_path, finished_files, is_id, is_media_file
from appservice.media.objects import Objects, RemoteFile
from appservice.media.storage import StageName
from appservice.media.stored import StoredFile

ROOT, OWNER = "videos", "installation"
ADDRESS_S = 30
"""For how long an address of a file works that was handed out."""
# Ids begin with random digits: so many parts that a list of one is short.
_DIGITS = 3
_LISTINGS, _LISTING_S = 32, 10.0
_AT_ONCE = 8
_ENDING_S = 5.0


class ObjectFiles:
    """The files of videos as objects; what is read here goes through a cache on disk."""

    def __init__(self, objects: Objects, cache: FileCache, *, redirects: bool = False, cdn: str | None = None) -> None:
        self._objects, self._cache = objects, cache
        self._redirects, self._cdn = redirects, cdn
        self._held = HotFiles()
        # Of one video its players request many ranges in turn.
        self._listed = alru_cache(maxsize=_LISTINGS, ttl=_LISTING_S)(self._list)

    async def prepare(self) -> None:
        """Do nothing: storage that does not respond is waited for where it is needed."""

    async def owners(self) -> set[str | None]:
        """Return the name of the installation whose files these are; None where there is none."""
        try:
            return {(await self._objects.get(OWNER)).decode(errors="replace")}
        except FileNotFoundError:
            return {None}

    async def claim(self, owner: str) -> None:
        """Put an installation's name beside the files. Of two that do so at once, the later one stays."""
        if await self.owners() == {None}:
            await self._objects.put(OWNER, owner.encode())

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> "UploadedStage":
        """Upload the finished files of a folder."""
        # A worker that died may have left the same stage: it was never announced.
        await self.remove(video_id, stage)
        uploaded = UploadedStage(self._objects, folder, _path(video_id, stage))
        await uploaded.extend()
        return uploaded

    async def link_same(self, _folder: Path, _video_id: VideoId, _stage: str) -> None:
        """Do nothing: objects have no links."""

    async def copy(self, source: StageName, names: Iterable[str], target: StageName) -> bool:
        """Publish copies of a stage's objects, which storage makes. False where one of them is gone."""
        copies = [(_path(*source, name), _path(*target, name)) for name in names]
        try:
            await _all(self._objects.copy(one, other) for one, other in copies)
        except FileNotFoundError:
            await self.remove(*target)
            return False
        return True

    async def size(self, video_id: VideoId, stage: str) -> int:
        """Return what the objects of a stage take, in bytes."""
        return sum([each.size async for page in self._objects.pages(_path(video_id, stage)) for each in page])

    async def remove(self, video_id: VideoId, stage: str) -> None:
        """Delete a stage, if it is there."""
        await self._objects.delete_all(_path(video_id, stage))
        await self._cache.drop(f"{video_id}/{stage}/")

    async def sweep(self, video_id: VideoId, keep: Collection[str]) -> None:
        """Delete all stages of a video except those in `keep`; with none, everything."""
        for stage in await self.stages(video_id):
            if stage not in keep:
                await self.remove(video_id, stage)

    async def stages(self, video_id: VideoId) -> set[str]:
        """Return the stages of a video that there are, also those that were never announced."""
        stages = await self._objects.folders(_path(video_id))
        return {stage for stage in stages if await self._objects.is_there(_path(video_id, stage))}

    async def names(self, video_id: VideoId, stage: str) -> set[str]:
        """Return the finished files of a stage."""
        folder = f"{_path(video_id, stage)}/"
        paths = {each.path async for page in self._objects.pages(folder) for each in page}
        return {name for path in paths if is_media_file(name := path.removeprefix(folder))}

    async def shards(self) -> list[str]:
        """Return the first digits of the videos that there are."""
        return sorted(await self._objects.folders(ROOT))

    def shards_of(self, video_id: VideoId) -> list[str]:
        """Return the first digits of a video."""
        return [video_id[:_DIGITS]]

    async def ids(self, shard: str) -> set[VideoId]:
        """Return the videos with some first digits that there are objects of, or were just now."""
        return {VideoId(name) for name in await self._objects.folders(f"{ROOT}/{shard}") if is_id(name)}

    async def local(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return a path at which a media file can be read for some minutes. Raises NotFoundError."""
        path = _path(video_id, stage, name)

        async def fetch(target: Path, most: int) -> int:
            return await self._objects.get_file(path, target, most)

        try:
            return await self._cache.get(checked_path(video_id, stage, name), fetch)
        except FileNotFoundError as error:
            raise NotFoundError("There is no such file.") from error

    async def rendition(self, video_id: VideoId, stage: str, name: str) -> Mapping[str, StoredFile]:
        """Return the finished files of a rendition by their names in its folder. Raises NotFoundError."""
        checked_path(video_id, stage, f"{name}/init.mp4")
        files = await self._listed(f"{_path(video_id, stage)}/{name}")
        if not files:
            raise NotFoundError("There is no such file.")
        return files

    async def _list(self, folder: str) -> dict[str, StoredFile]:
        return {
            each.path.rpartition("/")[2]: RemoteFile(self._objects, each.path, each.size)
            async for page in self._objects.pages(folder)
            for each in page
        }

    async def hot(self, video_id: VideoId, stage: str, name: str) -> HotFile:
        """Return a media file ready to be sent. Raises NotFoundError."""
        if held := self._held.get(video_id, stage, name):
            return held
        file = await asyncio.to_thread(_opened, await self.local(video_id, stage, name))
        self._held.put(video_id, stage, name, file)
        return file

    def held(self, video_id: VideoId, stage: str, name: str) -> HotFile | None:
        """Return a media file where that needs no look at the disk, and viewers are not sent to storage."""
        return None if self._redirects else self._held.get(video_id, stage, name)

    async def address(self, video_id: VideoId, stage: str, name: str, *, encrypted: bool) -> str | None:
        """Return where a viewer who has access gets a file without us; None: from us."""
        path = _path(video_id, stage, name)
        if self._cdn:
            # Whoever has an address of it has no use of it without the key.
            return f"{self._cdn}/{path}" if encrypted else None
        return await self._objects.sign(path, ADDRESS_S) if self._redirects else None

    async def origins(self) -> tuple[str, ...]:
        """Return where such addresses lead, as a Content Security Policy has it."""
        if not self._cdn and not self._redirects:
            return ()
        parts = urlsplit(self._cdn or await self._objects.sign(ROOT, ADDRESS_S))
        return (f"{parts.scheme}://{parts.netloc}",)


class UploadedStage:
    """A stage whose folder stays where it is, and its files are uploaded once they are finished."""

    def __init__(self, objects: Objects, folder: Path, path: str) -> None:
        self._objects, self._folder, self._path = objects, folder, path
        self._uploaded: set[str] = set()

    async def extend(self) -> None:
        """Upload the files that were finished since."""
        names = await asyncio.to_thread(finished_files, self._folder) - self._uploaded
        await _all(self._objects.put_file(f"{self._path}/{name}", self._folder / name) for name in names)
        self._uploaded |= names


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all of it, some at a time, up to the first error, which is raised.

    Also then, and for whoever is cancelled, what is under way ends before: a request goes on without who waits for it,
    and nothing should appear after what comes next has deleted it. But a process that is to stop waits for storage that
    hangs for some seconds alone: what appears later is a stage's that has no second attempt, and is swept.
    """
    waiting, ended = iter(work), False

    async def some() -> None:
        nonlocal ended
        try:
            while not ended and (each := next(waiting, None)):
                await each
        except BaseException:
            ended = True
            raise

    tasks = [asyncio.create_task(some()) for _ in range(_AT_ONCE)]
    try:
        await asyncio.shield(asyncio.wait(tasks))
    except asyncio.CancelledError:
        ended = True
        await asyncio.wait(tasks, timeout=_ENDING_S)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    for error in [task.exception() for task in tasks]:
        if error:
            raise error


def _opened(path: Path) -> HotFile:
    try:
        return HotFile(path, os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
    except FileNotFoundError as error:
        raise NotFoundError("There is no such file.") from error


def _path(video_id: VideoId, stage: str = "", name: str = "") -> str:
    """Return the path of a video, a stage or a file. Raises NotFoundError for a file's name that is none of ours."""
    if name:
        checked_path(video_id, stage, name)
    return "/".join(filter(None, (ROOT, video_id[:_DIGITS], video_id, stage, name)))
