"""The media folder of videos: a folder for each, one below it for each stage, visible in one step."""

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from appservice.core.errors import NotFoundError
from appservice.core.model import VideoId
from appservice.media.deleting import Deleting
from appservice.media.hot import HotFile, HotFiles
from appservice.media.links import link_same
from appservice.media.names import checked_path, finished_files, is_id, is_media_file, is_stage
from appservice.media.storage import StageName
from appservice.media.stored import Clear, StoredFile
from transcode.process.collect import is_plain, plain_file

# Neither a video's folder nor anything that a backup is restored beside.
_OWNER = ".installation"


class LocalFiles:
    """`{root}/{video id}/{stage}/…`. Scratch must be on the same file system, so that publishing is a rename."""

    def __init__(self, root: Path, deleting: Deleting = contextlib.nullcontext) -> None:
        self._root = root
        self._deleting = deleting
        self._held = HotFiles()

    async def prepare(self) -> None:
        """Make the folder and prove that it can be written."""
        probe = self._root / ".write-test"
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(probe.write_bytes, b"")
        await asyncio.to_thread(probe.unlink)

    async def owners(self) -> set[str | None]:
        """Return the name of the installation whose files these are; None where there is none."""
        try:
            return {await asyncio.to_thread((self._root / _OWNER).read_text)}
        except FileNotFoundError:
            return {None}

    async def claim(self, owner: str) -> None:
        """Put an installation's name beside the files, unless there is one."""
        await asyncio.to_thread(_name_owner, self._root / _OWNER, owner)

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> "MovedStage":
        """Move a folder to where viewers find it: what is written into it from now on, they find as well."""
        target = self._root / video_id / stage
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        # A worker that died after its rename left the same stage: it was never announced.
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        return MovedStage(await asyncio.to_thread(folder.rename, target))

    async def link_same(self, folder: Path, video_id: VideoId, stage: str) -> None:
        """Replace the files of a new folder that a stage has as well by links to those."""
        await asyncio.to_thread(link_same, folder, self._root / video_id / stage)

    async def copy(self, source: StageName, names: Iterable[str], target: StageName) -> bool:
        """Publish links to files of a stage. False, and no stage, when one of them is gone or cannot be linked.

        Each link is as good as the file: deleting one leaves the other.
        """
        # Not seen before all of it is there; what a crash leaves is swept with the video's stages.
        folder = self._root / target.video_id / f".{target.stage}"
        try:
            await asyncio.to_thread(self._link, {folder / name: self.path(*source, name) for name in names})
        except OSError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            return False
        await self.publish(folder, *target)
        return True

    @staticmethod
    def _link(links: dict[Path, Path]) -> None:
        for parent in {target.parent for target in links}:
            parent.mkdir(parents=True, exist_ok=True)
        for target, file in links.items():
            os.link(file, target)

    async def size(self, video_id: VideoId, stage: str) -> int:
        """Return what the files of a stage take, in bytes; it may still be in progress."""
        return await asyncio.to_thread(self._size, self._root / video_id / stage)

    @staticmethod
    def _size(folder: Path) -> int:
        size = 0
        for file in folder.rglob("*"):
            # ffmpeg renames files that it has finished.
            with contextlib.suppress(FileNotFoundError):
                size += file.stat().st_size if file.is_file() else 0
        return size

    async def remove(self, video_id: VideoId, stage: str) -> None:
        """Delete a stage, if it is there. Raises HeldBackError during a backup."""
        async with self._deleting():
            await asyncio.to_thread(shutil.rmtree, self._root / video_id / stage, ignore_errors=True)

    async def sweep(self, video_id: VideoId, keep: Collection[str]) -> None:
        """Delete all stages of a video except those in `keep`; with none, everything. Raises HeldBackError."""
        async with self._deleting():
            await asyncio.to_thread(self._sweep, self._root / video_id, keep)

    @staticmethod
    def _sweep(folder: Path, keep: Collection[str]) -> None:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for stage in folder.iterdir() if folder.is_dir() else ():
            if stage.name not in keep:
                shutil.rmtree(stage, ignore_errors=True)

    async def stages(self, video_id: VideoId) -> set[str]:
        """Return the stages of a video that there are, also those that were never announced."""
        with contextlib.suppress(FileNotFoundError):
            return set(await asyncio.to_thread(os.listdir, self._root / video_id))
        return set()

    async def names(self, video_id: VideoId, stage: str) -> set[str]:
        """Return the finished files of a stage."""
        if not is_stage(stage):
            return set()  # what a crash left of links to another one
        return await asyncio.to_thread(finished_files, self._root / video_id / stage)

    async def shards(self) -> list[str]:
        """Return the one part that a folder has."""
        return [""]

    def shards_of(self, _video_id: VideoId) -> list[str]:
        """Return the one part that a folder has."""
        return [""]

    async def ids(self, _shard: str) -> set[VideoId]:
        """Return the videos that there is a folder of."""
        names = await asyncio.to_thread(os.listdir, self._root)
        return {VideoId(name) for name in names if is_id(name)}

    async def local(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return where a media file lies that may be served: a regular one, with no link on the way to it.

        Only we write there, and only what was looked through; should that fail, nothing else leaves. Raises
        NotFoundError, also for names that are none of ours.
        """
        path = self.path(video_id, stage, name)
        if not await asyncio.to_thread(is_plain, self._root, path.relative_to(self._root).parts):
            raise NotFoundError("There is no such file.")
        return path

    async def rendition(self, video_id: VideoId, stage: str, name: str) -> Mapping[str, StoredFile]:
        """Return the finished files of a rendition by their names in its folder. Raises NotFoundError."""
        folder = self.path(video_id, stage, f"{name}/init.mp4").parent
        return await asyncio.to_thread(self._rendition, folder)

    @staticmethod
    def _rendition(folder: Path) -> dict[str, StoredFile]:
        files = dict[str, StoredFile]()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if is_media_file(f"{folder.name}/{entry.name}") and entry.is_file(follow_symlinks=False):
                        files[entry.name] = Clear(folder / entry.name, entry.stat(follow_symlinks=False).st_size)
        except OSError as error:
            raise NotFoundError("There is no such file.") from error
        return files

    async def hot(self, video_id: VideoId, stage: str, name: str) -> HotFile:
        """Return a media file ready to be sent, as `local` finds it. Raises NotFoundError."""
        if held := self._held.get(video_id, stage, name):
            return held
        file = await asyncio.to_thread(self._opened, self.path(video_id, stage, name))
        if file is None:
            raise NotFoundError("There is no such file.")
        self._held.put(video_id, stage, name, file)
        return file

    def held(self, video_id: VideoId, stage: str, name: str) -> HotFile | None:
        """Return a media file where that needs no look at the disk."""
        return self._held.get(video_id, stage, name)

    def _opened(self, path: Path) -> HotFile | None:
        descriptor = plain_file(self._root, path.relative_to(self._root).parts)
        return None if descriptor is None else HotFile(path, descriptor)

    async def address(self, _video_id: VideoId, _stage: str, _name: str, *, encrypted: bool) -> str | None:
        """Return None: it comes from us."""
        return None

    async def origins(self) -> tuple[str, ...]:
        """Return that viewers are sent nowhere else."""
        return ()

    def path(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return where a media file lies. Raises NotFoundError for names that are none of ours."""
        return self._root / checked_path(video_id, stage, name)


class MovedStage:
    """A stage whose folder is where it was moved to: its files are published as they are finished."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def extend(self) -> None:
        """Do nothing more."""


def _name_owner(path: Path, owner: str) -> None:
    """Write a small file as a whole, unless it is there (blocking)."""
    if not path.exists():
        part = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
        part.write_text(owner)
        part.replace(path)
