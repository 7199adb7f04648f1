"""Poll for a condition, never wait for a fixed time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

WAIT_S = 60.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0

T = TypeVar("T")


async def eventually(poll: Callable[[], Awaitable[T]], *, seconds: float = WAIT_S, what: str = "it") -> T:
    """Poll until the result is true, and return it. Raises AssertionError after `seconds`.

    The pause is short because tests wait for real work, and four times as long as the poll took: what is waited for
    runs on the same processors as the polls.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        started = clock()
        result = await poll()
        if result:
            return result
        if clock() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s; last result: {result!r}")
        await asyncio.sleep(max(_PAUSE_S, min(4 * (clock() - started), _LONGEST_PAUSE_S)))
