"""Looks whether an answer proves true: at the homeserver, at names and at the database."""

import asyncio
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from appservice.core.errors import RoomreelError
from appservice.database.server import OLDEST, look_at
from appservice.matrix.discovery import read_json, split_server_name
from appservice.matrix.openid import USERINFO

_TIMEOUT = aiohttp.ClientTimeout(total=8)
_LIMIT = 64 * 1024
_LOCAL = "http://localhost:8008"  # Synapse's own default


async def _get(url: str) -> tuple[int, dict[str, Any]]:
    """Return status and JSON object of a response, empty where it is none. Raises ClientError or TimeoutError."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
        try:
            return response.status, await read_json(response, _LIMIT)
        except ValueError:
            return response.status, {}


async def homeserver_of(server_name: str) -> str:
    """Return where clients reach a homeserver (client-server API, "Well-known URI"), or where one is on this machine.

    Empty where nothing is found.
    """
    host, _ = split_server_name(server_name)
    try:
        _, found = await _get(f"https://{host}/.well-known/matrix/client")
    except (aiohttp.ClientError, TimeoutError, OSError):
        found = {}
    section = found.get("m.homeserver")
    url = section.get("base_url") if isinstance(section, dict) else None
    if isinstance(url, str) and urlsplit(url).scheme in {"http", "https"}:
        return url.rstrip("/")[:1000]
    return "" if await at_homeserver(_LOCAL, server_name) else _LOCAL


async def at_homeserver(url: str, server_name: str) -> str | None:
    """Return what is wrong with a homeserver's address, if anything."""
    try:
        status, versions = await _get(f"{url}/_matrix/client/versions")
        if status != 200 or not isinstance(versions.get("versions"), list):
            return f"There is no homeserver at {url} (status {status})."
        status, keys = await _get(f"{url}/_matrix/key/v2/server")
        name = keys.get("server_name")
        if status == 200 and isinstance(name, str) and name != server_name:
            return f"The homeserver at {url} is {name[:255]!r}, not {server_name}."
        status, _ = await _get(f"{url}{USERINFO}?access_token=roomreel-init")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"{url} does not respond ({error or type(error).__name__})."
    if status not in {400, 401, 403}:
        return (
            f"Nobody can prove at {url} who they are: add `openid` to the resources of that listener in "
            "homeserver.yaml and restart Synapse."
        )
    return None


async def at_public_url(url: str) -> str | None:
    """Return what is wrong with the address for viewers, if anything: it need not respond yet."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
        return f"{url} is plain http: clients on https refuse such a widget. It should be an https:// address."
    try:
        await asyncio.get_running_loop().getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        return f"The name {host} leads nowhere yet: add it to your DNS."
    return None


async def at_user(homeserver_url: str, user_id: str) -> str | None:
    """Return what is wrong with a user of our homeserver, if anything."""
    try:
        status, found = await _get(f"{homeserver_url}/_matrix/client/v3/profile/{quote(user_id, safe='')}")
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None  # that was said already
    # Synapse calls the reason M_NOT_FOUND or M_UNKNOWN; without any, nobody looked for the user.
    unknown = status == 404 and found.get("errcode") in {"M_NOT_FOUND", "M_UNKNOWN"}
    return f"The homeserver has no user {user_id}." if unknown else None


async def at_database(dsn: str) -> str | None:
    """Return what is wrong with a database, if anything."""
    if dsn == "embedded":
        return None
    try:
        server = await look_at(dsn)
    except RoomreelError as error:
        return str(error)
    if server.version < OLDEST:
        return f"PostgreSQL {server.version} is too old: {OLDEST} or newer is needed."
    return None
