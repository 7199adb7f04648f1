"""OpenID and server discovery against real servers with real certificates; the guard against our own network."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import cast

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.core.errors import ForbiddenError, UnavailableError, UnknownTokenError
from appservice.matrix.discovery import GuardedConnector, Network, discover
from appservice.matrix.names import Names
from appservice.matrix.openid import Federation, OpenIdVerifier, Peer

TOKEN = "very-secret-openid-token"
LOOPBACK: list[Network] = [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]
NOWHERE: list[Network] = [IPv4Network("203.0.113.0/24")]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@dataclass
class Remote:
    """A homeserver with certificates for 127.0.0.1 and localhost; its requests are kept."""

    port: int = 0
    handler: Handler | None = None
    requests: list[web.Request] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        assert self.handler
        return await self.handler(request)


@asynccontextmanager
async def serve(handler: Handler, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server(ssl=tls, shutdown_timeout=0.1)
    try:
        yield int(server.port or 0)
    finally:
        await server.close()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
async def remote(tls: ssl.SSLContext) -> AsyncIterator[Remote]:
    server = Remote()
    async with serve(server.handle, tls) as server.port:
        yield server


@asynccontextmanager
async def guarded(trusting: ssl.SSLContext, allowed: list[Network]) -> AsyncIterator[aiohttp.ClientSession]:
    connector = GuardedConnector(allowed, Names(), tls=trusting)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=3)) as session:
        yield session


@pytest.fixture
async def federation(trusting: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    async with guarded(trusting, LOOPBACK) as session:
        yield session


@pytest.fixture
async def plain() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def says(body: object, status: int = 200) -> Handler:
    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return respond


async def user_of(session: aiohttp.ClientSession, server_name: str) -> str:
    return await OpenIdVerifier({}, Federation(session, Names()), timeout_s=1).user_of(TOKEN, server_name)


def logged(error: BaseException) -> str:
    """Return everything that a log of this error could show."""
    parts, current = [], error
    while current:
        parts.append(f"{current!r} {current}")
        following = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if following is None:
            break
        current = following
    return " ".join(parts)


# A homeserver found by its name


async def test_a_server_with_an_explicit_port_is_requested_there(
    remote: Remote, federation: aiohttp.ClientSession
) -> None:
    remote.handler = says({"sub": f"@carol:{remote.name}"})
    assert await user_of(federation, remote.name) == f"@carol:{remote.name}"
    (request,) = remote.requests
    assert request.path == "/_matrix/federation/v1/openid/userinfo"
    assert request.query["access_token"] == TOKEN
    assert request.headers["Host"] == remote.name
    assert request.secure


async def test_a_name_with_a_port_needs_a_certificate_of_that_name(
    remote: Remote, federation: aiohttp.ClientSession
) -> None:
    name = f"localhost:{remote.port}"
    remote.handler = says({"sub": f"@carol:{name}"})
    assert await user_of(federation, name) == f"@carol:{name}"


async def test_a_certificate_of_another_name_is_refused(
    authority: trustme.CA, federation: aiohttp.ClientSession
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    requests: list[web.Request] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return web.json_response({})

    async with serve(respond, context) as port:
        with pytest.raises(UnavailableError) as caught:
            await user_of(federation, f"localhost:{port}")
    assert requests == []
    assert TOKEN not in logged(caught.value)


async def test_a_certificate_of_an_unknown_authority_is_refused(remote: Remote) -> None:
    remote.handler = says({"sub": f"@carol:{remote.name}"})
    async with aiohttp.ClientSession(connector=GuardedConnector(LOOPBACK, Names())) as session:
        with pytest.raises(UnavailableError):
            await user_of(session, remote.name)
    assert remote.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433"])
async def test_our_own_network_is_not_called(remote: Remote, trusting: ssl.SSLContext, host: str) -> None:
    remote.handler = says({"sub": f"@carol:{host}:{remote.port}"})
    for allowed in (list[Network](), NOWHERE):
        async with guarded(trusting, allowed) as session:
            with pytest.raises(UnavailableError) as caught:
                await user_of(session, f"{host}:{remote.port}")
        assert TOKEN not in logged(caught.value)
    assert remote.requests == []


async def test_an_unguarded_host_of_the_same_machine_would_have_responded(
    remote: Remote, trusting: ssl.SSLContext
) -> None:
    # The counterpart of the test above: what keeps it out is the guard and nothing else.
    remote.handler = says({})
    async with guarded(trusting, LOOPBACK) as session:
        for host in ("127.0.0.1", "localhost"):
            async with session.get(f"https://{host}:{remote.port}/") as response:
                assert response.status == 200


async def test_the_token_follows_no_redirect(
    remote: Remote, tls: ssl.SSLContext, federation: aiohttp.ClientSession
) -> None:
    elsewhere = Remote(handler=says({"sub": f"@carol:{remote.name}"}))
    async with serve(elsewhere.handle, tls) as elsewhere.port:

        async def redirect(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(f"https://{elsewhere.name}/_matrix/federation/v1/openid/userinfo")

        remote.handler = redirect
        with pytest.raises(UnavailableError) as caught:
            await user_of(federation, remote.name)
    assert elsewhere.requests == []
    assert TOKEN not in logged(caught.value)


async def test_the_guard_holds_for_redirects(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    inside = Remote(handler=says({"m.server": "inside"}))

    async with serve(inside.handle, tls) as inside.port:
        for target in (f"https://localhost:{inside.port}/", f"https://127.0.0.1:{inside.port}/"):

            async def redirect(_request: web.Request, target: str = target) -> web.StreamResponse:
                raise web.HTTPFound(target)

            outside = Remote(handler=redirect)
            # Only the first connection is let through, as if it led to a public address: name, address and peer.
            first = cast("list[Network]", _Until(3))
            async with serve(outside.handle, tls) as outside.port, guarded(trusting, first) as session:
                with pytest.raises(aiohttp.ClientConnectionError):
                    await session.get(f"https://{outside.name}/")
                assert len(outside.requests) == 1
    assert inside.requests == []


class _Until:
    """Allowed networks that hold everything, for the first `times` looks."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __iter__(self) -> Iterator[IPv4Network]:
        self._left -= 1
        return iter([IPv4Network("0.0.0.0/0")] if self._left >= 0 else [])


