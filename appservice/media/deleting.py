"""When files may be deleted: not while a backup needs those that the database names."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

Deleting = Callable[[], AbstractAsyncContextManager[None]]
"""Entered while files are deleted. Raises HeldBackError where they may not be now."""
