"""Downloads of exports by their secret links, until these expire."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from appservice import resources
from appservice.core.errors import NotFoundError
from appservice.i18n import preferred_language
from appservice.media.concatenated import Whole
from appservice.media.reading import reading
from appservice.media.stored import decrypted_file
from appservice.web.context import CONTEXT
from appservice.web.operation import ERROR, Content, Operation
from appservice.web.page import POLICY, read_entry, rendered, template
from appservice.web.progressive import send

_HEADERS = {
    "Content-Type": "application/zip",
    "Content-Disposition": 'attachment; filename="roomreel.zip"',
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex",
}
_LINK = "[A-Za-z0-9_-]{20,100}"
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_GONE = "This link does not hold (any more). Ask the bot for a new one: export"
_GONE_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Vary": "Accept, Accept-Language",
    "X-Robots-Tag": "noindex",
}


def add_exports(app: web.Application) -> None:
    """Serve what members take with them. Raises ConfigError when the widget's pages were not built."""
    entry = read_entry(resources.widget_assets(), "src/page.tsx")
    gone = rendered(template(resources.templates(), "gone.html"), entry)

    @Operation(
        "What a member takes with them, by the link that the bot sent them; `Range` is heeded",
        {
            200: Content("The whole zip", other=_ZIP),
            206: Content("A part of it", other=_ZIP),
            304: Content("It is known already (`If-None-Match`)"),
            # Where `Accept` names it: the same in words, as a page.
            404: replace(ERROR, other={"text/html": {"schema": {"type": "string"}}}),
        },
        errors=(416,),
        session=False,
        patterns={"secret": _LINK},
    )
    async def show(request: web.Request) -> web.StreamResponse:
        return await _show(gone, request)

    app.router.add_get(f"/export/{{secret:{_LINK}}}", show)


async def _show(gone: Callable[[str], str], request: web.Request) -> web.StreamResponse:
    try:
        return await _export(request)
    except NotFoundError:
        # Who followed a link in a message is a person with a browser.
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        language = preferred_language(request.headers.get("Accept-Language", ""))
        return web.Response(text=gone(language), status=404, content_type="text/html", headers=_GONE_HEADERS)


async def _export(request: web.Request) -> web.StreamResponse:
    """Send the zip, in whole or in part. It ends in the middle once it may not be fetched any more."""
    context = request.app[CONTEXT]
    digest = hashlib.sha256(request.match_info["secret"].encode()).digest()
    found = await context.stores.exports.by_secret(digest)
    if found is None:
        raise NotFoundError(_GONE)
    export_id, sealed_key = found
    key = context.media_keys.key_of_export(sealed_key, export_id) if sealed_key else None
    stored = await context.storage.exports.file(export_id)
    if stored is None:
        raise NotFoundError(_GONE)
    try:
        file = await reading(decrypted_file, stored, key)
    except (FileNotFoundError, NotFoundError) as error:
        raise NotFoundError(_GONE) from error
    return await send(
        request, Whole(b"", [file]), export_id, _HEADERS, lambda: context.stores.exports.by_secret(digest)
    )
