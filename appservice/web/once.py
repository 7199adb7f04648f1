"""Work that many wait for is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """Results that are being made, by what they are."""

    def __init__(self) -> None:
        self._making: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        """Return what `make` makes, or what another caller's is just making of the same key."""
        return await _result(self._task(key, make))

    def _task(self, key: K, make: Callable[[], Awaitable[V]]) -> "asyncio.Task[V]":
        if key not in self._making:
            self._making[key] = asyncio.create_task(_made(make))
            self._making[key].add_done_callback(lambda _: self._making.pop(key))
        return self._making[key]


class Latest(Generic[K, V]):
    """Reads of what may change: a caller gets one that began after they came, with all who waited for it."""

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[V]] = {}
        self._next: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """Return what `read` reads, one at a time for each key."""
        if key not in self._next:
            self._next[key] = asyncio.create_task(self._read(key, read))
        return await _result(self._next[key])

    async def _read(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        if key in self._running:
            await asyncio.wait([self._running[key]])
        # Who comes from here on waits for the one after this.
        self._running[key] = self._next.pop(key)
        try:
            return await read()
        finally:
            del self._running[key]


async def _made(make: Callable[[], Awaitable[V]]) -> V:
    return await make()


async def _result(task: "asyncio.Task[V]") -> V:
    """Wait for a task that goes on for the others where one of them leaves."""
    return await asyncio.shield(task)
