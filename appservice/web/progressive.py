"""A rendition's files served as one, in whole or in part, without ever holding more than a piece of it."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

from aiohttp import web

from appservice.media.concatenated import Whole
from appservice.media.reading import reading

_CHECK_EVERY_S = 2.0


async def send(
    request: web.Request, whole: Whole, etag: str, headers: Mapping[str, str], still: Callable[[], Awaitable[object]]
) -> web.StreamResponse:
    """Send what is requested of the whole (RFC 9110, 13 and 14). It ends in the middle once `still` says no."""
    quoted = f'"{etag}"'
    always = {**headers, "ETag": quoted, "Accept-Ranges": "bytes"}
    if any(known.value in {etag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=always)
    part = (
        _requested_range(request, whole.size)
        if request.headers.get("If-Range", quoted) == quoted
        else range(whole.size)
    )
    if part is None:
        headers = {**always, "Content-Range": f"bytes */{whole.size}", "Content-Type": "application/json"}
        error = {"errcode": "M_UNKNOWN", "error": f"There is no such part of {whole.size} bytes."}
        return web.Response(body=json.dumps(error).encode(), status=416, headers=headers)
    response = web.StreamResponse(status=200 if len(part) == whole.size else 206, headers=always)
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{whole.size}"
    response.content_length = len(part)
    await response.prepare(request)
    if request.method != "HEAD":
        await _write(response, whole.pieces(part), still)
    return response


def _requested_range(request: web.Request, size: int) -> range | None:
    """Return the range that a request names, None when there is no such part."""
    try:
        requested = request.http_range
    except ValueError:
        return None
    part = range(size)[requested]
    return part or None


async def _write(response: web.StreamResponse, pieces: Iterator[bytes], still: Callable[[], Awaitable[object]]) -> None:
    checked_at = time.monotonic()
    while piece := await reading(next, pieces, None):
        # A viewer who plays it takes minutes for one request.
        if time.monotonic() - checked_at > _CHECK_EVERY_S:
            if not await still():
                raise ConnectionResetError
            checked_at = time.monotonic()
        await response.write(piece)
