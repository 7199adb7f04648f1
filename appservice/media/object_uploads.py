"""Uploads in object storage: `uploads/{upload id}/{offset}-{bytes}`, each part as long as all others but the last.

Any process goes on where another stopped. Whoever writes holds a lease in the database, which it renews before each
part: storage has no locks. A part that storage writes late, when its sender has given up and another one went on, is
beside what that one wrote, and never over it: of those with the same offset the longest counts, for a client sends the
same bytes at an offset each time.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from appservice.core.errors import LockedError, NotFoundError, StorageUnavailableError
from appservice.core.model import UploadId
from appservice.media.names import is_id
from appservice.media.objects import Found, Objects
from appservice.media.storage import Leases

ROOT = "uploads"
PART = 4 * 1024 * 1024
"""Bytes of a part, which are in memory for each request that sends some."""
PUT_S = 20.0
"""A part that takes longer is given up, while the lease still holds."""


class ObjectUploads:
    """What has arrived of uploads, as objects: its offset is the end of the last part, after a crash too."""

    def __init__(self, objects: Objects, leases: Leases) -> None:
        self._objects, self._leases = objects, leases

    async def prepare(self) -> None:
        """Do nothing: storage that does not respond is waited for where it is needed."""

    async def create(self, upload_id: UploadId) -> None:
        """Begin a new upload with a part of no bytes."""
        await self._objects.put(_part(upload_id, 0, 0), b"")

    async def size(self, upload_id: UploadId) -> int:
        """Return how many bytes there are. Raises NotFoundError when they are gone."""
        return _end(await self._parts(upload_id))

    async def remove(self, upload_id: UploadId) -> None:
        """Delete the bytes, if they are there."""
        await self._objects.delete_all(f"{ROOT}/{upload_id}")

    async def ids(self) -> set[UploadId]:
        """Return what there are bytes of."""
        names = {each.path.split("/")[1] async for page in self._objects.pages(ROOT) for each in page}
        return {UploadId(name) for name in names if is_id(name)}

    async def local(self, upload_id: UploadId, folder: Path) -> Path:
        """Put all parts together in `folder`. Raises NotFoundError."""
        target = folder / "upload"
        with await asyncio.to_thread(target.open, "wb") as file:
            for part in await self._parts(upload_id):
                await asyncio.to_thread(file.write, await self._get(part.path))
        return target

    async def read(self, upload_id: UploadId, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` on, a part at a time. Raises NotFoundError."""
        for part in await self._parts(upload_id):
            if _offset(part) + part.size > start:
                yield (await self._get(part.path))[max(0, start - _offset(part)) :]

    async def _get(self, path: str) -> bytes:
        try:
            return await self._objects.get(path)
        except FileNotFoundError as error:
            raise NotFoundError("There is no such upload.") from error

    async def _parts(self, upload_id: UploadId) -> list[Found]:
        """Return the parts in order. Raises NotFoundError where there is none."""
        found = [each async for page in self._objects.pages(f"{ROOT}/{upload_id}") for each in page]
        if not (parts := _in_turn(found)):
            raise NotFoundError("There is no such upload.")
        return parts

    @asynccontextmanager
    async def appending(self, upload_id: UploadId) -> AsyncIterator["PartAppender"]:
        """Hold the upload to ourselves among all processes. Raises LockedError, or NotFoundError."""
        holder = secrets.token_hex(8)
        await _hold(self._leases, upload_id, holder)
        try:
            # Only now: until then another one may have appended.
            last = (await self._parts(upload_id))[-1]
            begin = _offset(last)
            content = await self._get(last.path) if last.size < PART else b""
            appender = PartAppender(self._objects, self._leases, upload_id, holder)
            is_full = last.size >= PART
            appender.begin(begin + last.size if is_full else begin, content, "" if is_full else last.path)
            try:
                yield appender
            finally:
                # Also of a body that broke off: its client goes on from there.
                await appender.flush()
        finally:
            await self._leases.release(upload_id, holder)


class PartAppender:
    """The end of an upload, in memory until it is a part."""

    def __init__(self, objects: Objects, leases: Leases, upload_id: UploadId, holder: str) -> None:
        self._objects, self._leases = objects, leases
        self._upload_id, self._holder = upload_id, holder
        self._begin, self._content, self._stored, self._shorter = 0, bytearray(), 0, ""

    def begin(self, offset: int, content: bytes, path: str) -> None:
        """Go on in the part at an offset, of which there is some content at a path."""
        self._begin, self._content, self._stored = offset, bytearray(content), len(content)
        self._shorter = path

    @property
    def offset(self) -> int:
        """How many bytes there are."""
        return self._begin + len(self._content)

    async def append(self, piece: bytes) -> None:
        """Take a piece, and write each part that is full."""
        self._content += piece
        while len(self._content) >= PART:
            await self._put(bytes(self._content[:PART]))
            rest = self._content[PART:]
            self.begin(self._begin + PART, b"", "")
            self._content = rest

    async def flush(self) -> None:
        """Write what is not written: with what was there of the part, in one step."""
        if len(self._content) > self._stored:
            await self._put(bytes(self._content))
            self._stored = len(self._content)

    async def _put(self, part: bytes) -> None:
        """Write a part. Whoever is cancelled meanwhile waits for its end, so that nobody else writes beside."""
        await _hold(self._leases, self._upload_id, self._holder)
        path = _part(self._upload_id, self._begin, len(part))
        writing = asyncio.ensure_future(self._put_in_time(path, part))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise
        if self._shorter:
            # It harms nobody, and goes with the upload at last.
            with suppress(StorageUnavailableError):
                await self._objects.delete([self._shorter])
        self._shorter = path

    async def _put_in_time(self, path: str, part: bytes) -> None:
        try:
            async with asyncio.timeout(PUT_S):
                await self._objects.put(path, part)
        except TimeoutError as error:
            raise StorageUnavailableError("Storage took too long. Try again in a moment.") from error


async def _hold(leases: Leases, upload_id: UploadId, holder: str) -> None:
    if not await leases.take(upload_id, holder):
        raise LockedError("Another request is at this upload. Try again in a moment.")


def _part(upload_id: UploadId, offset: int, size: int) -> str:
    return f"{ROOT}/{upload_id}/{offset:015}-{size}"


def _offset(part: Found) -> int:
    return int(part.path.rpartition("/")[2].partition("-")[0])


def _in_turn(found: Iterable[Found]) -> list[Found]:
    """Return the parts that follow one another from the first byte on, the longest of each offset."""
    longest = {_offset(part): part for part in sorted(found, key=lambda part: part.size)}
    parts, end = list[Found](), 0
    while part := longest.pop(end, None):
        parts.append(part)
        end += part.size
    return parts


def _end(parts: list[Found]) -> int:
    return _offset(parts[-1]) + parts[-1].size
