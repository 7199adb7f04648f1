"""A folder of what was fetched from object storage lately: bounded in bytes and age, each file fetched once."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from appservice.core.errors import StorageUnavailableError

_AGE_S = 600.0
"""What was deleted in storage is nobody's to keep."""
_LOOK_S = 60.0


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int
    fetched_at: float


class FileCache:
    """Files by their names in storage, in a folder that is this process's own."""

    def __init__(self, folder: Path, most: int, age_s: float = _AGE_S) -> None:
        self._folder, self._most, self._age_s = folder, most, age_s
        # The one that was requested last comes last.
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[Path]] = {}
        self._bytes = 0
        self._looking = False
        self._number = 0

    async def get(self, name: str, fetch: Callable[[Path, int], Awaitable[int]]) -> Path:
        """Return the path of a file, after `fetch` has written it where it is not there.

        `fetch` gets a path and the most bytes that there may be, and returns the bytes that there are.
        """
        entry = self._entries.get(name)
        if entry is not None and time.monotonic() - entry.fetched_at < self._age_s:
            self._entries.move_to_end(name)
            return entry.path
        task = self._fetching.get(name)
        if task is None:
            task = self._fetching[name] = asyncio.create_task(self._fetch(name, fetch))
            task.add_done_callback(lambda done: self._fetched(name, done))
        # Whoever goes away leaves it to the others, and to the next one.
        return await asyncio.shield(task)

    def _fetched(self, name: str, done: "asyncio.Task[Path]") -> None:
        del self._fetching[name]
        if not done.cancelled():
            done.exception()

    async def _fetch(self, name: str, fetch: Callable[[Path, int], Awaitable[int]]) -> Path:
        self._number += 1
        path = self._folder / f"{self._number}-{name.replace('/', '-')}"
        try:
            size = await fetch(path, self._most)
        except BaseException as error:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                await self._keep(0)
                raise StorageUnavailableError(f"What was fetched from storage cannot be written: {error}") from error
            raise
        await self.drop(name)
        await self._keep(self._most - size)
        self._entries[name] = _Entry(path, size, time.monotonic())
        self._bytes += size
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(_LOOK_S, self._look)
        return path

    async def drop(self, prefix: str) -> None:
        """Delete a file, or all in a folder (a name that ends with a slash)."""
        names = [prefix] if not prefix.endswith("/") else [name for name in self._entries if name.startswith(prefix)]
        await self._delete([name for name in names if name in self._entries])

    async def _keep(self, most: int) -> None:
        """Delete what was not requested for longest, until no more than so many bytes are left."""
        left, names = self._bytes, []
        for name, entry in self._entries.items():
            if left <= most:
                break
            names.append(name)
            left -= entry.size
        await self._delete(names)

    async def _delete(self, names: list[str]) -> None:
        entries = [self._entries.pop(name) for name in names]
        self._bytes -= sum(entry.size for entry in entries)
        if entries:
            await asyncio.to_thread(_unlink, [entry.path for entry in entries])

    def _look(self) -> None:
        oldest = time.monotonic() - self._age_s
        old = [name for name, entry in self._entries.items() if entry.fetched_at < oldest]
        entries = [self._entries.pop(name) for name in old]
        self._bytes -= sum(entry.size for entry in entries)
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, _unlink, [entry.path for entry in entries])
        self._looking = bool(self._entries)
        if self._looking:
            loop.call_later(_LOOK_S, self._look)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
