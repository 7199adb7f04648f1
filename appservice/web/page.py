"""The widget's page and its assets, under a strict Content Security Policy."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from appservice import resources
from appservice.core.errors import ConfigError, NotFoundError
from appservice.i18n import Texts, preferred_language
from appservice.web.context import CONTEXT

_ENTRY = "src/main.tsx"
_HASH = 9  # characters: a hyphen, and what stands for the content
SOON = ("src/ui/first.ts", "src/player/engines.ts")
"""Modules that every page which plays imports soon after its script."""


def policy(*origins: str) -> str:
    """Return the Content Security Policy of a page that fetches media from us, and from some other `origins`.

    Who may frame it is the page's own.
    """
    us = " ".join(("'self'", *origins))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {us} data:; media-src {us} blob:; "
        f"connect-src {us}; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


POLICY = policy()
"""That of every page that fetches everything from us."""
ADDRESS = "/widget/"


def framed(policy: str, frame_ancestors: Sequence[str]) -> str:
    """Return a policy of a page that these sites may frame, or with none any."""
    return policy + (f"; frame-ancestors {' '.join(frame_ancestors)}" if frame_ancestors else "")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page loads: addresses of its script, styles, modules that every visit needs, and texts by language."""

    script: str
    styles: list[str]
    preloads: list[str]
    texts: dict[str, str]


def read_entry(assets: Path, name: str, soon: Sequence[str] = ()) -> Entry:
    """Read an entry of Vite's manifest (vite.dev, "Backend Integration"), and the modules that it imports soon after.

    Raises ConfigError when one was not built.
    """
    try:
        manifest = json.loads((assets / ".vite" / "manifest.json").read_text(encoding="utf-8"))
        at_once = _imported(manifest, name)
        later = {chunk: None for each in soon for chunk in _imported(manifest, each) if chunk not in at_once}
        # A shared chunk's styles come before those of the page, which may refine them, and those of later ones after.
        styles = [file for each in (*reversed(at_once), *later) for file in manifest[each].get("css", [])]
        imports = [manifest[each]["file"] for each in (*at_once, *later) if each != name]
        others = [file for each in at_once for file in manifest[each].get("assets", [])]
        texts = {Path(file).stem[:-_HASH]: _address(file) for file in others if file.endswith(".json")}
        script = manifest[name]["file"]
    except (OSError, KeyError) as error:
        raise ConfigError(f"The widget is not built ({error}). In a checkout, `./run` builds it.") from error
    return Entry(_address(script), [*map(_address, styles)], [*map(_address, imports)], texts)


def _imported(manifest: dict[str, Any], name: str) -> dict[str, None]:
    """Name a chunk and all that it imports at once, each before what it imports."""
    found = {name: None}
    for each in manifest[name].get("imports", []):
        found |= _imported(manifest, each)
    return found


def _address(file: str) -> str:
    return f"/widget/{file}"


def template(templates: Path, name: str) -> jinja2.Template:
    """Load a page's template, which escapes whatever is put into it."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), autoescape=True)
    return environment.get_template(name)


def rendered(page: jinja2.Template, entry: Entry) -> Callable[[str], str]:
    """Return what renders a page in a language: once, when it is first requested."""

    @cache
    def render(language: str) -> str:
        return page.render(lang=language, entry=entry, say=Texts(resources.locales(), language).say)

    return render


def add_page(app: web.Application) -> None:
    """Serve `/widget/` and its hashed assets. Raises ConfigError when the widget was not built."""
    assets = resources.widget_assets()
    render = rendered(template(resources.templates(), "widget.html"), read_entry(assets, _ENTRY, SOON))

    async def page(request: web.Request) -> web.Response:
        context = request.app[CONTEXT]
        allowed = policy(*await context.files.origins())
        headers = {
            "Content-Security-Policy": framed(allowed, context.config.web.frame_ancestors),
            "Cache-Control": "no-cache",
            "Vary": "Accept-Language",
        }
        # The client's language, then the browser's: as the script chooses.
        wishes = (request.query.get("lang", "")[:100].split(",")[0], request.headers.get("Accept-Language", ""))
        text = render(preferred_language(",".join(wishes)))
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def to_page(request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(request.rel_url.with_path(ADDRESS, keep_query=True))

    async def asset(request: web.Request) -> web.FileResponse:
        file = assets / "assets" / request.match_info["name"]
        if not await asyncio.to_thread(file.is_file):
            raise NotFoundError("There is no such file; the page may be of another release.")
        # Its name holds a hash of its content.
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.FileResponse(file, headers=headers)

    app.router.add_get(ADDRESS, page)
    app.router.add_get("/widget", to_page)
    app.router.add_get(r"/widget/assets/{name:[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}}", asset)
