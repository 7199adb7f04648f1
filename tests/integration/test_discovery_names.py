"""Server discovery by name, with a real name server and a real `.well-known` on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from socket import AF_INET, AF_UNSPEC, AddressFamily
from typing import cast

import aiohttp
import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from pytest_aiohttp import AiohttpServer

from appservice.core.errors import UnavailableError
from appservice.matrix.discovery import Address, discover
from appservice.matrix.names import Names
from appservice.matrix.openid import Federation, OpenIdVerifier

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Zone(asyncio.DatagramProtocol):
    """A name server that knows some service records and nothing else."""

    records: dict[str, list[str]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.queries.append(name)
        response = dns.message.make_response(query)
        if name in self.records:
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "SRV", *self.records[name]))
        else:
            response.set_rcode(dns.rcode.NXDOMAIN)
        assert self.transport
        self.transport.sendto(response.to_wire(), address)


@pytest.fixture
async def zone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Zone]:
    zone = Zone()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: zone, ("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
    yield zone
    transport.close()


class _ToOnePort(AbstractResolver):
    """Sends every name to one server on loopback, as if it were the internet."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.names: list[tuple[str, int]] = []

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_UNSPEC) -> list[ResolveResult]:
        assert family in {AF_UNSPEC, AF_INET}
        self.names.append((host, port))
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


@dataclass
class Internet:
    """The server behind every name, and the requests that it got."""

    session: aiohttp.ClientSession
    resolver: _ToOnePort
    handlers: dict[str, Handler]
    requests: list[str]


@pytest.fixture
async def internet(aiohttp_server: AiohttpServer) -> AsyncIterator[Internet]:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("example.test", "matrix.example.test", "other.test").configure_cert(server)
    authority.configure_trust(client)
    requests: list[str] = []
    handlers: dict[str, Handler] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        requests.append(f"{request.headers['Host']}{request.path}")
        if request.path not in handlers:
            raise web.HTTPNotFound
        return await handlers[request.path](request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    listening = await aiohttp_server(app, ssl=server, shutdown_timeout=0.1)
    resolver = _ToOnePort(int(listening.port or 0))
    connector = aiohttp.TCPConnector(resolver=resolver, ssl=client)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=3)) as session:
        yield Internet(session, resolver, handlers, requests)


def delegates(internet: Internet, body: object, status: int = 200) -> None:
    async def respond(_request: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status)

    internet.handlers["/.well-known/matrix/server"] = respond


ITSELF = Address("example.test", 8448, "example.test", "example.test")


async def test_a_name_without_delegation(zone: Zone, internet: Internet) -> None:
    assert await discover(internet.session, "example.test", Names()) == [ITSELF]
    assert internet.requests == ["example.test/.well-known/matrix/server"]
    assert internet.resolver.names == [("example.test", 443)]
    assert zone.queries == ["_matrix-fed._tcp.example.test", "_matrix._tcp.example.test"]


async def test_delegation_to_a_name_with_a_port(zone: Zone, internet: Internet) -> None:
    delegates(internet, {"m.server": "matrix.example.test:443"})
    assert await discover(internet.session, "example.test", Names()) == [
        Address("matrix.example.test", 443, "matrix.example.test", "matrix.example.test:443")
    ]
    assert zone.queries == []


async def test_delegation_to_an_address(zone: Zone, internet: Internet) -> None:
    delegates(internet, {"m.server": "[2001:db8::1]"})
    assert await discover(internet.session, "example.test", Names()) == [
        Address("[2001:db8::1]", 8448, "2001:db8::1", "[2001:db8::1]")
    ]
    assert zone.queries == []


async def test_delegation_to_a_name_alone_goes_on_with_that_name(zone: Zone, internet: Internet) -> None:
    delegates(internet, {"m.server": "other.test"})
    zone.records["_matrix-fed._tcp.other.test"] = ["10 5 8000 matrix.example.test."]
    assert await discover(internet.session, "example.test", Names()) == [
        Address("matrix.example.test", 8000, "other.test", "other.test"),
        Address("other.test", 8448, "other.test", "other.test"),
    ]
    assert zone.queries == ["_matrix-fed._tcp.other.test"]


