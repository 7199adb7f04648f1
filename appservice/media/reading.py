"""Threads of their own for reading what is stored: while storage is slow they wait, and nothing else does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

# The event loop's own are a few more than processors, and do what every request needs: a stat(2), an open(2).
_AT_ONCE = 32
_THREADS = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reading")


async def reading(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Do what reads stored files, and blocks meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, partial(work, *args, **kwargs))
