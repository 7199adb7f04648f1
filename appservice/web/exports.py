"""What members take with them, for whoever has its secret link, as long as it holds."""

import asyncio
import hashlib

from aiohttp import web

from appservice.errors import NotFoundError
from appservice.web.context import CONTEXT
from appservice.web.progressive import send
from appservice.whole import Whole, plain_size

_HEADERS = {
    "Content-Type": "application/zip",
    "Content-Disposition": 'attachment; filename="roomreel.zip"',
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex",
}
_GONE = "This link does not hold (any more). Ask the bot for a new one: export"

routes = web.RouteTableDef()


@routes.get("/export/{secret:[A-Za-z0-9_-]{20,100}}")
async def export(request: web.Request) -> web.StreamResponse:
    """Answer the zip, in whole or in part. It ends in the middle once it may not be fetched any more."""
    context = request.app[CONTEXT]
    digest = hashlib.sha256(request.match_info["secret"].encode()).digest()
    found = await context.exports.by_secret(digest)
    if found is None:
        raise NotFoundError(_GONE)
    path = context.export_folder.path(found)
    try:
        size = await asyncio.to_thread(plain_size, path)
    except FileNotFoundError as error:
        raise NotFoundError(_GONE) from error
    return await send(request, Whole(b"", [(path, size)]), found, _HEADERS, lambda: context.exports.by_secret(digest))
