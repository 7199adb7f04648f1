"""A real Chromium that plays playlists with hls.js as the widget does, and tells of every complaint."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.async_api import Page

from appservice.demo.browser import open_browser
from transcode import Item, Result, master_playlist, media_playlist, tiers

_ROOT = Path(__file__).parents[3]
_HLS = _ROOT / "widget/node_modules/hls.js/dist/hls.light.js"
_HLS_ENGINE = _ROOT / "widget/src/player/hls-engine.ts"
_PAGE = Path(__file__).with_name("screen.html")
_PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Seen:
    """What happened while a list was played: every error and warning, every size of picture in order."""

    problems: list[str]
    sizes: list[str]
    ended: bool
    duration: float
    pictures: int


class Screen:
    """Plays what lies below a folder, by `lists`, whose texts may change meanwhile."""

    def __init__(self, page: Page, lists: dict[str, str], console: list[str]) -> None:
        self._page = page
        self._console = console
        self.lists = lists

    async def play(self, path: str, *, rate: float = 4, patience: int = _PATIENCE_MS) -> Seen:
        """Play the list at `path`, `rate` times as fast, for `patience` milliseconds at most.

        What the files cause comes again: where something was wrong, they are played once more as one watches them, for
        a busy machine may not keep up with more.
        """
        seen = await self._play(path, rate, patience)
        return await self._play(path, 1, patience) if seen.problems and rate > 1 else seen

    async def _play(self, path: str, rate: float, patience: int) -> Seen:
        self._console.clear()
        told = await self._page.evaluate("([url, rate, patience]) => play(url, rate, patience)", [path, rate, patience])
        told["problems"] += self._console
        return Seen(**told)


def offer(screen: Screen, base: str, *results: tuple[str, Result]) -> str:
    """Serve a list of (folder below the root, result) one after the other; give the path of its master playlist."""
    qualities = tiers([Item(f"/files/{folder}/", result.renditions) for folder, result in results])
    available = results[-1][1].available if not results[-1][1].whole else None
    for tier in qualities:
        screen.lists[f"{base}/{tier.name}.m3u8"] = media_playlist(tier.parts, available=available)
    screen.lists[f"{base}/index.m3u8"] = master_playlist([(f"{tier.name}.m3u8", tier) for tier in qualities])
    return f"/{base}/index.m3u8"


@asynccontextmanager
async def open_screen(files: Path) -> AsyncIterator[Screen]:
    """Open a browser on a page of ours, with the files of a folder behind it."""
    lists: dict[str, str] = {}

    async def page(_: web.Request) -> web.Response:
        config = re.search(r"const CONFIG: Partial<HlsConfig> = (\{.*?\n\});", _HLS_ENGINE.read_text(), re.DOTALL)
        assert config, "the widget keeps its configuration of hls.js elsewhere"
        head = f"<script>const CONFIG = {config[1]};</script>"
        return web.Response(
            text=_PAGE.read_text().replace("<script>", f"{head}\n<script>", 1), content_type="text/html"
        )

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(_HLS)

    async def playlist(request: web.Request) -> web.Response:
        text = lists.get(request.match_info["path"])
        if text is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl", headers=headers)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/hls.js", script)
    app.router.add_static("/files", files)
    app.router.add_get("/{path:.+\\.m3u8}", playlist)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with open_browser() as browser:
            opened = await browser.new_page(viewport={"width": 800, "height": 450})
            console: list[str] = []
            opened.on("console", lambda message: console.append(f"console: {message.text}"))
            opened.on("pageerror", lambda error: console.append(f"page: {error}"))
            await opened.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            yield Screen(opened, lists, console)
    finally:
        await runner.cleanup()
