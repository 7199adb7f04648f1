"""Responses that are sent as they lie in memory or on disk: their heads are made once, and no thread is needed.

They are for requests that ask for the whole of something without any condition; aiohttp's own are for all others.
"""

import asyncio
import contextlib
import math
import os
import socket
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from io import FileIO

from aiohttp import HttpVersion11, hdrs, web

from appservice.media.hot import HotFile
from appservice.web.media_paths import IMMUTABLE, TYPES

HEADERS = {
    "Server": "Roomreel",
    # Media paths hold grants: they must not travel to other sites.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every response has."""

_CONDITIONS = (
    hdrs.RANGE, hdrs.IF_NONE_MATCH, hdrs.IF_MODIFIED_SINCE, hdrs.IF_MATCH, hdrs.IF_UNMODIFIED_SINCE, hdrs.IF_RANGE,
    hdrs.EXPECT, hdrs.UPGRADE,
)  # fmt: skip


def is_plain(request: web.BaseRequest) -> bool:
    """Return whether a request wants the whole, whatever the client has of it, and its connection stays open."""
    headers = request.headers
    return (
        request.version == HttpVersion11
        and request.keep_alive
        and not request.can_read_body
        and not any(name in headers for name in _CONDITIONS)
    )


def head(headers: Mapping[str, str], size: int) -> bytes:
    """Return the head of a 200 of so many bytes, without its date and its end."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**HEADERS, **headers}.items())
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {size}\r\n".encode("ascii")


@lru_cache(maxsize=2)
def _end(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()


class Ready(web.StreamResponse):
    """A response with a body of bytes, or an open file; its head is that of `head`."""

    def __init__(self, made: bytes, body: bytes | None, file: HotFile | None = None) -> None:
        super().__init__()
        self._made, self._content, self._file = made, body, file

    @property
    def keep_alive(self) -> bool:
        """Say that the connection stays open, as `is_plain` found that it may."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send all of it."""
        transport = request.transport
        # aiohttp holds the last response of each connection: that must not hold what is in it.
        content, self._content = self._content, None
        file, self._file = self._file, None
        if transport is None:
            raise ConnectionResetError
        start = self._made + _end(int(time.time()))
        if request.method == hdrs.METH_HEAD:
            transport.write(start)
        elif content is not None:
            transport.write(start + content)
        elif file is None:
            transport.write(start)
        else:
            # Head and content in full packets: TCP_NODELAY would end one after each few pages that sendfile(2) takes.
            _set_cork(transport, on=True)
            try:
                transport.write(start)
                await _send_file(transport, file)
            finally:
                _set_cork(transport, on=False)
        if transport.get_write_buffer_size():
            await request.writer.drain()

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing more."""


def ready_file(file: HotFile) -> Ready:
    """Return a file as the whole of a response, with the validators that `web.FileResponse` gives it."""
    if not file.head:
        headers = {
            **IMMUTABLE, "Content-Type": TYPES[file.path.suffix], "ETag": f'"{file.etag}"',
            "Last-Modified": formatdate(math.ceil(file.modified), usegmt=True), "Accept-Ranges": "bytes",
        }  # fmt: skip
        file.head = head(headers, file.size)
    return Ready(file.head, file.body, file)


def _set_cork(transport: asyncio.WriteTransport, *, on: bool) -> None:
    with contextlib.suppress(OSError):  # closed meanwhile
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)


async def _send_file(transport: asyncio.WriteTransport, file: HotFile) -> None:
    """Send a file's content. Raises ConnectionResetError where it, or the connection, ends before."""
    if transport.is_closing():
        raise ConnectionResetError
    sent = 0
    if not transport.get_write_buffer_size():
        with contextlib.suppress(BlockingIOError):
            sent = os.sendfile(transport.get_extra_info("socket").fileno(), file.fileno(), 0, file.size)
    if sent < file.size:
        sent += await _send_rest(transport, file.fileno(), range(sent, file.size))
    if sent < file.size:
        raise ConnectionResetError  # less than was promised cannot be signalled in any other way


async def _send_rest(transport: asyncio.WriteTransport, descriptor: int, part: range) -> int:
    """Send a part of an open file, and return its bytes; 0 where the connection ended before.

    Apart, and without an exception: asyncio's are in a reference cycle, which would hold the file until a collection.
    """
    opened = FileIO(descriptor, closefd=False)
    try:
        # No fallback: it would read by the position in the file, which all that send this one share.
        return await asyncio.get_running_loop().sendfile(transport, opened, part.start, len(part), fallback=False)
    except (asyncio.SendfileNotAvailableError, ConnectionError):
        return 0  # the first is also what asyncio makes of a connection that was reset
