"""Play playlists in a real Chromium with hls.js configured as in the widget, and collect every error and warning."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from appservice.demo.browser import open_browser
from transcode import Item, Result, master_playlist, media_playlist, tiers

_ROOT = Path(__file__).parents[3]
_HLS = _ROOT / "widget/node_modules/hls.js/dist/hls.light.js"
_HLS_ENGINE = _ROOT / "widget/src/player/hls-engine.ts"
_PAGE = Path(__file__).with_name("hls_player.html")
_PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Playback:
    """What happened while a playlist was played: every error and warning, every frame size in order."""

    problems: list[str]
    sizes: list[str]
    ended: bool
    duration: float
    frames: int


class HlsPlayer:
    """Plays the files below a folder by `lists`, playlists whose texts may change meanwhile."""

    def __init__(self, page: Page, lists: dict[str, str], console: list[str]) -> None:
        self._page = page
        self._console = console
        self.lists = lists

    async def play(self, path: str, *, rate: float = 4, patience: int = _PATIENCE_MS) -> Playback:
        """Play the list at `path`, `rate` times as fast, for `patience` milliseconds at most.

        Problems of the files are reproducible: after any, it plays once more at rate 1, since a busy machine may not
        keep up with a higher one.
        """
        playback = await self._play(path, rate, patience)
        return await self._play(path, 1, patience) if playback.problems and rate > 1 else playback

    async def _play(self, path: str, rate: float, patience: int) -> Playback:
        self._console.clear()
        playback = await self._page.evaluate(
            "([url, rate, patience]) => play(url, rate, patience)", [path, rate, patience]
        )
        playback["problems"] += self._console
        return Playback(**playback)


def serve_playlists(player: HlsPlayer, base: str, *results: tuple[str, Result]) -> str:
    """Serve a reel of (folder below the root, result) pairs and return the path of its master playlist."""
    variants = tiers([Item(f"/files/{folder}/", result.renditions) for folder, result in results])
    available = results[-1][1].available if not results[-1][1].whole else None
    for tier in variants:
        player.lists[f"{base}/{tier.name}.m3u8"] = media_playlist(tier.parts, available=available)
    player.lists[f"{base}/index.m3u8"] = master_playlist([(f"{tier.name}.m3u8", tier) for tier in variants])
    return f"/{base}/index.m3u8"


@asynccontextmanager
async def open_hls_player(files: Path) -> AsyncIterator[HlsPlayer]:
    """Open a browser with the player's page, and serve the files of a folder to it."""
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
    async with TestServer(app) as server, open_browser() as browser:
        opened = await browser.new_page(viewport={"width": 800, "height": 450})
        console: list[str] = []
        opened.on("console", lambda message: console.append(f"console: {message.text}"))
        opened.on("pageerror", lambda error: console.append(f"page: {error}"))
        await opened.goto(str(server.make_url("/")))
        yield HlsPlayer(opened, lists, console)
