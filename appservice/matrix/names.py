"""Host names to addresses: by DNS without threads for names that strangers choose, by the system for configured ones.

`getaddrinfo` holds a thread for as long as a name server is silent. In asyncio's default pool a few such names stop
everything else that needs a thread, files above all.
"""

import asyncio
import math
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_LOOKUP_S = 5.0
_MOST_LOOKUPS = 256
_MOST_CACHED = 1000
# In seconds: a response is cached for so long, whatever its time to live.
_SHORTEST_TTL, _LONGEST_TTL, _NEGATIVE_TTL = 1.0, 60.0, 10.0
_HOSTS = Path("/etc/hosts")
_LOOKUP_THREADS = 2


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is (SRV record, RFC 2782)."""

    target: str
    port: int


@dataclass(slots=True)
class _Lookup:
    """A look-up in progress, or its result until it expires (on the clock of `Names`)."""

    task: asyncio.Task[list[Any]]
    expires_at: float = math.inf


def read_hosts(text: str) -> dict[str, list[str]]:
    """Return the addresses of each name in a hosts file (hosts(5)); lines that are none are skipped."""
    hosts: dict[str, list[str]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if is_address(address):
            for name in names:
                hosts.setdefault(name.lower(), []).append(address)
    return hosts


def is_address(host: str) -> bool:
    """Say whether a host is an IP address in its usual form."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Names:
    """Looks names up by DNS, each once at a time; bounded in time and number, and cached briefly, failures as well."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lookups: dict[tuple[str, str], _Lookup] = {}
        self._slots = asyncio.Semaphore(_MOST_LOOKUPS)
        # A small file, read once; operators (and container runtimes) name internal servers there.
        self._hosts = read_hosts(_HOSTS.read_text(errors="replace")) if _HOSTS.exists() else {}

    async def addresses(self, host: str) -> list[str]:
        """Return the IP addresses of a host, none when they cannot be had within five seconds."""
        name = host.rstrip(".").lower()
        if name in self._hosts:
            return list(self._hosts[name])
        found = await asyncio.gather(self._look_up(name, "AAAA"), self._look_up(name, "A"))
        return [str(record.address) for records in found for record in records]

    async def services(self, name: str) -> list[Service]:
        """Return where a service is, best first; none as above."""
        records = [record for record in await self._look_up(name, "SRV") if str(record.target) != "."]
        records.sort(key=lambda record: (record.priority, -record.weight))
        return [Service(str(record.target).rstrip("."), record.port) for record in records]

    async def close(self) -> None:
        """Cancel the look-ups in progress."""
        tasks = [lookup.task for lookup in self._lookups.values()]
        self._lookups = {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, name: str, kind: str) -> list[Any]:
        key = (name, kind)
        lookup = self._lookups.get(key)
        if lookup is None or self._clock() >= lookup.expires_at:
            self._make_room()
            lookup = self._lookups[key] = _Lookup(asyncio.create_task(self._query(key)))
        # Others may wait for the same: that one of them goes away does not end it.
        return await asyncio.shield(lookup.task)

    def _make_room(self) -> None:
        if len(self._lookups) >= _MOST_CACHED:
            self._lookups = {key: each for key, each in self._lookups.items() if each.expires_at == math.inf}

    async def _query(self, key: tuple[str, str]) -> list[Any]:
        import dns.asyncresolver  # five megabytes, for those who look up another server
        import dns.exception

        name, kind = key
        ttl = _NEGATIVE_TTL
        try:
            async with asyncio.timeout(_LOOKUP_S), self._slots:
                response = await dns.asyncresolver.resolve(name, kind, lifetime=_LOOKUP_S, search=False)
            ttl = min(max(response.rrset.ttl if response.rrset else 0.0, _SHORTEST_TTL), _LONGEST_TTL)
            return list(response)
        except (dns.exception.DNSException, OSError, ValueError):
            return []  # no such name, no response in time, or no name at all
        finally:
            if key in self._lookups:
                self._lookups[key].expires_at = self._clock() + ttl


class SystemResolver(AbstractResolver):
    """Resolves as the system does (`getaddrinfo`), in threads of its own: only who uses it waits for a silent name."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="getaddrinfo")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises OSError when there is none."""
        find = partial(
            socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, find)
        # A link-local address is of use only with its interface.
        return [resolved(host, f"{at[0]}%{at[3]}" if len(at) == 4 and at[3] else str(at[0]), port) for *_, at in found]

    async def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def resolved(host: str, address: str, port: int) -> ResolveResult:
    """Return an address in the form that aiohttp's connector takes."""
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
