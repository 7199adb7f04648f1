"""A runner's requests to its server, repeated where the connection is at fault."""

import asyncio
import io
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import ValidationError

from appservice.core.errors import ConfigError, RoomreelError
from appservice.core.runners import ReceivedView, RunnerJobView

log = structlog.get_logger()

T = TypeVar("T")

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=60)
_TRIES, _FIRST_S, _LONGEST_S = 8, 0.5, 30.0
_PART = 8 * 2**20
_READ = 2**18
_UNKNOWN, _GONE = 401, 404
_AGAIN = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504})


class RevokedError(RoomreelError):
    """The server does not know the token (any more)."""


class JobGoneError(Exception):
    """The job is not ours any more: it goes on elsewhere."""


class RefusedError(Exception):
    """The server refuses what we send, and would again."""


class TryAgainError(Exception):
    """A request failed that may succeed later."""


@dataclass(frozen=True)
class Server:
    """Where a runner gets its jobs; `ca`: a file with certificates to trust in place of the system's."""

    url: str
    token: str = field(repr=False)
    ca: Path | None = None

    def check(self) -> None:
        """Raise ConfigError where the token would travel in clear."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError("--server must be the address of a Roomreel, such as https://reel.example.org.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ConfigError("--server must be https: the token and the videos would travel in clear.")


class Client:
    """The requests of one runner.

    They raise RevokedError, JobGoneError and RefusedError; what moves files repeats all else, the rest raises
    TryAgainError.
    """

    def __init__(self, http: aiohttp.ClientSession, server: Server) -> None:
        self._http = http
        self._root = f"{server.url.rstrip('/')}/api/v1/runner"
        self._headers = {"Authorization": f"Bearer {server.token}"}

    async def lease(self) -> RunnerJobView | None:
        """Return the next job, for which the server lets us wait; None where there is none yet."""
        async with self._request("POST", "/lease") as response:
            if response.status == 204:
                return None
            try:
                return RunnerJobView.model_validate_json(await response.read())
            except ValidationError as error:
                raise RefusedError("The server's jobs have another form: is it of another release?") from error

    async def heartbeat(self, job_id: str, share: float) -> None:
        """Keep a job."""
        async with self._request("POST", f"/jobs/{job_id}/heartbeat", json={"share": share}):
            pass

    async def give_back(self, job_id: str, reason: str) -> None:
        """Give a job back: we are `stopped`, or have `failed`."""
        async with self._request("POST", f"/jobs/{job_id}/return", json={"reason": reason}):
            pass

    async def complete(self, job_id: str, files: dict[str, int]) -> None:
        """Say that all files are there."""

        async def send() -> None:
            async with self._request("POST", f"/jobs/{job_id}/complete", json={"files": files}):
                pass

        await self._repeated(send)

    async def fetch(self, job_id: str, target: Path) -> None:
        """Fetch a job's input into a file; a connection that breaks is gone on with."""

        async def fetch() -> None:
            with await asyncio.to_thread(target.open, "ab") as file:
                start = file.tell()
                headers = {"Range": f"bytes={start}-"} if start else {}
                async with self._request("GET", f"/jobs/{job_id}/source", headers=headers) as response:
                    if start and response.status != 206:
                        raise RefusedError("The server sends no ranges.")
                    async for piece in response.content.iter_chunked(_READ):
                        await asyncio.to_thread(file.write, piece)

        await self._repeated(fetch)

    async def send(self, job_id: str, name: str, file: BinaryIO) -> int:
        """Send a file in parts, and return its size; a connection that breaks is gone on with."""
        size = await asyncio.to_thread(lambda: os.fstat(file.fileno()).st_size)
        offset = 0
        path = f"/jobs/{job_id}/files/{name}"

        async def ask() -> int:
            async with self._request("GET", path) as response:
                return ReceivedView.model_validate_json(await response.read()).offset

        async def send_part() -> None:
            nonlocal offset
            part = await asyncio.to_thread(os.pread, file.fileno(), _PART, offset)
            try:
                async with self._request("PATCH", path, data=io.BytesIO(part), headers={"Upload-Offset": str(offset)}):
                    offset += len(part)
            except TryAgainError:
                offset = min(await ask(), size)
                raise

        while offset < size:
            await self._repeated(send_part)
        return size

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, json: object = None,
        data: BinaryIO | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:  # fmt: skip
        """Send a request once. Raises TryAgainError where another one may succeed."""
        try:
            async with self._http.request(
                method, self._root + path, headers={**self._headers, **(headers or {})}, json=json, data=data,
                allow_redirects=False,
            ) as response:  # fmt: skip
                await _check(response)
                yield response
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise TryAgainError(f"{type(error).__name__}: {error}") from error

    async def _repeated(self, act: Callable[[], Awaitable[T]]) -> T:
        delay = _FIRST_S
        for _ in range(_TRIES):
            try:
                return await act()
            except TryAgainError as error:
                log.info("request_repeated", reason=str(error), seconds=delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_S)
        raise JobGoneError("The server does not respond.")


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status < 300:
        return
    if response.status == _UNKNOWN:
        raise RevokedError("The server does not know this token: it was revoked, or is another server's.")
    if response.status == _GONE:
        raise JobGoneError("The job is not ours any more.")
    # What a server says is not for the log as a whole.
    text = f"HTTP {response.status}"
    raise TryAgainError(text) if response.status in _AGAIN else RefusedError(text)


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Client]:
    """Open connections to a server. Raises ConfigError for what cannot be trusted."""
    server.check()
    try:
        trusted = await asyncio.to_thread(ssl.create_default_context, cafile=str(server.ca) if server.ca else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"--ca {server.ca} cannot be read: {error}") from error
    connector = aiohttp.TCPConnector(ssl=trusted, limit=8)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=True) as http:
        yield Client(http, server)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
