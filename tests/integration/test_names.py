"""Looking names up without threads, and whom the connector calls then: name servers and hosts on loopback."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import cast

import aiohttp
import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from appservice.core.errors import UnavailableError
from appservice.matrix.discovery import GuardedConnector, Network
from appservice.matrix.names import Names, Service, SystemResolver, read_hosts
from appservice.matrix.openid import Federation, OpenIdVerifier
from tests.support.waiting import eventually

Records = dict[tuple[str, str], list[str]]


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Knows some records, denies all others, and says nothing about names that end in `silent.test`.

    `queries` counts them by name; one that comes again because the response took too long counts once.
    """

    records: Records = field(default_factory=dict)
    queries: Counter[str] = field(default_factory=Counter)
    taken: set[tuple[int, str, str]] = field(default_factory=set)
    ttl: int = 300
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        if (query.id, name, kind) not in self.taken:
            self.taken.add((query.id, name, kind))
            self.queries[name] += 1
        if name.endswith("silent.test"):
            return
        response = dns.message.make_response(query)
        if records := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *records))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        assert self.transport
        self.transport.sendto(response.to_wire(), address)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NameServer]:
    server = NameServer()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
    yield server
    transport.close()


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    names = Names()
    yield names
    await names.close()


# Looking up


async def test_concurrent_lookups_of_a_name_share_one_query(server: NameServer, names: Names) -> None:
    server.records = {("both.test", "A"): ["192.0.2.1", "192.0.2.2"], ("both.test", "AAAA"): ["2001:db8::1"]}
    found = await asyncio.gather(*(names.addresses(name) for name in ["both.test", "BOTH.test.", "both.test"] * 10))
    assert {tuple(sorted(addresses)) for addresses in found} == {("192.0.2.1", "192.0.2.2", "2001:db8::1")}
    assert server.queries == {"both.test": 2}


async def test_negative_responses_are_cached_for_a_while_as_well(server: NameServer, names: Names) -> None:
    for _ in range(3):
        assert await names.addresses("none.test") == []
        assert await names.services("_matrix._tcp.none.test") == []
    assert server.queries == {"none.test": 2, "_matrix._tcp.none.test": 1}


async def test_nothing_is_kept_for_longer_than_a_minute_nor_shorter_than_a_second(server: NameServer) -> None:
    server.records = {("a.test", "A"): ["192.0.2.1"], ("a.test", "AAAA"): ["2001:db8::1"]}
    now = 1000.0
    names = Names(clock=lambda: now)
    for server.ttl, kept in ((86_400, 60.0), (0, 1.0)):
        server.queries.clear()
        await names.addresses("a.test")
        now += kept - 0.1
        await names.addresses("a.test")
        assert server.queries == {"a.test": 2}
        now += 0.2
        await names.addresses("a.test")
        assert server.queries == {"a.test": 4}
        now += 100


async def test_services_best_first(server: NameServer, names: Names) -> None:
    server.records = {("_x._tcp.a.test", "SRV"): ["20 0 3 c.test.", "10 1 2 b.test.", "10 9 1 a.test."]}
    server.records["_x._tcp.none.test", "SRV"] = ["0 0 0 ."]  # "the service is decidedly not available" (RFC 2782)
    assert await names.services("_x._tcp.a.test") == [Service("a.test", 1), Service("b.test", 2), Service("c.test", 3)]
    assert await names.services("_x._tcp.none.test") == []


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".test", "x." * 200, "ü.test", "\x00"])
async def test_what_is_no_name(server: NameServer, names: Names, name: str) -> None:
    async with asyncio.timeout(10):
        assert await names.addresses(name) == []
    assert server.queries.total() <= 2


async def test_a_silent_name_server_holds_no_thread_and_no_other_name_up(server: NameServer, names: Names) -> None:
    server.records = {("a.test", "A"): ["192.0.2.1"]}
    waiting = [asyncio.create_task(names.addresses(f"x{n}.silent.test")) for n in range(100)]

    async def all_queried() -> bool:
        return server.queries.total() >= 100

    async with asyncio.timeout(5):
        await eventually(all_queried)
        assert await names.addresses("a.test") == ["192.0.2.1"]
        assert await asyncio.gather(*(asyncio.to_thread(str, n) for n in range(100))) == [str(n) for n in range(100)]
    assert not all(task.done() for task in waiting)
    async with asyncio.timeout(15):
        assert await asyncio.gather(*waiting) == [[]] * 100
        # The server takes queries in their order: once it has responded to this one, all before are counted.
        assert await names.addresses("before.test") == []
        before = server.queries["x1.silent.test"]
        assert await names.addresses("x1.silent.test") == []
        assert await names.addresses("after.test") == []
    assert server.queries["x1.silent.test"] == before


