"""The widget's page and its assets, under a strict Content Security Policy."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from appservice import resources
from appservice.errors import ConfigError, NotFoundError
from appservice.web.context import CONTEXT

_ENTRY = "src/main.tsx"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def _preloads(manifest: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    return [f"/widget/{manifest[name]['file']}" for name in entry.get("imports", [])]


def render_page(assets: Path, templates: Path) -> str:
    """Render the page from Vite's manifest. Raises ConfigError when the widget was not built."""
    try:
        manifest = json.loads((assets / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The widget is not built ({error}). In a checkout, `./run` builds it.") from error
    entry = manifest[_ENTRY]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), autoescape=True)
    return environment.get_template("widget.html").render(
        lang="en",
        script=f"/widget/{entry['file']}",
        styles=[f"/widget/{name}" for name in entry.get("css", [])],
        preloads=_preloads(manifest, entry),
    )


def add_page(app: web.Application) -> None:
    """Serve `/widget/` and its hashed assets."""
    assets = resources.widget_assets()
    html = render_page(assets, resources.templates())

    async def page(request: web.Request) -> web.Response:
        ancestors = request.app[CONTEXT].config.web.frame_ancestors
        framing = f"; frame-ancestors {' '.join(ancestors)}" if ancestors else ""
        headers = {"Content-Security-Policy": _CSP + framing, "Cache-Control": "no-cache"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def to_page(request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(request.rel_url.with_path("/widget/", keep_query=True))

    async def asset(request: web.Request) -> web.FileResponse:
        file = assets / "assets" / request.match_info["name"]
        if not await asyncio.to_thread(file.is_file):
            raise NotFoundError("There is no such file; the page may be of another release.")
        # Its name holds a hash of its content.
        return web.FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    app.router.add_get("/widget/", page)
    app.router.add_get("/widget", to_page)
    app.router.add_get(r"/widget/assets/{name:[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}}", asset)
