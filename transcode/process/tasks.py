"""Tasks that end with the block in which they were started."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

_T = TypeVar("_T")


class Tasks:
    """Cancel, at the end of an `async with` block, the tasks that were started in it, and wait for them.

    Unlike asyncio.TaskGroup, it never cancels the block itself, so that a generator may yield within it (PEP 789): a
    failure is raised where its task is awaited.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start a task."""
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    async def __aenter__(self) -> Self:
        """Start with no tasks."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the tasks that are not done, and wait for all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