# Discovery


async def test_an_explicit_name_leaves_nothing_to_discover(federation: aiohttp.ClientSession) -> None:
    (address,) = await discover(federation, "example.invalid:1234", Names())
    assert (address.base_url, address.name, address.authority) == (
        "https://example.invalid:1234", "example.invalid", "example.invalid:1234",
    )  # fmt: skip
    (address,) = await discover(federation, "10.1.2.3", Names())
    assert (address.base_url, address.authority) == ("https://10.1.2.3:8448", "10.1.2.3")
    (address,) = await discover(federation, "[2001:db8::1]", Names())
    assert (address.base_url, address.name) == ("https://[2001:db8::1]:8448", "2001:db8::1")


@pytest.mark.parametrize("name", ["", "a b", "user@host", "a/../b", "example.org:99999"])
async def test_no_server_name_is_discovered(federation: aiohttp.ClientSession, name: str) -> None:
    with pytest.raises(ForbiddenError):
        await discover(federation, name, Names())


# What a requested homeserver may respond


@pytest.mark.parametrize(
    "subject",
    [
        "@carol:elsewhere.example", "@carol", "carol", "", None, 5, ["@carol"], "@:{name}", "@a b:{name}",
        "@carol:{name}.evil", "@carol:evil:{name}", "@carol:{name} ", "#carol:{name}", "@carol:{name}\n",
    ],
)  # fmt: skip
async def test_a_server_vouches_only_for_its_own(
    remote: Remote, federation: aiohttp.ClientSession, subject: object
) -> None:
    remote.handler = says({"sub": subject.replace("{name}", remote.name) if isinstance(subject, str) else subject})
    with pytest.raises(UnknownTokenError) as caught:
        await user_of(federation, remote.name)
    assert TOKEN not in logged(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_an_unknown_token(remote: Remote, federation: aiohttp.ClientSession, status: int) -> None:
    remote.handler = says({"errcode": "M_UNKNOWN_TOKEN"}, status)
    with pytest.raises(UnknownTokenError) as caught:
        await user_of(federation, remote.name)
    assert TOKEN not in logged(caught.value)


async def _too_long(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"sub": "x", "padding": "x" * 70_000})


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 10_000)


