"""What `roomreel check` requests through the operator's proxy: what arrives of a request, and how responses get back.

Answered by the service, or by the command itself where that does not run. The requests carry a token that whoever has
the configuration makes, for some minutes.
"""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel

from appservice.web.operation import Undocumented

WHO = "/api/v1/check"
# Each at a path to which proxies are configured as for those of viewers (deploy/nginx.conf).
STREAM = "/api/v1/rooms/check/events"
PIECE = "/api/v1/uploads/check"
MEDIA = "/media/check"
PIECE_BYTES = 8 * 1024 * 1024
"""What the widget sends of an upload in one request (`MOST` in widget/src/record/tus.ts)."""
STREAM_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
}  # fmt: skip
"""The headers of every event stream."""
EVENT = b"data: now\n\n"
CONTENT = bytes(range(256))
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
"""Headers by which a reverse proxy names the client whose request it forwards."""

_VALID_S = 600
_APART_S, _HELD_S = 0.5, 20.0
_ours = Undocumented("roomreel check")  # of the same release: nobody else requests these


class Arrived(BaseModel):
    """How a request arrived: by which peer, with which headers of a proxy, and when, by this machine's clock."""

    peer: str
    port: int
    headers: dict[str, list[str]]
    host: str


def token_of(hs_token: str, now: float | None = None) -> str:
    """Return a token for these routes, valid for ten minutes."""
    expires = str(int(time.time() if now is None else now) + _VALID_S)
    return f"{expires}.{_signature(hs_token, expires)}"


def _signature(hs_token: str, expires: str) -> str:
    return hmac.new(hs_token.encode(), f"roomreel check {expires}".encode(), hashlib.sha256).hexdigest()


def _admit(request: web.Request, hs_token: str) -> None:
    """Raise HTTPForbidden unless the request has a token of ours."""
    expires, _, signature = request.headers.get("Authorization", "").removeprefix("Bearer ").partition(".")
    known = hmac.compare_digest(signature.encode(), _signature(hs_token, expires).encode())
    if not known or not expires.isdecimal() or int(expires) < time.time():
        raise web.HTTPForbidden(text="This is for roomreel check, with this installation's configuration.")


def add_probes(app: web.Application, hs_token: str) -> None:
    """Add the routes to an application."""

    @_ours
    async def who(request: web.Request) -> web.Response:
        _admit(request, hs_token)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        arrived = Arrived(
            peer=request.remote or "",
            port=peer[1] if isinstance(peer, tuple) else 0,
            headers={name: request.headers.getall(name) for name in FORWARDED if name in request.headers},
            host=request.host,
        )
        return web.json_response(arrived.model_dump(), headers={"Cache-Control": "no-store"})

    @_ours
    async def stream(request: web.Request) -> web.StreamResponse:
        _admit(request, hs_token)
        response = web.StreamResponse(headers=STREAM_HEADERS)
        # Whoever got the event has closed before the end.
        with contextlib.suppress(ConnectionResetError):
            await response.prepare(request)
            await response.write(b": connected\n\n")
            # Some proxies that buffer hand on what came with the headers.
            await asyncio.sleep(_APART_S)
            await response.write(EVENT)
            for _ in range(round(_HELD_S / _APART_S)):
                await asyncio.sleep(_APART_S)
                if request.transport is None or request.transport.is_closing():
                    break
        return response

    @_ours
    async def piece(request: web.Request) -> web.Response:
        _admit(request, hs_token)
        size = 0
        async for part in request.content.iter_any():
            size += len(part)
            if size > PIECE_BYTES:
                raise web.HTTPRequestEntityTooLarge(PIECE_BYTES, size)
        return web.Response(status=204, headers={"Upload-Offset": str(size)})

    async def media(request: web.Request) -> web.Response:
        _admit(request, hs_token)
        asked = request.http_range
        part = CONTENT[asked]
        headers = {"Cache-Control": "no-store", "Accept-Ranges": "bytes"}
        if asked.start is None:
            return web.Response(body=CONTENT, headers=headers)
        headers["Content-Range"] = f"bytes {asked.start}-{asked.start + len(part) - 1}/{len(CONTENT)}"
        return web.Response(status=206, body=part, headers=headers)

    app.router.add_get(WHO, who)
    app.router.add_get(STREAM, stream)
    app.router.add_patch(PIECE, piece)
    app.router.add_get(MEDIA, media)
