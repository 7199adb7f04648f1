"""Serves the demo's host page, which behaves as a Matrix client does. For loopback only: it hands out the passwords."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from appservice import resources
from appservice.core.errors import ConfigError
from appservice.demo.devices import add_devices
from appservice.demo.encrypted_client import EncryptedClient

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {homeserver}; "
    "frame-src {widget}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


# A page sends the newest events of a timeline, to have them decrypted.
_LARGEST_BODY_BYTES = 16 * 2**20


def build_host(
    assets: Path, about: Mapping[str, Any], *, homeserver: str, widget: str, devices: Iterable[EncryptedClient] = ()
) -> web.Application:
    """Return the page's application; `about` is the response of `/demo.json` (addresses, room, users with passwords).

    `devices` are what its users send to encrypted rooms with, and read them.

    Raises ConfigError when the page was not built.
    """
    if not (assets / "index.html").is_file():
        raise ConfigError("The demo's host page is not built. In a checkout, `./run demo` builds it.")
    headers = {
        "Content-Security-Policy": _CSP.format(homeserver=homeserver, widget=widget),
        "Cache-Control": "no-store",
    }

    async def page(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(assets / "index.html", headers=headers)

    async def demo(_request: web.Request) -> web.Response:
        return web.json_response(about, headers={"Cache-Control": "no-store"})

    app = web.Application(client_max_size=_LARGEST_BODY_BYTES)
    app.router.add_get("/", page)
    app.router.add_get("/demo.json", demo)
    app.router.add_static("/assets", assets / "assets")
    add_devices(app, {device.user_id: device for device in devices})
    return app


async def serve_host(app: web.Application, port: int) -> web.AppRunner:
    """Listen on loopback. Raises ConfigError when the port is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(f"Port {port} cannot be used ({error}). Choose another by --port.") from error
    return runner


def host_of(
    about: Mapping[str, Any], homeserver: str, widget: str, devices: Iterable[EncryptedClient] = ()
) -> web.Application:
    """Return the application of the page that came with this installation."""
    return build_host(resources.host_assets(), about, homeserver=homeserver, widget=widget, devices=devices)