async def test_a_cancelled_lookup_does_not_end_it_for_others(server: NameServer, names: Names) -> None:
    server.records = {("a.test", "A"): ["192.0.2.1"]}
    first, second = (asyncio.create_task(names.addresses("a.test")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ["192.0.2.1"]
    await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()


async def test_any_number_of_names_takes_bounded_memory(server: NameServer, names: Names) -> None:
    for start in range(0, 2000, 100):
        await asyncio.gather(*(names.services(f"x{n}.test") for n in range(start, start + 100)))
    server.queries.clear()
    await asyncio.gather(*(names.services(f"x{n}.test") for n in range(1900, 2000)))
    assert server.queries.total() == 0
    await asyncio.gather(*(names.services(f"x{n}.test") for n in range(100)))
    assert server.queries.total() == 100  # not kept any more


def test_a_hosts_file() -> None:
    text = "127.0.0.1 localhost Here # not there\n::1\tlocalhost\n\n#1.2.3.4 no\n127.1 odd\nnonsense\n10.0.0.1\n"
    assert read_hosts(text) == {"localhost": ["127.0.0.1", "::1"], "here": ["127.0.0.1"]}


async def test_the_system_resolves_in_threads_of_our_own() -> None:
    resolver = SystemResolver()
    try:
        (found, *_) = await resolver.resolve("localhost", 80)
        assert (found["host"], found["port"], found["hostname"]) == ("127.0.0.1", 80, "localhost")
        with pytest.raises(OSError, match=r".+"):
            await resolver.resolve("name.invalid", 80)
    finally:
        await resolver.close()


# Whom the connector calls


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[int, list[bytes]]]:
    """Yield the port of a server on loopback, and what it is sent by each connection."""
    connections: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(b"")
        place = len(connections) - 1
        while data := await reader.read(1000):
            connections[place] += data
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], connections


ODD = [
    "2130706433", "017700000001", "0x7f000001", "0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.1", "127.0.0.1.",
    "127.0.0.01", "0", "0.0.0.0", "127.0.0.1",  # noqa: S104
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::1]", "[fe80::1%25eth0]", "100.64.0.1", "localhost", "localhost.", "LOCALHOST",
]  # fmt: skip


@pytest.mark.parametrize("host", ODD)
async def test_no_form_of_an_address_leads_inside(
    server: NameServer, names: Names, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # As before aiohttp 3.14.1: what consists of digits goes to the socket as it is.
    monkeypatch.setattr("aiohttp.connector.is_canonical_ipv4_address", lambda _host: True)
    async with counting() as (port, connections):
        async with aiohttp.ClientSession(connector=GuardedConnector([], names)) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"http://{host}:{port}/", timeout=aiohttp.ClientTimeout(total=3))
        assert connections == []
    assert server.queries.total() == 0


async def test_such_forms_would_lead_inside_without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiohttp.connector.is_canonical_ipv4_address", lambda _host: True)
    async with counting() as (port, connections), aiohttp.ClientSession() as session:
        for host in ("2130706433", "127.1", "0177.0.0.1"):
            with pytest.raises(TimeoutError):
                await session.get(f"http://{host}:{port}/", timeout=aiohttp.ClientTimeout(total=0.3))
        assert len(connections) == 3


class _Until:
    """Allowed networks that hold everything, for the first `times` looks."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __iter__(self) -> Iterator[IPv4Network]:
        self._left -= 1
        return iter([IPv4Network("0.0.0.0/0")] if self._left >= 0 else [])


@pytest.mark.parametrize("host", ["127.0.0.1", "a.test"])
async def test_the_peer_is_checked_before_anything_is_sent(server: NameServer, names: Names, host: str) -> None:
    server.records = {("a.test", "A"): ["127.0.0.1"]}
    async with counting() as (port, connections):
        # The name and the address are let through: only the peer is not.
        connector = GuardedConnector(cast("list[Network]", _Until(2)), names)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectionError, match="is not a public address"):
                await session.get(f"http://{host}:{port}/", timeout=aiohttp.ClientTimeout(total=3))
        await asyncio.sleep(0)
        assert connections in ([], [b""])


@pytest.mark.parametrize("target", ["inside.test", "inside6.test", "mixed.test"])
async def test_a_service_record_does_not_lead_inside(server: NameServer, names: Names, target: str) -> None:
    async with counting() as (port, connections):
        server.records = {
            ("inside.test", "A"): ["127.0.0.1"],
            ("inside6.test", "AAAA"): ["::ffff:127.0.0.1"],
            ("mixed.test", "A"): ["10.0.0.1", "169.254.169.254", "100.64.0.1", "127.0.0.1"],
            ("_matrix-fed._tcp.evil.test", "SRV"): [f"10 0 {port} {target}."],
        }
        async with aiohttp.ClientSession(connector=GuardedConnector([], names)) as session:
            with pytest.raises(UnavailableError):
                await OpenIdVerifier({}, Federation(session, names)).user_of("token", "evil.test")
        assert connections == []
    assert server.queries["_matrix-fed._tcp.evil.test"] == 1
    assert server.queries[target] == 2


async def test_questions_to_one_domain_and_to_all_are_bounded(server: NameServer, names: Names) -> None:
    """Who has many silent names has not all of our attention."""
    async with aiohttp.ClientSession(connector=GuardedConnector([], names)) as session:
        verifier = OpenIdVerifier({}, Federation(session, names))

        async def resolve(name: str) -> str:
            with pytest.raises(UnavailableError) as caught:
                await verifier.user_of("token", name)
            return str(caught.value)

        ours = [asyncio.create_task(resolve(f"x{n}.silent.test")) for n in range(30)]
        done, pending = await asyncio.wait(ours, timeout=4)
        assert (len(done), len(pending)) == (22, 8)
        assert all(task.result().startswith("Too many requests") for task in done)
        # Another's name is looked up meanwhile.
        assert await resolve("other.example") == "The homeserver other.example does not respond."
        many = [asyncio.create_task(resolve(f"x.y{n}silent.test")) for n in range(100)]
        done, _ = await asyncio.wait(many, timeout=4)
        assert len(done) == 100 - (64 - 8)
        for task in (*ours, *many):
            task.cancel()
        await asyncio.gather(*ours, *many, return_exceptions=True)
        # What went away is not counted any more.
        assert await resolve("other.example") == "The homeserver other.example does not respond."
