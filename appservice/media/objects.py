"""Objects in S3, Google Cloud Storage, Azure or a shared folder, by obstore: bounded in memory and requests.

FileNotFoundError says that an object is not there. Everything else that storage refuses, or does not respond to, is an
outage: StorageUnavailableError.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from appservice.core.errors import StorageUnavailableError

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ObjectStore

PATIENCE_S = 30.0
"""For how long a response, or the next megabyte of it, is waited for."""
_MIB = 1024 * 1024
# Of one file at most two parts are in memory, and of all files at most so many: 128 MiB.
_PART, _PARTS_AT_ONCE, _FILES_AT_ONCE = 8 * _MIB, 2, 8
# Those that come here, for viewers wait for them: of each a megabyte or two is in memory.
_FETCHED_AT_ONCE = 16
_READ = 2 * _MIB
_PAGE = 1000
_TRIES = 3
_TYPES = {
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
    ".zip": "application/zip",
}
_CACHED = "max-age=3600, immutable"
# A query may be a signature.
_QUERY = re.compile(r"\?\S*")


class Found(NamedTuple):
    """An object: its path and its bytes."""

    path: str
    size: int


class Objects:
    """Objects by their paths in one bucket, below one prefix."""

    def __init__(self, store: "ObjectStore", ranges: "ObjectStore", patience_s: float = PATIENCE_S) -> None:
        """`ranges` is the same storage with a time-out of its own, for small reads that nobody can cancel."""
        self._store, self._ranges, self._patience_s = store, ranges, patience_s
        self._files, self._fetched = asyncio.Semaphore(_FILES_AT_ONCE), asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def put(self, path: str, content: bytes) -> None:
        """Write a small object, over one that is there."""
        async with self._request():
            await obstore.put_async(self._store, path, content, use_multipart=False)

    async def put_file(self, path: str, file: Path) -> None:
        """Write a file, in parts where it is large."""
        async with self._files:
            with _outages():
                await obstore.put_async(
                    self._store, path, file,
                    attributes=self._attributes(path), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE,
                )  # fmt: skip

    def _attributes(self, path: str) -> "Attributes | None":
        if isinstance(self._store, LocalStore):
            return None
        return {"Content-Type": _TYPES[PurePosixPath(path).suffix], "Cache-Control": _CACHED}

    async def get_file(self, path: str, target: Path, most: int) -> int:
        """Write an object to a new file, and return its bytes. Raises StorageUnavailableError for more than `most`."""
        # Storage that hangs is an outage for those as well who wait behind others.
        async with self._request():
            await self._fetched.acquire()
        try:
            async with self._request():
                response = await obstore.get_async(self._store, path)
            size = response.meta["size"]
            if size > most:
                raise StorageUnavailableError(f"There is no room here for an object of {size} bytes.")
            pieces = aiter(response.stream(min_chunk_size=_MIB))
            with await asyncio.to_thread(target.open, "wb") as file:
                while piece := await self._next(pieces):
                    await asyncio.to_thread(file.write, piece)
        finally:
            self._fetched.release()
        return size

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes:
        async with self._request():
            return await anext(pieces, b"")

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        """Wait for a response, or the next of it, for so long."""
        with _outages():
            async with asyncio.timeout(self._patience_s):
                yield

    async def get(self, path: str) -> bytes:
        """Return a small object."""
        async with self._request():
            return bytes(await (await obstore.get_async(self._store, path)).bytes_async())

    def read(self, path: str, part: range) -> Iterator[bytes]:
        """Read a part of an object, a piece at a time, each by a request of its own (blocking)."""
        for start in range(part.start, part.stop, _READ):
            with _outages():
                yield bytes(obstore.get_range(self._ranges, path, start=start, end=min(part.stop, start + _READ)))

    async def size(self, path: str) -> int:
        """Return the bytes of an object."""
        async with self._request():
            return (await obstore.head_async(self._store, path))["size"]

    async def copy(self, source: str, target: str) -> None:
        """Copy an object within storage."""
        async with self._files, self._request():
            await obstore.copy_async(self._store, source, target)

    async def folders(self, prefix: str) -> set[str]:
        """Return the names of the folders in one; some servers still name those whose objects are gone."""
        async with self._request():
            found = await obstore.list_with_delimiter_async(self._store, prefix)
        return {PurePosixPath(path).name for path in found["common_prefixes"]}

    async def is_there(self, prefix: str) -> bool:
        """Return whether there is any object below a folder."""
        async for _ in self.pages(prefix):
            return True
        return False

    async def pages(self, prefix: str) -> AsyncIterator[list[Found]]:
        """Yield all objects below a folder, in pages."""
        listing = obstore.list(self._store, prefix, chunk_size=_PAGE)
        while True:
            async with self._request():
                page = await anext(listing, None)
            if page is None:
                return
            yield [Found(each["path"], each["size"]) for each in page]

    async def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; those that are gone do no harm, but may leave others."""
        with contextlib.suppress(FileNotFoundError):
            async with self._request():
                await obstore.delete_async(self._store, paths)

    async def delete_all(self, prefix: str) -> None:
        """Delete every object below a folder."""
        for _ in range(_TRIES):
            found = False
            async for page in self.pages(prefix):
                found = True
                await self.delete([each.path for each in page])
            if not found:
                return

    async def sign(self, path: str, seconds: int) -> str:
        """Return an address by which anybody can fetch an object for some seconds."""
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            raise TypeError("the configuration allows it for these alone")
        async with self._request():
            return await obstore.sign_async(self._store, "GET", path, timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An object, read where it lies."""

    objects: Objects
    path: str
    size: int

    def read(self, part: range) -> Iterator[bytes]:
        """Read a part."""
        return self.objects.read(self.path, part)


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StorageUnavailableError(f"Storage: {_reason(error)}") from None
    except TimeoutError as error:
        raise StorageUnavailableError("Storage: no response in time.") from error


def _reason(error: Exception) -> str:
    """Return what storage says, without what may be a secret, and without what only its developers read."""
    return _QUERY.sub("?…", str(error).split("\n\nDebug source", 1)[0].replace("\n", " "))[:500]
