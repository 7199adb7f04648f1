"""Discovery of other homeservers (server-server API, "Server discovery"), behind a guard against our own network.

Every name that a viewer's browser hands us is hostile: it must not make us call into private
networks, nor hold us up. The guard sits in the HTTP connector, so that it also holds for
redirects and for names that resolve differently the second time: it judges the host that was
named, every address before it is called, and the peer that accepted, before anything is sent.
"""

import json
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from appservice.core.errors import ForbiddenError
from appservice.matrix.names import Names, is_address, resolved

FEDERATION_PORT = 8448
_WELL_KNOWN_LIMIT = 50 * 1024
_WELL_KNOWN_TIMEOUT = aiohttp.ClientTimeout(total=8)
# One homeserver's connections, and all of them together.
_MOST_OF_HOST, _MOST_CONNECTIONS = 8, 100
# What `inet_aton` takes for an address although nobody would write it (WHATWG URL, "ends in a number"): 127.1, 0x7f.1.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9a-fA-F]*)\.?", re.ASCII | re.DOTALL)
# Hostname, IPv4 or [IPv6] literal, with an optional port (spec appendix, "Server name").
_SERVER_NAME = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::(?P<port>\d{1,5}))?", re.ASCII)

Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, the name that the TLS certificate must have, and the Host header."""

    host: str
    port: int
    name: str
    authority: str

    @property
    def base_url(self) -> str:
        """The https address for requests."""
        return f"https://{self.host}:{self.port}"


def split_server_name(server_name: str) -> tuple[str, int | None]:
    """Split a server name into host (IPv6 without brackets) and port. Raises ForbiddenError when it is none."""
    match = _SERVER_NAME.fullmatch(server_name)
    if match is None or int(match["port"] or 0) > 65535:
        raise ForbiddenError("matrix_server_name is not a server name.")
    return match["host"].strip("[]"), int(match["port"]) if match["port"] else None


def is_reachable(address: str, allowed: Sequence[Network]) -> bool:
    """Say whether this is an IP address that we may call: public, or inside a network that the config allows."""
    if not is_address(address):
        return False  # 127.1, 0177.0.0.1, 2130706433: only the usual form can be judged
    ip = ip_address(address.partition("%")[0])
    plain: IPv4Address | IPv6Address = (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
    # 6to4 and Teredo carry an IPv4 address past a check of the outer one; nobody federates there. Neither
    # outside IANA's global unicast space, where NAT64, IPv4-compatible and site-local addresses are.
    special = isinstance(plain, IPv6Address) and (
        plain.sixtofour is not None or plain.teredo is not None or plain not in _GLOBAL_UNICAST
    )
    public = plain.is_global and not plain.is_multicast and not special
    return public or any(plain in network for network in allowed)


class GuardedResolver(AbstractResolver):
    """Resolves names for the federation's HTTP connector and hides every address that we may not call."""

    def __init__(self, allowed: Sequence[Network], names: Names) -> None:
        self._allowed = allowed
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host` that may be called. Raises OSError when there is none."""
        found = [resolved(host, address, port) for address in await self._names.addresses(host)]
        families = {socket.AF_INET, socket.AF_INET6} if family == socket.AF_UNSPEC else {family}
        safe = [r for r in found if r["family"] in families and is_reachable(r["host"], self._allowed)]
        if not safe:
            raise OSError(None, f"{host} has no public address")
        return safe

    async def close(self) -> None:
        """Nothing is held."""


class GuardedConnector(aiohttp.TCPConnector):
    """A connector that calls nobody whom we may not call, whatever leads there and whatever resolves it."""

    def __init__(self, allowed: Sequence[Network], names: Names, *, tls: ssl.SSLContext | None = None) -> None:
        """Call public addresses and those of `allowed`; trust what `tls` trusts, else the system's authorities."""
        super().__init__(
            ssl=tls or True,
            resolver=GuardedResolver(allowed, names), use_dns_cache=False, socket_factory=self._socket,
            limit=_MOST_CONNECTIONS, limit_per_host=_MOST_OF_HOST,
        )  # fmt: skip
        self._allowed = allowed

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """Open a socket for an address that is about to be called. Raises OSError when we may not."""
        family, kind, protocol, _, where = address
        if not is_reachable(str(where[0]), self._allowed):
            raise OSError(None, f"{where[0]} is not a public address")
        return socket.socket(family, kind, protocol)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> aiohttp.connector.Connection:
        """Connect unless the request names an address that we may not call. Raises ClientConnectionError."""
        host = req.url.host or ""
        if (is_address(host) or _ENDS_IN_NUMBER.fullmatch(host)) and not is_reachable(host, self._allowed):
            raise aiohttp.ClientConnectionError(f"{host} is not a public address")
        connection = await super().connect(req, traces, timeout)
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        if not peer or not is_reachable(peer[0], self._allowed):
            connection.close()
            raise aiohttp.ClientConnectionError(f"{host} led to {peer}, which is not a public address")
        return connection


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a response of at most `limit` bytes. Raises ValueError when it is longer."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(limit):
        body += chunk
        if len(body) > limit:
            raise ValueError("the response is too long")
    return bytes(body)


async def read_json(response: aiohttp.ClientResponse, limit: int) -> dict[str, Any]:
    """Read a response of at most `limit` bytes. Raises ValueError when it is longer or no JSON object."""
    try:
        body = json.loads(await read_limited(response, limit))
    except RecursionError as error:
        raise ValueError("the response is nested too deeply") from error
    if not isinstance(body, dict):
        raise ValueError("the response is no object")  # noqa: TRY004 - one kind of error for every bad response
    return body


async def discover(session: aiohttp.ClientSession, server_name: str, names: Names) -> list[Address]:
    """Return where the homeserver of `server_name` may be reached, best first. `session` must be guarded.

    Raises ForbiddenError when it is no server name.
    """
    if address := _explicit(server_name):
        return [address]
    delegated = await _well_known(session, server_name)
    if delegated and (address := _explicit(delegated)):
        return [address]
    name = delegated or server_name
    return [*await _srv(names, name), Address(name, FEDERATION_PORT, name, name)]


def _explicit(server_name: str) -> Address | None:
    # An address literal, or a port, leaves nothing to discover.
    host, port = split_server_name(server_name)
    if not is_address(host) and port is None:
        return None
    return Address(f"[{host}]" if ":" in host else host, port or FEDERATION_PORT, host, server_name)


async def _well_known(session: aiohttp.ClientSession, host: str) -> str | None:
    url = f"https://{host}/.well-known/matrix/server"
    try:
        async with session.get(url, max_redirects=5, timeout=_WELL_KNOWN_TIMEOUT) as response:
            delegated = (await read_json(response, _WELL_KNOWN_LIMIT)).get("m.server")
            # Whatever is no server name counts as no response (spec: "skip to step 4").
            valid = response.status == 200 and isinstance(delegated, str) and _SERVER_NAME.fullmatch(delegated)
            return delegated if valid else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def _srv(names: Names, host: str) -> list[Address]:
    for service in ("_matrix-fed._tcp", "_matrix._tcp"):
        if found := await names.services(f"{service}.{host}"):
            return [Address(each.target, each.port, host, host) for each in found]
    return []
