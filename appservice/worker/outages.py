"""Waits while storage is away for what took minutes of work, which would else be done again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from appservice.core.errors import StorageUnavailableError

log = structlog.get_logger()

T = TypeVar("T")

_FOR_S = 600.0
_FIRST_S, _LONGEST_S = 2.0, 30.0


async def outlasting(store: Callable[[], Awaitable[T]]) -> T:
    """Store something, which may be repeated, once storage responds again. Raises StorageUnavailableError at last."""
    clock = asyncio.get_running_loop().time
    until, delay = clock() + _FOR_S, _FIRST_S
    while True:
        try:
            return await store()
        except StorageUnavailableError as error:
            if clock() + delay > until:
                raise
            log.warning("storage_awaited", seconds=delay, reason=str(error))
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LONGEST_S)