async def _silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def _dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def _text(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"<html>{TOKEN}</html>")


async def _deep(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="[" * 60_000)


async def _not_utf8(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"sub": "\xff"}')


@pytest.mark.parametrize(
    "handler",
    [
        says({}, 404), says({}, 500), says([]), says(None),
        _too_long, _endless, _silent, _dripping, _cut, _text, _deep, _not_utf8,
    ],
)  # fmt: skip
async def test_no_proper_response(remote: Remote, federation: aiohttp.ClientSession, handler: Handler) -> None:
    remote.handler = handler
    async with asyncio.timeout(5):
        with pytest.raises(UnavailableError) as caught:
            await user_of(federation, remote.name)
    assert TOKEN not in logged(caught.value)
    assert remote.requests


@pytest.mark.parametrize(
    "name", ["[::::]:80", "a..b:80", ".:80", "-:80", "0x7f.1:80", "x" * 200 + ":80", "[1.2.3.4.5]:1"]
)
async def test_names_that_lead_nowhere(federation: aiohttp.ClientSession, name: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        await user_of(federation, name)
    assert TOKEN not in logged(caught.value)


async def test_a_response_that_cannot_be_decompressed(remote: Remote, federation: aiohttp.ClientSession) -> None:
    async def compressed(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"not deflated", headers={"Content-Encoding": "deflate"})

    remote.handler = compressed
    with pytest.raises(UnavailableError) as caught:
        await user_of(federation, remote.name)
    assert TOKEN not in logged(caught.value)


async def test_nobody_is_there(federation: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    with pytest.raises(UnavailableError) as caught:
        await user_of(federation, f"127.0.0.1:{unused_tcp_port}")
    assert TOKEN not in logged(caught.value)


# Configured homeservers


async def test_a_configured_server_is_requested_at_its_address_wherever_that_is(plain: aiohttp.ClientSession) -> None:
    server = Remote(handler=says({"sub": "@alice:example.org"}))
    async with serve(server.handle, None) as server.port:
        verifier = OpenIdVerifier({"example.org": Peer(f"http://127.0.0.1:{server.port}", plain)}, None)
        assert await verifier.user_of(TOKEN, "example.org") == "@alice:example.org"
        assert json.dumps(dict(server.requests[0].query)) == json.dumps({"access_token": TOKEN})
        server.handler = says({"sub": "@alice:other.example"})
        with pytest.raises(UnknownTokenError):
            await verifier.user_of(TOKEN, "example.org")


@pytest.mark.parametrize("handler", [_cut, _text, _silent, _too_long])
async def test_an_error_about_a_configured_server_carries_no_request(
    plain: aiohttp.ClientSession, handler: Handler
) -> None:
    async with serve(handler, None) as port:
        verifier = OpenIdVerifier({"example.org": Peer(f"http://127.0.0.1:{port}", plain)}, None, timeout_s=1)
        with pytest.raises(UnavailableError) as caught:
            await verifier.user_of(TOKEN, "example.org")
    assert TOKEN not in logged(caught.value)
    # The chain would lead to the request, whose address holds the token.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_without_federation_other_servers_are_not_served(plain: aiohttp.ClientSession) -> None:
    verifier = OpenIdVerifier({"example.org": Peer("http://127.0.0.1:1", plain)}, None)
    for name in ("other.example", "example.org:443", "EXAMPLE.ORG", "127.0.0.1:80"):
        with pytest.raises(ForbiddenError) as caught:
            await verifier.user_of(TOKEN, name)
        assert TOKEN not in logged(caught.value)
