"""Where another homeserver is reached (server-server API, "Server discovery"), behind a guard against our own network.

Every name that a viewer's browser hands us is hostile: it must not make us call into private
networks. The guard sits in the resolver of the HTTP connector, so that it also holds for
redirects and for names that answer differently the second time.
"""

import json
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp
import dns.asyncresolver
import dns.exception
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from appservice.errors import ForbiddenError

FEDERATION_PORT = 8448
_WELL_KNOWN_LIMIT = 50 * 1024
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
        """The https address to ask."""
        return f"https://{self.host}:{self.port}"


def split_server_name(server_name: str) -> tuple[str, int | None]:
    """Split a server name into host (IPv6 without brackets) and port. Raises ForbiddenError when it is none."""
    match = _SERVER_NAME.fullmatch(server_name)
    if match is None or int(match["port"] or 0) > 65535:
        raise ForbiddenError("matrix_server_name is not a server name.")
    return match["host"].strip("[]"), int(match["port"]) if match["port"] else None


def is_reachable(address: str, allowed: Sequence[Network]) -> bool:
    """Say whether we may call this IP address: public, or inside a network that the config allows."""
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

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host` that may be called. Raises OSError when there is none."""
        found = await self._inner.resolve(host, port, family)
        safe = [result for result in found if is_reachable(result["host"], self._allowed)]
        if not safe:
            raise OSError(None, f"{host} has no public address")
        return safe

    async def close(self) -> None:
        """Nothing is held."""


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class GuardedConnector(aiohttp.TCPConnector):
    """A connector that also refuses address literals, which never reach a resolver."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        super().__init__(resolver=GuardedResolver(allowed), use_dns_cache=False)
        self._allowed = allowed

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> aiohttp.connector.Connection:
        """Connect unless the request names an address that we may not call. Raises ClientConnectionError."""
        host = req.url.host or ""
        if _literal(host) is not None and not is_reachable(host, self._allowed):
            raise aiohttp.ClientConnectionError(f"{host} is not a public address")
        return await super().connect(req, traces, timeout)


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes. Raises ValueError when it is longer."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(limit):
        body += chunk
        if len(body) > limit:
            raise ValueError("the answer is too long")
    return bytes(body)


async def read_json(response: aiohttp.ClientResponse, limit: int) -> dict[str, Any]:
    """Read an answer of at most `limit` bytes. Raises ValueError when it is longer or no JSON object."""
    try:
        answer = json.loads(await read_limited(response, limit))
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - one kind of error for every bad answer
    return answer


async def discover(session: aiohttp.ClientSession, server_name: str) -> list[Address]:
    """Return where the homeserver of `server_name` may be reached, best first. `session` must be guarded.

    Raises ForbiddenError when it is no server name.
    """
    if address := _explicit(server_name):
        return [address]
    delegated = await _well_known(session, server_name)
    if delegated and (address := _explicit(delegated)):
        return [address]
    name = delegated or server_name
    return [*await _srv(name), Address(name, FEDERATION_PORT, name, name)]


def _explicit(server_name: str) -> Address | None:
    # An address literal, or a port, leaves nothing to discover.
    host, port = split_server_name(server_name)
    if _literal(host) is None and port is None:
        return None
    return Address(f"[{host}]" if ":" in host else host, port or FEDERATION_PORT, host, server_name)


async def _well_known(session: aiohttp.ClientSession, host: str) -> str | None:
    try:
        async with session.get(f"https://{host}/.well-known/matrix/server", max_redirects=5) as response:
            delegated = (await read_json(response, _WELL_KNOWN_LIMIT)).get("m.server")
            # Whatever is no server name counts as no answer (spec: "skip to step 4").
            valid = response.status == 200 and isinstance(delegated, str) and _SERVER_NAME.fullmatch(delegated)
            return delegated if valid else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def _srv(host: str) -> list[Address]:
    for service in ("_matrix-fed._tcp", "_matrix._tcp"):
        try:
            answer = await dns.asyncresolver.resolve(f"{service}.{host}", "SRV", lifetime=5)
        except (dns.exception.DNSException, OSError):
            continue
        records = sorted(answer, key=lambda record: (record.priority, -record.weight))
        return [Address(str(record.target).rstrip("."), record.port, host, host) for record in records]
    return []
