"""Checks the way from viewers to us, through the operator's proxy, as a browser would go it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientResponse
from pydantic import ValidationError

from appservice.check.findings import CheckError, CheckWarning
from appservice.check.stand_in import listening
from appservice.config import Config
from appservice.core.web.client_address import is_within
from appservice.web.page import ADDRESS, framed, policy
from appservice.web.probes import CONTENT, EVENT, MEDIA, PIECE, PIECE_BYTES, STREAM, WHO, Arrived, token_of

_TIMEOUT = aiohttp.ClientTimeout(total=20)
_FIRST_EVENT_S = 5.0
_MOST = 4096
_NO_SUCH_ADDRESS = "192.0.2.1"
"""Of TEST-NET-1 (RFC 5737): what a viewer might pretend to be."""


@dataclass(frozen=True, slots=True)
class Public:
    """The installation as viewers reach it."""

    config: Config
    session: aiohttp.ClientSession
    arrived: Arrived
    direct: bool
    """Whether there is no proxy in between."""

    def url(self, path: str) -> str:
        """Return the address of a path for viewers."""
        return self.config.web.public_url + path


@asynccontextmanager
async def reached(config: Config) -> AsyncIterator[Public]:
    """Reach ourselves at `web.public_url`, whether the service runs or not.

    Raises CheckError where that cannot work for any viewer, CheckWarning where this machine cannot say.
    """
    sockets: list[socket.socket] = []

    def opened(address: aiohttp.AddrInfoType) -> socket.socket:
        sockets.append(socket.socket(*address[:3]))
        return sockets[-1]

    headers = {"Authorization": f"Bearer {token_of(config.appservice.hs_token.get_secret_value())}"}
    connector = aiohttp.TCPConnector(socket_factory=opened)
    async with listening(config), aiohttp.ClientSession(connector=connector, headers=headers) as session:
        pretended = {"X-Forwarded-For": _NO_SUCH_ADDRESS}
        async with _requested(session, config, "GET", WHO, headers=pretended) as response:
            arrived = await _read_arrived(config, response)
        names = [each.getsockname()[:2] for each in sockets if each.fileno() != -1]
        direct = any((_plain(host), port) == (_plain(arrived.peer), arrived.port) for host, port in names)
        yield Public(config, session, arrived, direct)


def _plain(address: str) -> str:
    found = ip_address(address.partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)


@asynccontextmanager
async def _requested(
    session: aiohttp.ClientSession, config: Config, method: str, path: str, **options: object
) -> AsyncIterator[ClientResponse]:
    """Send a request to our public address, and raise what its failure means."""
    base = config.web.public_url
    try:
        async with session.request(
            method, base + path, allow_redirects=False, timeout=_TIMEOUT, **options  # type: ignore[arg-type]
        ) as response:  # fmt: skip
            yield response
    except aiohttp.ClientConnectorCertificateError as error:
        raise CheckError(
            f"the certificate of {base} is not valid ({error.certificate_error}): clients refuse the widget. Have one "
            "issued for this name, with its whole chain."
        ) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise CheckWarning(
            f"{base} does not respond from this machine ({error or type(error).__name__}): check that the name leads "
            "here, that the proxy runs, and that it hands on to web.host and web.port."
        ) from error


async def _read_arrived(config: Config, response: ClientResponse) -> Arrived:
    base = config.web.public_url
    if response.status in {301, 302, 303, 307, 308}:
        where = urlsplit(response.headers.get("Location", ""))
        raise CheckError(
            f"{base} redirects to {where.scheme}://{where.netloc}, so that viewers use another address than "
            "web.public_url, with other origins. Set web.public_url to that one."
        )
    if response.status == 401:
        raise CheckError(f"the proxy of {base} demands a password (401): a widget has none. Let it hand on everything.")
    body = await response.content.read(_MOST)
    if response.status == 403 and b"roomreel check" in body:
        raise CheckError(
            f"another Roomreel responds at {base}, or this one before its configuration changed: check "
            "web.public_url, and restart the service."
        )
    try:
        if response.status == 200:
            return Arrived.model_validate_json(body)
    except ValidationError:
        pass
    if response.status == 404 and b'"M_UNRECOGNIZED"' in body:
        raise CheckWarning(
            "the running Roomreel is of another release, or the proxy changes paths: restart it, and let the proxy "
            "hand on all paths unchanged."
        )
    if response.status in {502, 503, 504}:
        raise CheckError(
            f"the proxy of {base} does not reach us ({response.status}): let it hand on to {config.web.host}:"
            f"{config.web.port} (web.host and web.port; from another machine or container, web.host: 0.0.0.0)."
        )
    raise CheckError(
        f"{base} leads to something else than Roomreel (status {response.status}): check web.public_url, the proxy's "
        "server name, and that it hands on all paths unchanged."
    )


async def address(config: Config) -> str:
    """Check that clients would show what is at our address."""
    url = urlsplit(config.web.public_url)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise CheckError(
            f"{config.web.public_url} is plain http: clients on https refuse such a widget. Let the proxy have "
            "a certificate, and set web.public_url to its https:// address."
        )
    return config.web.public_url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def proxy(public: Public) -> str:
    """Check that viewers' addresses arrive, by which requests are limited."""
    if public.direct:
        return "there is none"
    peer, headers = public.arrived.peer, public.arrived.headers
    forwarded = headers.get("X-Forwarded-For", [])
    if not is_within(peer, public.config.web.trusted_proxies) and headers:
        raise CheckWarning(
            f"a proxy at {peer} hands requests on ({', '.join(headers)}), and is not in web.trusted_proxies: all "
            f"viewers would share the limits of one address. Add {peer} there."
        )
    last = ",".join(forwarded).rpartition(",")[2].strip()
    if not last or last == _NO_SUCH_ADDRESS:
        others = [name for name in headers if name != "X-Forwarded-For"]
        also = f" ({', '.join(others)} does not count)" if others else ""
        what = "hands on the X-Forwarded-For of its clients as it is" if last else "says nobody's X-Forwarded-For"
        raise CheckWarning(
            f"the proxy at {peer} {what}{also}: all viewers would share the limits of one address, or choose their "
            "own. In nginx: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`."
        )
    return f"{peer} is trusted to say whose requests it hands on"


