"""Bounds on connections, which aiohttp does not set: their number, and how long one may keep us waiting.

A connection that waits for its client, for a request's head or the rest of its body, may always be closed. So whoever
holds many of those open makes room for the next one, the longest silent first; after them those that read a response
slowly, the oldest first. Only those that wait for us count for good.
"""

import asyncio
import contextlib
import fcntl
import resource
import socket
import struct
import termios
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import structlog
from aiohttp import web

from appservice import metrics
from appservice.core.web.client_address import bucket_of, is_within
from appservice.media.hot import MOST_OPEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

log = structlog.get_logger()

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class First(Protocol):
    """What of an application stands before its router."""

    def before(self, routes: Handler) -> Handler:
        """Return a handler of all requests; `routes` handles what it leaves."""


FIRST = web.AppKey("first", First)

_MOST_DESCRIPTORS = 65_536
# For the database, the homeserver, ffmpeg's pipes, the log and media that are held open.
_RESERVED_DESCRIPTORS = 256 + MOST_OPEN
_MOST_CONNECTIONS = 4096
_SWEEP_S = 1.0
# For so long, at a stop, responses that were begun go on: what would go on for ever is ended by the application.
_LAST_RESPONSES_S = 4.0
# Bytes that the peer has acknowledged: `tcpi_bytes_acked`, at its fixed position in Linux' struct tcp_info.
_ACKNOWLEDGED = struct.Struct("@120xQ")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that a connection may keep us waiting.

    `body_least`: bytes of a body that must come in `body`. `send`: within which a reader must take anything at all.
    """

    head: float = 15.0
    idle: float = 75.0
    body: float = 40.0
    body_least: int = 4096
    send: float = 60.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections may be open at a time, in all and from one address (an IPv6 network of 64 bits)."""

    total: int
    per_address: int

    @classmethod
    def of(cls, descriptors: int) -> "ConnectionLimits":
        """Return what fits into so many file descriptors: a connection may hold two, its socket and a file."""
        total = max(16, min(_MOST_CONNECTIONS, (descriptors - _RESERVED_DESCRIPTORS) // 2))
        return cls(total, max(16, total // 8))


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; return it, at most 65536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, _MOST_DESCRIPTORS)


@dataclass(slots=True)
class _Peer:
    """The connections of one address; those that wait for their client, the longest silent first."""

    count: int = 0
    waiting: "dict[BoundedHandler, None]" = field(default_factory=dict)


class BoundedHandler(web.RequestHandler):
    """aiohttp's handler of one connection, with deadlines; the errors of its HTTP parser are JSON, too."""

    __slots__ = (
        "_bounds", "_head_since", "_is_full", "_received", "_request", "_sent", "_socket", "_window", "bucket",
        "sending_since",
    )  # fmt: skip

    def __init__(self, bounds: "ConnectionBounds", server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=bounds.deadlines.idle, access_log=None)  # type: ignore[arg-type]  # as web.AppRunner passes it
        self._bounds = bounds
        self.bucket: str | None = None
        self._request: web.BaseRequest | None = None
        self._head_since: float | None = loop.time()
        self._received = 0
        self._is_full = False
        self._window = (0.0, 0)
        self._socket: socket.socket | None = None
        # When the peer last acknowledged something of what is to be sent, and how much that was in all.
        self._sent = (0.0, -1)
        self.sending_since: float | None = None
        """Since when there has always been something that the peer has not taken yet; None: it has everything."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection, unless there are too many."""
        super().connection_made(transport)
        self._socket = transport.get_extra_info("socket")
        self._bounds.enter(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another connection."""
        self._bounds.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note that something came: the deadline of a request's head counts from its first byte."""
        self._received += len(data)
        if self._request is None and self._head_since is None:
            self._head_since = self._loop.time()
        super().data_received(data)
        self._sort()

    def pause_reading(self) -> None:
        """Stop the body's time: what we do not read is not the client's delay."""
        super().pause_reading()
        self._is_full = True
        self._sort()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Give the body its time anew."""
        super().resume_reading(resume_parser)
        self._is_full = False
        self._window = self._loop.time(), self._received
        self._sort()

    def request_begun(self, request: web.BaseRequest) -> None:
        """Note that a request's head is whole."""
        self._request, self._head_since = request, None
        self._window = self._loop.time(), self._received
        self._sort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the response; from then on the connection waits for its next request.

        What aiohttp refuses before our routes see it (an `Expect` that it does not know) is no JSON yet.
        """
        if isinstance(resp, web.HTTPException) and resp.status >= 400:
            resp = _refusal(resp.status, f"{resp.reason}.", allow=resp.headers.get("Allow"))
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._request = None
            self._sort()

    @property
    def _awaits_body(self) -> bool:
        return self._request is not None and not self._is_full and not self._request.content.is_eof()

    def _sort(self) -> None:
        """Update the bounds' record of who waits for whom."""
        if self._request is None or self._awaits_body:
            self._bounds.waits(self)
        else:
            self._bounds.works(self)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Respond to what is no HTTP, in the form of every other error and without a traceback in the log."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        log.debug("request_malformed", peer=request.remote, reason=type(exc).__name__)
        return _refusal(status, "This is not a request of HTTP/1.1, or its head is too long.")

    def is_overdue(self, now: float) -> bool:
        """Return whether the client keeps us waiting for too long: for a head, for a body, or to read a response."""
        deadlines = self._bounds.deadlines
        if self._is_unread(now):
            return True
        if self._request is None:
            return self._head_since is not None and now - self._head_since > deadlines.head
        if not self._awaits_body:
            return False
        since, received = self._window
        if now - since <= deadlines.body:
            return False
        if self._received - received < deadlines.body_least:
            return True
        self._window = now, self._received
        return False

    def _is_unread(self, now: float) -> bool:
        # The kernel knows best, also of files that it sends itself. TCP_USER_TIMEOUT would not do: once the window was
        # shut it counts on, although a slow reader takes more and more.
        if self._socket is None or self._socket.fileno() < 0:
            return False
        try:
            pending = struct.unpack("@i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4))[0]
            if not pending:
                self.sending_since = None
                return False
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        except OSError:
            return False  # it is being closed
        taken = _ACKNOWLEDGED.unpack(state)[0] if len(state) == _ACKNOWLEDGED.size else -1
        if self.sending_since is None:
            self.sending_since, self._sent = now, (now, taken)
        if taken != self._sent[1]:
            self._sent = now, taken
        return now - self._sent[0] > self._bounds.deadlines.send

    def abort(self, reason: str) -> None:
        """End the connection at once."""
        metrics.CONNECTIONS_CLOSED.labels(reason).inc()
        if self.transport is not None:
            # asyncio's sendfile does not notice a socket that is closed beneath it: it would hold its file for ever,
            # and its entry in the selector keep the next connection of the same descriptor waiting.
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            self.transport.abort()


def _refusal(status: int, text: str, *, allow: str | None = None) -> web.Response:
    """Return the error of a request that our routes never see; its connection ends with it."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "Roomreel"}
    if allow is not None:
        headers["Allow"] = allow
    response = web.json_response({"errcode": "M_UNRECOGNIZED", "error": text}, status=status, headers=headers)
    response.force_close()
    return response


class ConnectionBounds:
    """The connections of one listener. Trusted proxies count for many, so only the total bounds them."""

    def __init__(
        self,
        limits: ConnectionLimits,
        trusted: "Sequence[IPv4Network | IPv6Network]" = (),
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self.deadlines = deadlines
        self._limits = limits
        self._trusted = trusted
        self._open: set[BoundedHandler] = set()
        self._waiting: dict[BoundedHandler, None] = {}
        self._peers: dict[str, _Peer] = {}

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def waiting(self) -> int:
        """How many of them wait for their client."""
        return len(self._waiting)

    def enter(self, handler: BoundedHandler) -> None:
        """Count a new connection; over a limit the one that is silent longest is closed, or else the new one."""
        peer_name = handler.peername
        address = str(peer_name[0]) if peer_name else ""
        handler.bucket = None if is_within(address, self._trusted) else bucket_of(address)
        peer = self._peers.setdefault(handler.bucket, _Peer()) if handler.bucket else None
        if peer and peer.count >= self._limits.per_address:
            self._make_room(peer.waiting, "address", handler, handler.bucket)
        elif len(self._open) >= self._limits.total:
            self._make_room(self._waiting, "total", handler, None)
        self._open.add(handler)
        if peer:
            peer.count += 1
        self.waits(handler)

    def _make_room(
        self, waiting: dict[BoundedHandler, None], reason: str, new: BoundedHandler, bucket: str | None
    ) -> None:
        closing = next(iter(waiting), None) or self._slowest_reader(bucket) or new
        if closing is not new:
            self.leave(closing)  # at once: its callback comes only with the loop's next turn
        closing.abort(reason)

    def _slowest_reader(self, bucket: str | None) -> BoundedHandler | None:
        """Return who has had something to read for longest, of one address or of all."""
        readers = [each for each in self._open if each.sending_since is not None and bucket in {None, each.bucket}]
        return min(readers, key=lambda each: each.sending_since or 0.0, default=None)

    def leave(self, handler: BoundedHandler) -> None:
        """Remove a connection; harmless when it was removed before."""
        if handler not in self._open:
            return
        self.works(handler)
        self._open.discard(handler)
        if handler.bucket and (peer := self._peers.get(handler.bucket)):
            peer.count -= 1
            if not peer.count:
                del self._peers[handler.bucket]

    def works(self, handler: BoundedHandler) -> None:
        """Protect a connection from being closed for another one: its request is whole, and it is our turn."""
        self._waiting.pop(handler, None)
        if handler.bucket and (peer := self._peers.get(handler.bucket)):
            peer.waiting.pop(handler, None)

    def waits(self, handler: BoundedHandler) -> None:
        """Allow a connection to be closed for another one, after all that have been silent for longer."""
        if handler not in self._open:
            return
        self.works(handler)
        self._waiting[handler] = None
        if handler.bucket and (peer := self._peers.get(handler.bucket)):
            peer.waiting[handler] = None

    def sweep(self, now: float) -> None:
        """Close what keeps us waiting for too long; `now` by the loop's clock."""
        for handler in [each for each in self._open if each.is_overdue(now)]:
            handler.abort("slow")

    async def _sweep_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.sweep(loop.time())

    @contextlib.asynccontextmanager
    async def listening(self, app: web.Application, host: str, port: int) -> "AsyncIterator[asyncio.Server]":
        """Serve an application on an address until the context ends. Raises OSError when that is not to be had."""
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_RESPONSES_S)
        await runner.setup()
        try:
            server = runner.server
            if server is None:
                raise RuntimeError("aiohttp's runner has no server after its setup")
            server.request_factory = _noting(server.request_factory)
            if FIRST in app:
                server.request_handler = app[FIRST].before(server.request_handler)
            loop = asyncio.get_running_loop()
            # As many as may come at once: what the kernel refuses to queue, it accepts only after a second.
            listener = await loop.create_server(lambda: BoundedHandler(self, server, loop), host, port, backlog=1024)
            sweeper = asyncio.create_task(self._sweep_for_ever())
            try:
                yield listener
            finally:
                sweeper.cancel()
                listener.close()
        finally:
            await runner.cleanup()


def _noting(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """Notify the connection of each request whose head is whole."""

    def begun(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:  # noqa: ANN401 - aiohttp's own
        request = make(message, payload, protocol, writer, task)
        if isinstance(protocol, BoundedHandler):
            protocol.request_begun(request)
        return request

    return begun
