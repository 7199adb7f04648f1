"""Responds in the service's place while that does not run, so that a check also works before the first start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from appservice.config import Config
from appservice.web.page import ADDRESS, framed, policy
from appservice.web.probes import add_probes


@asynccontextmanager
async def listening(config: Config) -> AsyncIterator[bool]:
    """Respond on the service's port, where that is free; yield whether that was so."""
    runner = web.AppRunner(_app(config), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, config.web.host, config.web.port).start()
        except OSError:
            yield False  # the service itself has the port
        else:
            yield True
    finally:
        await runner.cleanup()


def _app(config: Config) -> web.Application:
    hs_token = config.appservice.hs_token.get_secret_value()

    async def ping(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == f"Bearer {hs_token}":
            return web.json_response({})
        return web.json_response({"errcode": "M_FORBIDDEN", "error": ""}, status=403)

    async def page(_request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": framed(policy(), config.web.frame_ancestors)}
        return web.Response(text="<!doctype html>", content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_post("/_matrix/app/v1/ping", ping)
    app.router.add_get(ADDRESS, page)
    add_probes(app, hs_token)
    return app