async def widget_page(public: Public) -> str:
    """Check that clients may frame the widget, by what the proxy adds to our headers."""
    config = public.config
    async with _requested(public.session, config, "GET", ADDRESS) as response:
        status, headers = response.status, response.headers
    if status != 200 or not headers.get("Content-Type", "").startswith("text/html"):
        raise CheckError(
            f"{public.url(ADDRESS)} is not the widget (status {status}): let the proxy hand on all paths unchanged."
        )
    ours = framed(policy(), config.web.frame_ancestors)
    policies = [each.strip() for value in headers.getall("Content-Security-Policy", []) for each in value.split(",")]
    added = [each for each in policies if each and each != ours]
    if framing := [word for each in added if (word := _directive(each, "frame-ancestors"))]:
        raise CheckError(
            f"the proxy adds a Content-Security-Policy with `{framing[0]}`, which keeps clients from framing the "
            "widget. Remove it for this site, and use web.frame_ancestors."
        )
    options = ", ".join(headers.getall("X-Frame-Options", []))
    if options and not config.web.frame_ancestors:
        raise CheckError(
            f"the proxy adds `X-Frame-Options: {options}`, which keeps clients from framing the widget. Remove it for "
            "this site (nginx: `proxy_hide_header` does not help against its own `add_header`; Caddy: `header "
            "-X-Frame-Options`), and use web.frame_ancestors."
        )
    if added:
        raise CheckWarning(
            f"the proxy adds a Content-Security-Policy (`{added[0][:200]}`): both hold, and the widget may miss what "
            "that forbids. Remove it for this site."
        )
    if not policies:
        raise CheckWarning("the proxy removes our Content-Security-Policy: let it pass.")
    return "clients may frame it"


def _directive(text: str, name: str) -> str:
    return next((each.strip() for each in text.split(";") if each.strip().lower().startswith(name)), "")


async def event_stream(public: Public) -> str:
    """Check that events arrive at once."""
    with_gzip = {"Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate"}
    requested = _requested(public.session, public.config, "GET", STREAM, headers=with_gzip)
    try:
        async with asyncio.timeout(_FIRST_EVENT_S), requested as response:
            _expect(response, 200, STREAM)
            while await response.content.readuntil(b"\n\n") != EVENT:
                pass
    except TimeoutError:
        raise CheckError(
            f"the proxy holds events back (none within {_FIRST_EVENT_S:.0f} s): rooms would change minutes late. "
            "Turn buffering and compression off for /api/v1/rooms/…/events (nginx: `proxy_buffering off; gzip "
            "off;`, and no `proxy_ignore_headers X-Accel-Buffering`)."
        ) from None
    return "events arrive at once"


async def uploads(public: Public) -> str:
    """Check that what the widget uploads passes in its pieces."""
    body = bytes(PIECE_BYTES)
    mib = PIECE_BYTES // 1024**2
    async with _requested(public.session, public.config, "PATCH", PIECE, data=body) as response:
        if response.status == 413:
            raise CheckError(
                f"the proxy refuses bodies of {mib} MiB (413): nothing can be uploaded or recorded in the widget. "
                "Allow any size for /api/v1/uploads (nginx: `client_max_body_size 0;`)."
            )
        if response.status in {405, 501}:
            raise CheckError(f"the proxy refuses the method PATCH ({response.status}): let it pass everything.")
        _expect(response, 204, PIECE)
    return f"pieces of {mib} MiB pass"


async def ranges(public: Public) -> str:
    """Check that a part of a file can be requested, as players do."""
    wanted = slice(16, 48)
    headers = {"Range": f"bytes={wanted.start}-{wanted.stop - 1}"}
    async with _requested(public.session, public.config, "GET", MEDIA, headers=headers) as response:
        if response.status == 200:
            raise CheckError(
                "the proxy takes the Range header off requests for media: players could not seek, and Safari plays "
                "nothing. Let it hand on Range and If-Range."
            )
        _expect(response, 206, MEDIA)
        if await response.read() != CONTENT[wanted]:
            raise CheckError("the proxy changes parts of files on their way: turn its cache and filters off.")
    return "parts of files can be requested"


def _expect(response: ClientResponse, status: int, path: str) -> None:
    if response.status != status:
        raise CheckError(
            f"the proxy answers {response.status} for {path}, where we would {status}: let it hand on all paths and "
            "methods unchanged."
        )
