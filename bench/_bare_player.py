"""Open a page that has hls.js, a playlist and nothing else: the floor for the widget's cost."""

import contextlib
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from playwright.async_api import Page, Route

from appservice.demo.host import serve_host
from appservice.demo.synapse import free_port
from bench._line import Line, through
from bench._widget_room import WidgetRoom
from tests.support.launch import ROOT

_HLS = (ROOT / "widget" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js").read_text(encoding="utf-8")
_PAGE = """<!doctype html><video data-active playsinline></video><script src="/bench/hls.js"></script><script>
    const video = document.querySelector('video'), hls = new Hls({enableWorker: false});
    const query = new URLSearchParams(location.search);
    video.muted = query.has('muted');
    hls.loadSource(query.get('url'));
    hls.attachMedia(video);
    video.play();
</script>"""
_PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "host"}  # RFC 9110, 7.6.1


async def open_bare_player(page: Page, room: WidgetRoom, playlist: str, *, muted: bool) -> None:
    """Open the player at the origin of the media and return when the navigation is committed."""

    async def fulfill(route: Route) -> None:
        script = route.request.url.endswith(".js")
        await route.fulfill(body=_HLS if script else _PAGE, content_type="text/javascript" if script else "text/html")

    await page.route(f"{room.reel.url}/bench/**", fulfill)
    await page.goto(bare_address(room.reel.url, playlist, muted=muted), wait_until="commit")


def bare_address(origin: str, playlist: str, *, muted: bool) -> str:
    """Return the page's address at an origin."""
    return f"{origin}/bench/?url={playlist}{'&muted' if muted else ''}"


@asynccontextmanager
async def over_line(room: WidgetRoom, line: Line) -> AsyncIterator[str]:
    """Serve the service and the bare page over a line; return Chromium's argument by which it reaches them so."""
    async with aiohttp.ClientSession(auto_decompress=False) as http:

        async def bare(request: web.Request) -> web.Response:
            if not request.path.endswith(".js"):
                return web.Response(text=_PAGE, content_type="text/html")
            headers = {"Content-Encoding": "gzip", "Content-Type": "text/javascript"}
            return web.Response(body=gzip.compress(_HLS.encode(), 9), headers=headers)

        async def forward(request: web.Request) -> web.StreamResponse:
            passed = {name: value for name, value in request.headers.items() if name.lower() not in _PER_CONNECTION}
            url, body = room.reel.url + request.raw_path, await request.read()
            async with http.request(request.method, url, headers=passed, data=body or None) as response:
                headers = {
                    name: value for name, value in response.headers.items() if name.lower() not in _PER_CONNECTION
                }
                answer = web.StreamResponse(status=response.status, headers=headers)
                with contextlib.suppress(ConnectionError):  # the page was closed
                    await answer.prepare(request)
                    async for data in response.content.iter_any():
                        await answer.write(data)
                return answer

        app = web.Application()
        app.router.add_get("/bench/{name:.*}", bare)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = await serve_host(app, port := free_port())
        try:
            async with through(line, port) as far:
                yield f"--host-resolver-rules=MAP {room.reel.url.removeprefix('http://')} 127.0.0.1:{far}"
        finally:
            await runner.cleanup()
