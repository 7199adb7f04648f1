"""Waiting for a condition: never for a fixed time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

WAIT_S = 60.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], *, seconds: float = WAIT_S, what: str = "it") -> T:
    """Ask until the answer is true, and return it.

    The pause is short because tests wait for real work, and four times as long as asking took: what is waited for is
    done on the same processors as the answers.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        requested = clock()
        answer = await ask()
        if answer:
            return answer
        if clock() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s; last answer: {answer!r}")
        await asyncio.sleep(max(_PAUSE_S, min(4 * (clock() - requested), _LONGEST_PAUSE_S)))
