"""Lends the host page people's devices that encrypt: it sends to encrypted rooms, and reads them, through these."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path

from aiohttp import web

from appservice.demo.client import MatrixError
from appservice.demo.crypto_device import NotSyncingError
from appservice.demo.encrypted_client import EncryptedClient

_CHUNK_BYTES = 64 * 1024
_ROOM = "/devices/{user_id}/rooms/{room_id}"

_Answer = Callable[[EncryptedClient, web.Request], Awaitable[web.Response]]
_Handler = Callable[[web.Request], Awaitable[web.Response]]


def add_devices(app: web.Application, devices: Mapping[str, EncryptedClient]) -> None:
    """Add the routes; `devices` are by user id. For loopback only: whoever reaches them sends as these people."""

    def of_device(answer: _Answer) -> _Handler:
        @wraps(answer)
        async def handler(request: web.Request) -> web.Response:
            device = devices.get(request.match_info["user_id"])
            if device is None:
                return _error(404, "M_NOT_FOUND", "The server of this page has no device of yours that encrypts.")
            try:
                return await answer(device, request)
            except MatrixError as error:
                return _error(error.status or 502, error.errcode, str(error))
            except (NotSyncingError, TimeoutError) as error:
                return _error(503, "M_UNKNOWN", str(error) or "Your device did not learn in time who is in the room.")

        return handler

    app.router.add_put(f"{_ROOM}/send/{{type}}/{{transaction_id}}", of_device(_send))
    app.router.add_post(f"{_ROOM}/decrypt", of_device(_decrypt))
    app.router.add_post(f"{_ROOM}/upload", of_device(_upload))


async def _send(device: EncryptedClient, request: web.Request) -> web.Response:
    at = request.match_info
    event_id = await device.send_event(at["room_id"], at["type"], await request.json(), at["transaction_id"])
    return web.json_response({"event_id": event_id})


async def _decrypt(device: EncryptedClient, request: web.Request) -> web.Response:
    events = (await request.json())["events"]
    return web.json_response({"events": await device.decrypt(request.match_info["room_id"], events)})


async def _upload(device: EncryptedClient, request: web.Request) -> web.Response:
    with tempfile.NamedTemporaryFile() as file:
        async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
            file.write(chunk)
        file.flush()
        return web.json_response({"file": await device.upload_encrypted(Path(file.name))})


def _error(status: int, errcode: str, text: str) -> web.Response:
    return web.json_response({"errcode": errcode, "error": text}, status=status)
