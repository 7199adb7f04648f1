"""The media folder of videos: a folder for each, one below it for each stage, visible in one step; that of uploads."""

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

from appservice.core.errors import LockedError, NotFoundError, StorageFullError
from appservice.core.model import ExportId, UploadId, Video, VideoId
from appservice.media.hot import HotFile, HotFiles
from transcode import NO_SPACE
from transcode.hls.playlist import POSTER, PREVIEW, STORYBOARD
from transcode.process.collect import is_plain, plain_file

# Exactly these: while a stage is in progress, ffmpeg's unfinished files lie beside them.
_MEDIA_FILE = re.compile(
    rf"[0-9]{{1,5}}/(?:init\.mp4|[0-9]{{1,6}}\.m4s)|captions[0-7]\.vtt|"
    rf"{'|'.join(map(re.escape, (POSTER, STORYBOARD, PREVIEW)))}",
    re.ASCII,
)
_VIDEO = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_STAGE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)


def files_of(video: Video) -> Iterator[str]:
    """Name every file of the stage of a video that is not in progress."""
    for rendition in video.media.renditions:
        yield f"{rendition.name}/init.mp4"
        for index in range(len(rendition.durations)):
            yield f"{rendition.name}/{index}.m4s"
    there = {
        POSTER: video.media.has_poster,
        STORYBOARD: video.media.storyboard is not None,
        PREVIEW: video.media.has_preview,
    }
    yield from (name for name, exists in there.items() if exists)
    yield from (captions.name for captions in video.media.captions)


