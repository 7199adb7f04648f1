"""The root of the errors of the interface of python-olm, and how vodozemac's become them."""

from collections.abc import Iterator
from contextlib import contextmanager


class OlmError(Exception):
    """Root of the errors of this interface."""


@contextmanager
def raising(error: type[OlmError]) -> Iterator[None]:
    """Raise `error` for each error of vodozemac's: all of these are ValueErrors."""
    try:
        yield
    except ValueError as cause:
        raise error(str(cause)) from cause
