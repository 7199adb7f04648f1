"""Streams a file from the homeserver to disk: constant memory, a size limit, decrypted and verified on the way."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from appservice.core.errors import MediaError, NotYetUploadedError
from appservice.core.model import EncryptedFile
from appservice.matrix.attachments import read_verified, write_verified
from appservice.matrix.client import HomeserverClient
from appservice.matrix.discovery import read_limited

CHUNK = 256 * 1024
# A token that is being replaced, a request that took too long, too many of them.
_MAY_PASS = frozenset({401, 408, 425, 429})
# A wait for an upload must not block others: we request again, and get a response at once.
_WITHOUT_WAITING = {"timeout_ms": "0"}
_MOST_ERROR = 64 * 1024
_LOOK_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=10)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file on disk: its bytes, and the SHA-256 of what they are (decrypted)."""

    size: int
    sha256: bytes


async def download(
    session: aiohttp.ClientSession,
    homeserver: HomeserverClient,
    mxc: str,
    target: Path,
    *,
    max_bytes: int,
    encrypted_file: EncryptedFile | None = None,
) -> Downloaded:
    """Write the file of a content URI to `target` and return what it is.

    Raises NotYetUploadedError while the homeserver waits for it; MediaError: `media-gone` (final unless the homeserver
    may get it yet), `media-too-large`, `hash-mismatch` (final), `download-failed` (may be tried again). After an error
    nothing is left. An encrypted attachment is written decrypted, and `target` is there only when the hash of what came
    over the wire is right.
    """
    size = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for chunk in _bounded(session, homeserver, mxc, max_bytes):
            size += len(chunk)
            yield chunk

    sha256 = await write_verified(counted(), target, encrypted_file)
    return Downloaded(size, sha256)


async def read_attachment(
    session: aiohttp.ClientSession, homeserver: HomeserverClient, mxc: str, file: EncryptedFile, max_bytes: int
) -> bytes:
    """Return an encrypted attachment, decrypted and verified, which is never on disk. Raises as `download`."""
    return await read_verified(_bounded(session, homeserver, mxc, max_bytes), file)


async def _bounded(
    session: aiohttp.ClientSession, homeserver: HomeserverClient, mxc: str, max_bytes: int
) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in _chunks(session, homeserver, mxc, max_bytes):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


async def _chunks(
    session: aiohttp.ClientSession, homeserver: HomeserverClient, mxc: str, max_bytes: int
) -> AsyncIterator[bytes]:
    url, headers = homeserver.media_url(mxc), homeserver.media_headers
    try:
        # A homeserver may redirect to its object store: the token does not follow to another origin.
        async with session.get(url, params=_WITHOUT_WAITING, headers=headers, timeout=_TIMEOUT) as response:
            if await _is_awaited(response):
                raise NotYetUploadedError(f"{mxc} is not uploaded yet.")
            if response.status == 413:
                raise _too_large(max_bytes)
            if response.status == 404:
                # So it says as well while the sender's homeserver, or its own disk, has not come so far.
                raise MediaError("media-gone", f"{mxc}: the homeserver does not have it.", final=False)
            # 403 is what a homeserver says of media that it will not fetch or has quarantined.
            if 400 <= response.status < 500 and response.status not in _MAY_PASS:
                raise MediaError("media-gone", f"{mxc}: the homeserver responded with {response.status}.", final=True)
            if response.status != 200:
                text = f"{mxc}: the homeserver responded with {response.status}."
                raise MediaError("download-failed", text, final=False)
            if response.content_length is not None and response.content_length > max_bytes:
                raise _too_large(max_bytes)
            async for chunk in response.content.iter_chunked(CHUNK):
                yield chunk
    except (aiohttp.ClientError, TimeoutError) as error:
        raise MediaError("download-failed", f"{mxc}: {error or type(error).__name__}", final=False) from error


async def is_awaited(session: aiohttp.ClientSession, homeserver: HomeserverClient, mxc: str) -> bool | None:
    """Say whether the homeserver waits for a file's upload; None where that is unknown: a download shows why."""
    try:
        async with session.get(
            homeserver.media_url(mxc), params=_WITHOUT_WAITING, headers=homeserver.media_headers, timeout=_LOOK_TIMEOUT
        ) as response:
            awaited = await _is_awaited(response)
            return awaited if awaited or response.status < 500 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


async def _is_awaited(response: aiohttp.ClientResponse) -> bool:
    if response.status != 504:
        return False
    try:
        body = json.loads(await read_limited(response, _MOST_ERROR))
    except ValueError:
        return False  # a proxy's own
    return isinstance(body, dict) and body.get("errcode") == "M_NOT_YET_UPLOADED"


def _too_large(max_bytes: int) -> MediaError:
    return MediaError("media-too-large", f"The file is larger than {max_bytes} bytes.", final=True)