class LocalFiles:
    """`{root}/{video id}/{stage}/…`. Scratch must be on the same file system, so that publishing is a rename."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held = HotFiles()

    async def prepare(self) -> None:
        """Make the folder and prove that it can be written."""
        probe = self._root / ".write-test"
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(probe.write_bytes, b"")
        await asyncio.to_thread(probe.unlink)

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> Path:
        """Move a folder to where viewers find it, and return its new path."""
        target = self._root / video_id / stage
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        # A worker that died after its rename left the same stage: it was never announced.
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        return await asyncio.to_thread(folder.rename, target)

    async def share(self, video_id: VideoId, stage: str, names: Iterable[str], folder: Path) -> bool:
        """Link files of a stage into the new `folder`, which must be on our file system.

        False, and no folder, when one of them is gone or cannot be linked. Each link is as good as the file: deleting
        one leaves the other.
        """
        try:
            await asyncio.to_thread(self._link, {folder / name: self.path(video_id, stage, name) for name in names})
        except OSError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            return False
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
        """Delete a stage, if it is there."""
        await asyncio.to_thread(shutil.rmtree, self._root / video_id / stage, ignore_errors=True)

    async def sweep(self, video_id: VideoId, keep: Collection[str]) -> None:
        """Delete all stages of a video except those in `keep`; with none, everything."""
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

    async def ids(self) -> set[VideoId]:
        """Return the videos that there is a folder of."""
        names = await asyncio.to_thread(os.listdir, self._root)
        return {VideoId(name) for name in names if _VIDEO.fullmatch(name)}

    async def served(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return where a media file lies that may be served: a regular one, with no link on the way to it.

        Only we write there, and only what was looked through; should that fail, nothing else leaves. Raises
        NotFoundError, also for names that are none of ours.
        """
        path = self.path(video_id, stage, name)
        if not await asyncio.to_thread(is_plain, self._root, path.relative_to(self._root).parts):
            raise NotFoundError("There is no such file.")
        return path

    async def hot(self, video_id: VideoId, stage: str, name: str) -> HotFile:
        """Return a media file ready to be sent, as `served` finds it. Raises NotFoundError."""
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

    def path(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return where a media file lies. Raises NotFoundError for names that are none of ours."""
        if not _MEDIA_FILE.fullmatch(name) or not _STAGE.fullmatch(stage):
            raise NotFoundError("There is no such file.")
        return self._root / video_id / stage / name


class UploadFolder:
    """`{root}/{upload id}`: what has arrived of an upload. The size of the file is how far it is, after a crash too."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def prepare(self) -> None:
        """Make the folder."""
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)

    def path(self, upload_id: UploadId) -> Path:
        """Return where the bytes of an upload lie."""
        return self._root / upload_id

    async def create(self, upload_id: UploadId) -> None:
        """Make the empty file of a new upload. Raises StorageFullError."""
        try:
            await asyncio.to_thread(self.path(upload_id).touch, exist_ok=False)
        except OSError as error:
            if full := _full(error):
                raise full from error
            raise

    async def size(self, upload_id: UploadId) -> int:
        """Return how many bytes there are. Raises NotFoundError when the file is gone."""
        try:
            return (await asyncio.to_thread(self.path(upload_id).stat)).st_size
        except FileNotFoundError as error:
            raise NotFoundError("There is no such upload.") from error

    async def remove(self, upload_id: UploadId) -> None:
        """Delete the bytes, if they are there."""
        await asyncio.to_thread(self.path(upload_id).unlink, missing_ok=True)

    async def ids(self) -> set[UploadId]:
        """Return what there are bytes of."""
        return {UploadId(name) for name in await asyncio.to_thread(os.listdir, self._root)}

    @asynccontextmanager
    async def appending(self, upload_id: UploadId) -> AsyncIterator["Appender"]:
        """Hold the file to ourselves among all processes (flock(2)). Raises LockedError, or NotFoundError."""
        file = await asyncio.to_thread(self._locked, self.path(upload_id))
        try:
            yield Appender(file)
        finally:
            file.close()

    @staticmethod
    def _locked(path: Path) -> FileIO:
        try:
            # Not made anew: an upload that was taken back meanwhile stays so.
            file = FileIO(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), "a")
        except FileNotFoundError as error:
            raise NotFoundError("There is no such upload.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise LockedError("Another request is at this upload. Try again in a moment.") from error
        return file


class ExportFolder:
    """`{root}/{export id}.zip`: what members take with them. Scratch must be on the same file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def prepare(self) -> None:
        """Make the folder."""
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)

    def path(self, export_id: ExportId) -> Path:
        """Return where an export lies."""
        return self._root / f"{export_id}.zip"

    async def size(self, export_id: ExportId) -> int | None:
        """Return the bytes of an export; None where its file is not there (yet)."""
        try:
            return (await asyncio.to_thread(self.path(export_id).stat)).st_size
        except FileNotFoundError:
            return None

    async def publish(self, file: Path, export_id: ExportId) -> None:
        """Move a file to where it is served from."""
        await asyncio.to_thread(file.rename, self.path(export_id))

    async def remove(self, export_id: ExportId) -> None:
        """Delete an export, if it is there."""
        await asyncio.to_thread(self.path(export_id).unlink, missing_ok=True)

    async def ids(self) -> set[ExportId]:
        """Return what there are files of."""
        names = await asyncio.to_thread(os.listdir, self._root)
        return {ExportId(name.removesuffix(".zip")) for name in names if _VIDEO.fullmatch(name.removesuffix(".zip"))}


class Appender:
    """The end of an upload's file, held by one request."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    @property
    def offset(self) -> int:
        """How many bytes there are."""
        return os.fstat(self._file.fileno()).st_size

    async def append(self, piece: bytes) -> None:
        """Write a piece. Raises StorageFullError.

        Whoever is cancelled meanwhile waits for its end, so that the file can be closed.
        """
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, piece))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise

    def _write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            if full := _full(error):
                raise full from error
            raise


def _full(error: OSError) -> StorageFullError | None:
    """Return what a full disk is to whoever sends us something; None for other errors."""
    return StorageFullError("The server has no room for it at the moment.") if error.errno in NO_SPACE else None
