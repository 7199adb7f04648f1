"""The folder of uploads: what has arrived of each."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from io import FileIO
from pathlib import Path

from appservice.core.errors import LockedError, NotFoundError, StorageFullError
from appservice.core.model import UploadId
from appservice.media.deleting import Deleting
from transcode import NO_SPACE

_PIECE = 1024 * 1024


class UploadFolder:
    """`{root}/{upload id}`: what has arrived of an upload. The size of the file is how far it is, after a crash too."""

    def __init__(self, root: Path, deleting: Deleting = nullcontext) -> None:
        self._root, self._deleting = root, deleting

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
        """Delete the bytes, if they are there. Raises HeldBackError during a backup: then a sweep does it later."""
        async with self._deleting():
            await asyncio.to_thread(self.path(upload_id).unlink, missing_ok=True)

    async def local(self, upload_id: UploadId, _folder: Path) -> Path:
        """Return where the bytes of an upload lie."""
        return self.path(upload_id)

    async def read(self, upload_id: UploadId, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` on. Raises NotFoundError."""
        try:
            file = await asyncio.to_thread(self.path(upload_id).open, "rb")
        except FileNotFoundError as error:
            raise NotFoundError("There is no such upload.") from error
        try:
            await asyncio.to_thread(file.seek, start)
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece
        finally:
            file.close()

    async def ids(self) -> set[UploadId]:
        """Return what there are bytes of."""
        return {UploadId(name) for name in await asyncio.to_thread(os.listdir, self._root)}

    @asynccontextmanager
    async def appending(self, upload_id: UploadId) -> AsyncIterator["FileAppender"]:
        """Hold the file to ourselves among all processes (flock(2)). Raises LockedError, or NotFoundError."""
        file = await asyncio.to_thread(self._locked, self.path(upload_id))
        try:
            yield FileAppender(file)
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


class FileAppender:
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