async def test_service_records_by_priority_then_weight(zone: Zone, internet: Internet) -> None:
    zone.records["_matrix._tcp.example.test"] = ["20 0 3 c.test.", "10 1 2 b.test.", "10 9 1 a.test."]
    found = await discover(internet.session, "example.test", Names())
    assert [(address.host, address.port) for address in found] == [
        ("a.test", 1), ("b.test", 2), ("c.test", 3), ("example.test", 8448),
    ]  # fmt: skip
    assert {address.name for address in found} == {"example.test"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"m.server": 5}, 200), ({}, 200), ([], 200), ("<html>", 200), ({"m.server": "other.test:1"}, 404),
        ({"m.server": "other.test:1", "padding": "x" * 60_000}, 200), ("[" * 40_000, 200), ({"m.server": ""}, 200),
        ({"m.server": "http://169.254.169.254/"}, 200),
    ],
)  # fmt: skip
async def test_a_delegation_that_is_none(zone: Zone, internet: Internet, body: object, status: int) -> None:
    delegates(internet, body, status)
    assert await discover(internet.session, "example.test", Names()) == [ITSELF]
    assert len(zone.queries) == 2


async def test_a_delegation_may_be_redirected_but_not_for_ever(zone: Zone, internet: Internet) -> None:
    delegates(internet, {"m.server": "matrix.example.test:443"})
    internet.handlers["/moved"] = internet.handlers.pop("/.well-known/matrix/server")

    async def moved(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("https://other.test/moved")

    internet.handlers["/.well-known/matrix/server"] = moved
    assert (await discover(internet.session, "example.test", Names()))[0].host == "matrix.example.test"
    assert internet.requests[-1] == "other.test/moved"
    internet.handlers["/moved"] = moved
    assert await discover(internet.session, "example.test", Names()) == [ITSELF]
    assert len(internet.requests) < 12
    assert len(zone.queries) == 2


async def test_a_user_of_a_delegated_server(zone: Zone, internet: Internet) -> None:
    delegates(internet, {"m.server": "other.test"})
    zone.records["_matrix-fed._tcp.other.test"] = ["10 5 8000 matrix.example.test."]

    async def userinfo(request: web.Request) -> web.StreamResponse:
        # The record's target is where to connect; certificate and Host are those of the delegated name.
        assert request.headers["Host"] == "other.test"
        return web.json_response({"sub": "@carol:example.test"})

    internet.handlers["/_matrix/federation/v1/openid/userinfo"] = userinfo
    verifier = OpenIdVerifier({}, Federation(internet.session, Names()))
    assert await verifier.user_of("token", "example.test") == "@carol:example.test"
    assert internet.resolver.names[-1] == ("matrix.example.test", 8000)


async def test_the_next_address_is_tried_when_one_does_not_respond(zone: Zone, internet: Internet) -> None:
    zone.records["_matrix-fed._tcp.example.test"] = ["10 0 1 a.test."]
    hosts = []

    async def userinfo(_request: web.Request) -> web.StreamResponse:
        hosts.append(internet.resolver.names[-1][0])
        return web.json_response({"sub": "@carol:example.test"}, status=502 if len(hosts) == 1 else 200)

    internet.handlers["/_matrix/federation/v1/openid/userinfo"] = userinfo
    verifier = OpenIdVerifier({}, Federation(internet.session, Names()))
    assert await verifier.user_of("token", "example.test") == "@carol:example.test"
    assert hosts == ["a.test", "example.test"]


async def test_no_address_responds(zone: Zone, internet: Internet) -> None:
    with pytest.raises(UnavailableError, match=r"example\.test does not respond"):
        await OpenIdVerifier({}, Federation(internet.session, Names())).user_of("token", "example.test")
    assert zone.queries
