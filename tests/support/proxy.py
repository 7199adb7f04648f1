"""What a test puts between Roomreel and its homeserver."""

import aiohttp
from aiohttp import web
from yarl import URL


async def pass_on(
    http: aiohttp.ClientSession, target: str, request: web.Request, *, raw_path: str | None = None
) -> web.Response:
    """Send a request to the real homeserver (to another path of it), and return its response."""
    headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
    url = URL(target + (raw_path or request.raw_path), encoded=True)
    data = await request.read()
    async with http.request(request.method, url, data=data, headers=headers, allow_redirects=False) as response:
        return web.Response(
            body=await response.read(), status=response.status, content_type=response.content_type
        )  # fmt: skip
