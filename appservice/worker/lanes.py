"""Who may use the processor: videos that get their first picture, and beside them those whose ladder is made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

Ladder = Callable[[], AbstractAsyncContextManager[None]]


class Lanes:
    """Two lanes, so that nobody's first picture waits for another video's last one; first come, first served."""

    def __init__(self, concurrency: int) -> None:
        self._beginnings = asyncio.Semaphore(concurrency + 1)
        self._ladders = asyncio.Semaphore(concurrency)

    @asynccontextmanager
    async def beginning(self) -> AsyncIterator[Ladder]:
        """Wait for a place among those that begin; what is yielded gives it up, and waits for one in the other lane."""
        async with AsyncExitStack() as place:
            await place.enter_async_context(self._beginnings)

            @asynccontextmanager
            async def ladder() -> AsyncIterator[None]:
                await place.aclose()
                async with self._ladders:
                    yield

            yield ladder
